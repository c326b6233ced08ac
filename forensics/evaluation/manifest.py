"""Read a labelled manifest: JSON Lines, one media file a line, paths relative to the manifest.

A group is what the manifest says it is, and a row without one is a group of its own. Folder names
are never used to join rows: different manipulations often share a folder name, and averaging them
raises the AUC without making the detector any better.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

from forensics.errors import UnreadableInputError, UsageError, printable

Label = Literal["real", "fake"]
LABELS: tuple[Label, ...] = ("real", "fake")


@dataclass(frozen=True, slots=True)
class ManifestLimits:
    """Caps on a manifest, which may come from anyone.

    Attributes:
        bytes: Largest file size.
        rows: Largest number of rows.
        line: Longest line, in bytes.
    """

    bytes: int = 512 * 2**20
    rows: int = 2_000_000
    line: int = 2**20


DEFAULT_LIMITS = ManifestLimits()


class ManifestError(UnreadableInputError):
    """The manifest cannot be used; ``line`` counts from 1, 0 when the whole file is meant."""

    reason = "unreadable_manifest"

    def __init__(self, path: Path | str, cause: str, *, line: int = 0) -> None:
        self.line = line
        super().__init__(path, f"line {line}: {cause}" if line else cause)


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled file.

    Attributes:
        path: As written in the manifest.
        resolved: Where the file is.
        label: ``real`` or ``fake``.
        group: Rows of one group are not independent of each other; the row's own path by default.
        identity: People seen in the file; may be empty.
        split: Name of the part of the set that the row belongs to.
        source: Where the material comes from.
        method: How a fake was made.
        mask: Path of the manipulation mask, as written.
        pts: Times in seconds that the row is about; empty for the whole file.
        width: Width of the face in the original picture, pixels.
        line: Line number in the manifest, from 1.
    """

    path: str
    resolved: Path = field(kw_only=True)
    label: Label = field(kw_only=True)
    group: str = field(kw_only=True)
    identity: tuple[str, ...] = field(kw_only=True, default=())
    split: str | None = field(kw_only=True, default=None)
    source: str | None = field(kw_only=True, default=None)
    method: str | None = field(kw_only=True, default=None)
    mask: str | None = field(kw_only=True, default=None)
    pts: tuple[float, ...] = field(kw_only=True, default=())
    width: float | None = field(kw_only=True, default=None)
    line: int = field(kw_only=True, default=0)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The chosen rows of a manifest.

    Attributes:
        path: The manifest as given.
        sha256: Hex digest of the whole manifest file.
        rows: The chosen rows, in the file's order.
        split: The split that was asked for; None for every row.
        total_rows: Rows in the file, all splits together.
        shared_groups: Groups of the chosen split that other splits hold too. More than 0 means
            that the splits are not disjoint by group.
    """

    path: Path
    sha256: str = field(kw_only=True)
    rows: tuple[Row, ...] = field(kw_only=True, repr=False)
    split: str | None = field(kw_only=True, default=None)
    total_rows: int = field(kw_only=True, default=0)
    shared_groups: int = field(kw_only=True, default=0)

    def __len__(self) -> int:
        return len(self.rows)


def read_manifest(
    path: Path | str, *, split: str | None = None, limits: ManifestLimits = DEFAULT_LIMITS
) -> Manifest:
    """Read and check a manifest.

    Args:
        path: JSON Lines file. Columns that are not known here are ignored.
        split: Keep only the rows of this split; None keeps every row.
        limits: Caps on bytes, rows and line length.

    Raises:
        ManifestError: The file cannot be read, is over a cap, or has a bad line (exit code 4).
        UsageError: No row belongs to ``split`` (exit code 2).
    """
    path = Path(path)
    digest = hashlib.sha256()
    rows: list[Row] = []
    labels: dict[tuple[str, tuple[float, ...]], tuple[Label, int]] = {}
    for number, line in lines_of(path, digest, limits):
        row = parse_row(path, number, line)
        if len(rows) >= limits.rows:
            raise ManifestError(path, f"more than {limits.rows} rows", line=number)
        label, first = labels.setdefault((row.path, row.pts), (row.label, number))
        if label != row.label:
            _fail(
                path,
                number,
                f"{printable(row.path)} is {row.label} here but {label} on line {first}",
            )
        rows.append(row)
    if not rows:
        raise ManifestError(path, "the manifest has no rows")
    chosen = rows if split is None else [row for row in rows if row.split == split]
    if not chosen:
        known = sorted({row.split for row in rows if row.split is not None})
        raise UsageError(
            f"{printable(path)}: no row has split {split!r}; "
            f"splits in the manifest: {', '.join(known) or 'none'}"
        )
    outside = {row.group for row in rows if split is not None and row.split != split}
    return Manifest(
        path,
        sha256=digest.hexdigest(),
        rows=tuple(chosen),
        split=split,
        total_rows=len(rows),
        shared_groups=len(outside & {row.group for row in chosen}),
    )


def lines_of(path: Path, digest: Any, limits: ManifestLimits) -> Iterator[tuple[int, bytes]]:
    """Yield the line number and bytes of every line that is not blank; feed ``digest``.

    Raises:
        ManifestError: The file cannot be read, or is over a cap.
    """
    try:
        if not path.exists():
            raise ManifestError(path, "no such file")
        if not path.is_file():
            raise ManifestError(path, "not a regular file")
        if path.stat().st_size > limits.bytes:
            raise ManifestError(path, f"larger than {limits.bytes} bytes")
        with path.open("rb") as file:
            number = 0
            while line := file.readline(limits.line + 1):
                number += 1
                if len(line) > limits.line:
                    raise ManifestError(path, f"longer than {limits.line} bytes", line=number)
                digest.update(line)
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    yield number, line
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise ManifestError(path, f"cannot be read: {cause}") from error


def _fail(path: Path, number: int, cause: str) -> NoReturn:
    raise ManifestError(path, cause, line=number)


def parse_row(path: Path, number: int, line: bytes) -> Row:
    """Turn one line into a row.

    Raises:
        ManifestError: It is none; the complaint names the line.
    """
    try:
        data = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        _fail(path, number, "not UTF-8 text")
    except (ValueError, RecursionError) as error:
        _fail(path, number, f"not JSON ({str(error).splitlines()[0]})")
    if not isinstance(data, Mapping):
        _fail(path, number, "not a JSON object")
    written = data.get("path")
    if not isinstance(written, str) or not written or "\0" in written:
        _fail(path, number, "path must be a non-empty text")
    try:
        os.fsencode(written)
    except UnicodeEncodeError:
        _fail(path, number, "path is not text that can name a file")
    label = data.get("label")
    if label not in LABELS:
        _fail(path, number, f"label must be 'real' or 'fake', got {_short(label)}")

    def text(key: str) -> str | None:
        value = data.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        _fail(path, number, f"{key} must be a non-empty text, got {_short(value)}")

    def real(value: Any, key: str) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12:
            return float(value)
        _fail(path, number, f"{key} must be a number >= 0, got {_short(value)}")

    pts = data.get("pts")
    if pts is not None and not isinstance(pts, list):
        _fail(path, number, f"pts must be a list of seconds, got {_short(pts)}")
    width = data.get("width")
    return Row(
        written,
        resolved=path.parent / written,
        label=cast(Label, label),
        group=text("group") or written,
        identity=_identity(path, number, data.get("identity")),
        split=text("split"),
        source=text("source"),
        method=text("method"),
        mask=text("mask"),
        pts=tuple(real(value, "pts") for value in pts or ()),
        width=None if width is None else real(width, "width"),
        line=number,
    )


def _identity(path: Path, number: int, value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in names):
        _fail(path, number, f"identity must be a text or a list of texts, got {_short(value)}")
    return tuple(str(name) for name in names)


def _short(value: Any) -> str:
    shown = printable(repr(value))
    return shown if len(shown) <= 40 else shown[:37] + "..."
