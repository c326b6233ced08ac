"""Say what still holds of a sealed report: its bytes, signature, signer, media, time and log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forensics.errors import ExitCode, UnreadableInputError, UsageError, printable
from forensics.models.cache import file_sha256
from forensics.report.custody import jws
from forensics.report.custody.canonical import digest, loads
from forensics.report.custody.log import Head, LogState, check_log
from forensics.report.custody.seal import LAYOUTS, signed_content

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.x509 import Certificate

State = Literal["holds", "broken", "unknown"]

MAX_REPORT = 256 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: ``layout``, ``signature``, ``signer``, ``timestamp``, ``media`` or ``log``.
        state: Whether it holds; ``unknown`` when nothing given can tell.
        text: One line for a person.
    """

    what: str
    state: State = field(kw_only=True)
    text: str = field(kw_only=True)


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """Return 1 when something is broken, 3 when something is unknown, else 0."""
    states = {check.state for check in checks}
    if "broken" in states:
        return ExitCode.SUSPECT
    return ExitCode.INCONCLUSIVE if "unknown" in states else ExitCode.OK


def verify_report(
    path: Path | str,
    *,
    media: Path | str | None = None,
    key: Ed25519PublicKey | None = None,
    log: Path | str | None = None,
    roots: Sequence[Certificate] = (),
) -> list[Check]:
    """Check one file of reports, offline.

    Args:
        path: A report, or several, as ``--sign`` or ``--log`` wrote them.
        media: The file that was examined.
        key: Public key of the signer that is expected; a report without its signature is then
            broken, not merely unsigned.
        log: The log that the report was entered in.
        roots: Time-stamping authorities that are trusted.

    Raises:
        UnreadableInputError: Report, media or log cannot be read.
        UsageError: One media file for several reports.
    """
    source = Path(path)
    text, records = _read(source)
    if media is not None and len(records) > 1:
        raise UsageError(f"{printable(source)}: holds {len(records)} reports; --media takes one")
    checks = list(_layout(text, records))
    for record in records:
        checks += _sealed(record, key, roots)
        checks += _media(record, media)
    if log is not None:
        checks += _log(records, Path(log), key)
    return checks


