"""Signatures: JSON Web Signature (RFC 7515) with Ed25519 and detached content (its appendix F)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forensics.report.custody.canonical import canonical, loads
from forensics.report.custody.keys import decode, encode, public_jwk, thumbprint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

REPORT_TYPE = "forensics-report+json"
LOG_TYPE = "forensics-log+json"
STAMP_TYPE = "forensics-timestamp"

# RFC 9864 calls it Ed25519, which is written; RFC 8037 called it EdDSA, which is read too.
_ALGORITHMS = ("Ed25519", "EdDSA")
_MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature turned out to be.

    Attributes:
        valid: Whether it fits the content and the key that was used to check it.
        kid: Thumbprint of that key, or empty.
        named: Whether that key is the one that the verifier named.
        problem: Why it is not valid, in a few words.
    """

    valid: bool
    kid: str = field(kw_only=True, default="")
    named: bool = field(kw_only=True, default=False)
    problem: str = field(kw_only=True, default="")


def sign(content: bytes, key: Ed25519PrivateKey, *, typ: str = REPORT_TYPE) -> str:
    """Return the compact JWS of ``content`` without the content: ``header..signature``."""
    public = key.public_key()
    header = {
        "alg": _ALGORITHMS[0],
        "jwk": public_jwk(public),
        "kid": thumbprint(public),
        "typ": typ,
    }
    head = encode(canonical(header))
    return f"{head}..{encode(key.sign(_signed(head, content)))}"


def check(
    content: bytes, jws: object, *, key: Ed25519PublicKey | None, typ: str = REPORT_TYPE
) -> Signature:
    """Check a signature.

    Args:
        content: What it has to cover.
        jws: The text that `sign` returned.
        key: The key that the verifier trusts; None checks with the key inside the signature,
            which shows that nothing changed since but not who signed.
        typ: Type that the header has to state.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        head, raw, header = _parts(jws)
        inner = _inner_key(header)
    except (ValueError, UnicodeError) as error:
        return Signature(False, problem=f"cannot be read ({error})")
    if header.get("alg") not in _ALGORITHMS or header.get("typ") != typ or "crit" in header:
        return Signature(False, problem="is of a kind that is not known here")
    used = key if key is not None else inner
    if used is None:
        return Signature(False, problem="names no key, and none was given")
    kid = thumbprint(used)
    if header.get("kid") != kid:
        return Signature(False, kid=kid, problem=f"was made with another key than {kid}")
    try:
        used.verify(raw, _signed(head, content))
    except InvalidSignature:
        return Signature(False, kid=kid, problem="does not fit the content")
    return Signature(True, kid=kid, named=key is not None)


def _parts(jws: object) -> tuple[str, bytes, dict[str, Any]]:
    if not isinstance(jws, str) or len(jws) > _MAX_TEXT:
        raise ValueError("not a signature")
    head, content, tail = [*jws.split("."), "", ""][:3]
    if content or jws != f"{head}..{tail}":
        raise ValueError("not a detached signature")
    header = loads(decode(head))
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    return head, decode(tail), header


def _inner_key(header: dict[str, Any]) -> Ed25519PublicKey | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    jwk = header.get("jwk")
    if (
        not isinstance(jwk, dict)
        or jwk.get("crv") != "Ed25519"
        or not isinstance(jwk.get("x"), str)
    ):
        return None
    return Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))


def _signed(head: str, content: bytes) -> bytes:
    return f"{head}.{encode(content)}".encode("ascii")
