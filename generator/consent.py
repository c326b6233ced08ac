"""Consent records: who may be used as a face, on what ground, and for what.

Training and swapping ask for one record per person. The record is a small TOML file that a person
can read and sign off; its hash goes into the model card and into every output, so that a picture
can later be traced to the permission it rests on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from forensics.errors import OutputError, UnreadableInputError, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BASES: dict[str, str] = {
    "written": "the person agreed in writing to this use",
    "self": "the person is the one who runs the tool",
    "public-domain": "the pictures are in the public domain and the use is lawful",
    "dataset-licence": "the data set's licence and the subjects' consent cover altered forms",
}
"""Lawful grounds that a record may name, with their meaning."""

HOW_TO = (
    'write one with: generator consent new --subject "NAME" --basis written '
    '--scope "what the person agreed to" --out consent.toml'
)
"""The line that every consent error ends with."""

_MAX_BYTES = 64 * 1024
_MAX_FIELD = 2000


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One permission.

    Attributes:
        subject: Name or code of the person shown.
        basis: A key of `BASES`.
        scope: What the permission covers, in words.
        date: ISO 8601 day on which it was given, for example ``2026-11-22``.
        reference: Where the proof is kept (file, licence, DOI), or empty.

    Raises:
        UsageError: A field is empty, too long, or has no known value.
    """

    subject: str
    basis: str
    scope: str
    date: str
    reference: str = ""

    def __post_init__(self) -> None:
        for name in ("subject", "basis", "scope", "date", "reference"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise UsageError(f"consent field {name!r} must be a text, got {value!r}; {HOW_TO}")
            if len(value) > _MAX_FIELD:
                raise UsageError(f"consent field {name!r} is longer than {_MAX_FIELD} characters")
            if name != "reference" and not value.strip():
                raise UsageError(f"consent field {name!r} is empty; {HOW_TO}")
        if self.basis not in BASES:
            raise UsageError(
                f"consent basis {self.basis!r} is unknown (known: {', '.join(BASES)}); {HOW_TO}"
            )
        try:
            day = dt.date.fromisoformat(self.date)
        except ValueError:
            raise UsageError(
                f"consent date {self.date!r} is no day of the form YYYY-MM-DD; {HOW_TO}"
            ) from None
        # One day of slack: the record may have been written east of here.
        if day > dt.datetime.now(dt.timezone.utc).date() + dt.timedelta(days=1):
            raise UsageError(f"consent date {self.date} lies in the future; {HOW_TO}")

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical content; independent of layout, comments and key order."""
        content = {f.name: getattr(self, f.name) for f in fields(self)}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_toml(self) -> str:
        """Return the record as a TOML document."""
        lines = ["# Consent record. Changing a value changes the hash kept in models and swaps."]
        lines += [f"{f.name} = {_toml_string(getattr(self, f.name))}" for f in fields(self)]
        return "\n".join(lines) + "\n"


def new_consent(
    path: Path | str,
    *,
    subject: str,
    basis: str,
    scope: str,
    date: str | None = None,
    reference: str = "",
    overwrite: bool = False,
) -> ConsentRecord:
    """Write a consent record and return it.

    Args:
        path: File to write.
        subject: Name or code of the person shown.
        basis: A key of `BASES`.
        scope: What the permission covers.
        date: ISO day; today (UTC) when None.
        reference: Where the proof is kept.
        overwrite: Replace an existing file.

    Raises:
        UsageError: A field is not valid.
        OutputError: The file exists or cannot be written.
    """
    day = date if date is not None else dt.datetime.now(dt.timezone.utc).date().isoformat()
    record = ConsentRecord(subject, basis, scope, day, reference)
    target = Path(path)
    if target.exists() and not overwrite:
        raise OutputError(f"{target}: exists already; a consent record is not overwritten silently")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(record.to_toml(), encoding="utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{target}: cannot write consent record: {error.strerror}") from error
    return record


def load_consent(path: Path | str | None) -> ConsentRecord:
    """Read a consent record.

    Args:
        path: TOML file; None stands for "none was given".

    Raises:
        UsageError: No record, a missing or unknown field, or a value that is not valid.
        UnreadableInputError: The file is no TOML or is too large.
    """
    if path is None:
        raise UsageError(f"no consent record was given; {HOW_TO}")
    source = Path(path)
    try:
        with source.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{source}: no such consent record; {HOW_TO}") from None
    except OSError as error:
        raise UnreadableInputError(source, f"cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise UnreadableInputError(source, f"longer than {_MAX_BYTES} bytes, no consent record")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableInputError(source, f"not a TOML consent record ({error})") from error
    known = {f.name for f in fields(ConsentRecord)}
    missing = sorted(known - {"reference"} - set(table))
    if missing:
        raise UsageError(f"{source}: consent record lacks {', '.join(missing)}; {HOW_TO}")
    unknown = sorted(set(table) - known)
    if unknown:
        raise UsageError(f"{source}: unknown field {', '.join(unknown)} in consent record")
    # TOML has its own date type; a person may leave the quotes away.
    if isinstance(table["date"], dt.date) and not isinstance(table["date"], dt.datetime):
        table["date"] = table["date"].isoformat()
    try:
        return ConsentRecord(**table)
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from None


def _toml_string(text: str) -> str:
    """Quote ``text`` as a TOML basic string."""
    # A JSON string is a TOML basic string, save that TOML also forbids a bare DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