def _read(path: Path) -> tuple[str, list[dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_REPORT + 1)
    except OSError as error:
        raise UnreadableInputError(path, (error.strerror or "cannot be read").lower()) from error
    if len(raw) > MAX_REPORT:
        raise UnreadableInputError(path, f"larger than {MAX_REPORT >> 20} MB; no report")
    try:
        text = raw.decode("utf-8")
        try:
            content = loads(text)
        except ValueError:
            lines = text.removesuffix("\n").split("\n")
            if len(lines) < 2:
                raise
            content = [loads(line) for line in lines]
    except ValueError as error:
        raise UnreadableInputError(path, f"is no JSON report ({error})") from error
    records = content if isinstance(content, list) else [content]
    for record in records:
        if not isinstance(record, dict) or not isinstance(record.get("file"), dict):
            raise UnreadableInputError(path, "is no report of this program")
    if not records:
        raise UnreadableInputError(path, "holds no report")
    return text, records


def _layout(text: str, records: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    """Compare with the bytes that would be written: a reader need not trust any other form."""
    try:
        same = any(write(records) == text for write in LAYOUTS)
    except ValueError:
        same = False
    if same:
        yield Check("layout", state="holds", text="every byte stands as it is written")
    else:
        yield Check("layout", state="broken", text="the file was edited or re-formatted")


def _sealed(
    record: Mapping[str, Any], key: Ed25519PublicKey | None, roots: Sequence[Certificate]
) -> Iterator[Check]:
    custody = record.get("custody")
    sealed = isinstance(custody, dict)
    jwt = custody.get("signature") if isinstance(custody, dict) else None
    if jwt is None:
        state: State = "broken" if key is not None else "unknown"
        yield Check("signature", state=state, text="the report is not signed")
        return
    try:
        content = signed_content(record) if sealed else b""
        seen = jws.check(content, jwt, key=key)
    except ValueError as error:
        yield Check("signature", state="broken", text=f"the content was changed ({error})")
        return
    if not seen.valid:
        yield Check("signature", state="broken", text=f"the signature {seen.problem}")
        return
    yield Check("signature", state="holds", text="the content is what was signed")
    if seen.named:
        yield Check("signer", state="holds", text=f"the key that you named ({seen.kid})")
    else:
        who = f"key {seen.kid}: name it with --key PUB to say that you trust it"
        yield Check("signer", state="unknown", text=who)
    assert isinstance(custody, dict)
    if "timestamp" in custody or "timestamp_signature" in custody:
        yield _stamp(custody, key, roots)


def _stamp(
    custody: Mapping[str, Any], key: Ed25519PublicKey | None, roots: Sequence[Certificate]
) -> Check:
    from forensics.report.custody import timestamp

    stamp = str(custody.get("timestamp")).encode("utf-8", "replace")
    own = jws.check(stamp, custody.get("timestamp_signature"), key=key, typ=jws.STAMP_TYPE)
    if not own.valid:
        return Check("timestamp", state="broken", text="it is not the time stamp that was received")
    try:
        seen = timestamp.check(
            str(custody["signature"]).encode("ascii"), custody["timestamp"], roots=roots
        )
    except UsageError as error:
        return Check("timestamp", state="unknown", text=str(error))
    if not seen.valid:
        return Check("timestamp", state="broken", text=f"the time stamp {seen.problem}")
    if seen.trusted:
        text = f"signed before {seen.time}, says an authority that you named"
        return Check("timestamp", state="holds", text=text)
    if roots:
        text = "changed, or by none of the authorities that you named"
        return Check("timestamp", state="broken", text=text)
    text = f"states {seen.time}; name its authority with --tsa-root to check that"
    return Check("timestamp", state="unknown", text=text)


def _media(record: Mapping[str, Any], media: Path | str | None) -> Iterator[Check]:
    stated = record["file"].get("sha256")
    custody = record.get("custody")
    after = custody.get("media") if isinstance(custody, dict) else None
    if isinstance(after, dict) and after.get("unchanged") is False:
        yield Check("media", state="broken", text="it changed while it was examined")
        return
    if media is None:
        return
    if not isinstance(stated, str):
        yield Check("media", state="unknown", text="the report holds no hash: it was unreadable")
        return
    place = Path(media)
    try:
        found = file_sha256(place)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise UnreadableInputError(place, cause.lower()) from error
    name = printable(place)
    if found == stated:
        yield Check("media", state="holds", text=f"{name} is the file examined")
    else:
        yield Check("media", state="broken", text=f"{name} is not, or no longer, the file examined")


def _log(
    records: Sequence[Mapping[str, Any]], path: Path, key: Ed25519PublicKey | None
) -> Iterator[Check]:
    name = printable(path)
    wanted = {digest(record) for record in records}
    heads = {head for record in records if (head := _head(record)) is not None}
    state = check_log(path, key=key, records=wanted, heads=heads)
    if state.problem:
        yield Check("log", state="broken", text=f"{name}: {state.problem}")
        return
    yield Check("log", state="holds", text=f"{name}: whole, {state.head.line + 1} long")
    if heads - state.passed:
        text = f"{name}: lines that were there when the report was made are gone"
        yield Check("log", state="broken", text=text)
    missing = wanted - state.found.keys()
    if missing:
        text = f"{name}: has no line for {len(missing)} of {len(wanted)} reports"
        yield Check("log", state="broken", text=text)
    else:
        lines = ", ".join(str(state.found[record]) for record in sorted(wanted))
        yield Check("log", state="holds", text=f"{name}: the report is line {lines}")
    yield from _unproven(state, name, key)


def _unproven(state: LogState, name: str, key: Ed25519PublicKey | None) -> Iterator[Check]:
    if key is not None and state.unproven:
        text = f"{name}: {state.unproven} lines are not signed with the key that you named"
        yield Check("log", state="unknown", text=text)


def _head(record: Mapping[str, Any]) -> Head | None:
    custody = record.get("custody")
    stated = custody.get("log_head") if isinstance(custody, dict) else None
    if not isinstance(stated, dict) or not isinstance(stated.get("line"), int):
        return None
    return Head(stated["line"], str(stated.get("hash")))
