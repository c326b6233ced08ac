"""Time stamps of an outside authority (RFC 3161): proof that something existed at a time.

The only part of reporting that can use the network, and only when the user names an authority.
It sends a hash, never the report or the media.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from forensics.errors import ForensicsError, UnreadableInputError, UsageError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_TIMEOUT = 20.0
_MAX_BYTES = 256 * 1024
_TYPE = "application/timestamp-"
_SHA256 = "2.16.840.1.101.3.4.2.1"


class TimestampError(ForensicsError):
    """The authority could not be asked, or did not give a usable time stamp."""

    exit_code = UsageError.exit_code
    reason = "timestamp"


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a time stamp turned out to be.

    Attributes:
        valid: Whether it is a time stamp that covers the content.
        time: UTC in ISO 8601 as it states, or empty.
        trusted: Whether its signature fits and chains to a root that was given.
        problem: Why it is not valid, in a few words.
    """

    valid: bool
    time: str = field(kw_only=True, default="")
    trusted: bool = field(kw_only=True, default=False)
    problem: str = field(kw_only=True, default="")


def request(url: str, content: bytes) -> str:
    """Let an authority stamp the SHA-256 of ``content``.

    Args:
        url: ``http`` or ``https`` address of the authority.
        content: What shall be proven to exist; at least one byte.

    Returns:
        The response, base64.

    Raises:
        UsageError: The address is none, or the extra ``timestamp`` is not installed.
        TimestampError: No usable answer.
    """
    library = _library()
    asked = (
        library.TimestampRequestBuilder(data=content)
        .hash_algorithm(library.HashAlgorithm.SHA256)
        .build()
    )
    answer = _post(url, asked.as_bytes())
    try:
        response = library.decode_timestamp_response(answer)
        if library.PKIStatus(response.status) != library.PKIStatus.GRANTED:
            raise TimestampError(f"{url}: the authority refused to stamp")
        if response.tst_info.nonce != asked.nonce:
            raise TimestampError(f"{url}: the answer is to another request")
    except ValueError as error:
        raise TimestampError(f"{url}: the answer is no time stamp ({error})") from error
    text = base64.b64encode(answer).decode("ascii")
    seen = check(content, text)
    if not seen.valid:
        raise TimestampError(f"{url}: the time stamp {seen.problem}")
    return text


def check(content: bytes, text: object, *, roots: Sequence[Certificate] = ()) -> Stamped:
    """Check a time stamp, offline.

    Args:
        content: What it has to cover.
        text: What `request` returned.
        roots: Authorities that the verifier trusts. Without any, the stamp's own signature is
            not looked at: it would prove nothing.

    Raises:
        UsageError: The extra ``timestamp`` is not installed.
    """
    library = _library()
    try:
        raw = base64.b64decode(str(text), validate=True)
        if base64.b64encode(raw).decode("ascii") != text or len(raw) > _MAX_BYTES:
            raise ValueError("not base64 in its only form")
        response = library.decode_timestamp_response(raw)
        imprint = response.tst_info.message_imprint
        time = response.tst_info.gen_time.isoformat()
    except ValueError as error:
        return Stamped(False, problem=f"cannot be read ({error})")
    if (
        imprint.hash_algorithm.dotted_string != _SHA256
        or imprint.message != hashlib.sha256(content).digest()
    ):
        return Stamped(False, problem="does not fit the content")
    return Stamped(True, time=time, trusted=_chains(library, response, content, roots))


def load_roots(path: Path | str) -> list[Certificate]:
    """Read PEM certificates of authorities.

    Raises:
        UnreadableInputError: The file cannot be read or holds none.
    """
    from cryptography import x509

    source = Path(path)
    try:
        with source.open("rb") as file:
            return x509.load_pem_x509_certificates(file.read(_MAX_BYTES))
    except OSError as error:
        raise UnreadableInputError(source, (error.strerror or "cannot be read").lower()) from error
    except ValueError as error:
        raise UnreadableInputError(source, "holds no certificate in PEM form") from error


def _chains(library: Any, response: Any, content: bytes, roots: Sequence[Certificate]) -> bool:
    if not roots:
        return False
    # Lists are passed: the builder's own default list is shared between calls.
    verifier = library.VerifierBuilder(roots=list(roots), intermediates=[]).build()
    try:
        return bool(verifier.verify_message(response, content))
    except (library.VerificationError, ValueError):
        return False


def _post(url: str, body: bytes) -> bytes:
    """Send one request. Redirects are not followed: the user named this address and no other."""
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        raise UsageError(f"--tsa must be an http or https address, got {url!r}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        line = kinds[parts.scheme](parts.hostname, parts.port, timeout=_TIMEOUT)
        try:
            headers = {"Content-Type": f"{_TYPE}query", "Accept": f"{_TYPE}reply"}
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            data: bytes = answer.read(_MAX_BYTES + 1)
        finally:
            line.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise TimestampError(f"{url}: the authority cannot be reached ({cause})") from error
    if answer.status != 200 or len(data) > _MAX_BYTES:
        raise TimestampError(f"{url}: the authority answered with status {answer.status}")
    return data


def _library() -> Any:
    try:
        import rfc3161_client
    except ModuleNotFoundError:
        raise UsageError(
            "time stamps need an extra: pip install 'deepfake-forensics[timestamp]'"
        ) from None
    return rfc3161_client
