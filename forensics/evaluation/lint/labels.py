"""Read a manifest row by row, keeping what is wrong with labels instead of stopping at it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import printable
from forensics.evaluation.lint.findings import Finding, merged
from forensics.evaluation.manifest import (
    DEFAULT_LIMITS,
    LABELS,
    ManifestError,
    ManifestLimits,
    Row,
    lines_of,
    parse_row,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a manifest.

    Attributes:
        rows: In the file's order. The label of a row in ``unlabelled`` says nothing.
        unlabelled: Lines whose label is missing or unknown.
        findings: What is wrong with labels.
        sha256: Of the whole manifest.
    """

    rows: tuple[Row, ...] = field(repr=False)
    unlabelled: frozenset[int] = field(kw_only=True)
    findings: tuple[Finding, ...] = field(kw_only=True)
    sha256: str = field(kw_only=True)

    @property
    def labelled(self) -> list[Row]:
        """The rows whose label is known."""
        return [row for row in self.rows if row.line not in self.unlabelled]


def read_rows(path: Path, *, limits: ManifestLimits = DEFAULT_LIMITS) -> Rows:
    """Read every row of a manifest.

    Raises:
        ManifestError: The file cannot be read, is over a cap, has no rows, or has a line that is
            no row, whatever its label.
    """
    digest = hashlib.sha256()
    rows: list[Row] = []
    bad: dict[int, Finding] = {}
    for number, line in lines_of(path, digest, limits):
        wrong = _wrong_label(number, line)
        if wrong is not None:
            bad[number] = wrong
            line = json.dumps(json.loads(line) | {"label": "real"}).encode()
        rows.append(parse_row(path, number, line))
        if len(rows) > limits.rows:
            raise ManifestError(path, f"more than {limits.rows} rows", line=number)
    if not rows:
        raise ManifestError(path, "the manifest has no rows")
    good = [row for row in rows if row.line not in bad]
    findings = [*bad.values(), *_contradictions(good), *_methods(good)]
    return Rows(
        tuple(rows),
        unlabelled=frozenset(bad),
        findings=tuple(findings),
        sha256=digest.hexdigest(),
    )


def _wrong_label(number: int, line: bytes) -> Finding | None:
    try:
        data = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None  # the reader says what is wrong
    if not isinstance(data, Mapping) or data.get("label") in LABELS:
        return None
    label = data.get("label")
    missing = label is None or label == ""
    shown = printable(repr(label))[:40]
    return Finding(
        "label_missing" if missing else "label_wrong",
        severity="refused",
        message="no label" if missing else f"label {shown} is neither 'real' nor 'fake'",
        lines=(number,),
    )


def _contradictions(rows: Sequence[Row]) -> list[Finding]:
    places: dict[tuple[str, tuple[float, ...]], list[Row]] = {}
    for row in rows:
        places.setdefault((row.path, row.pts), []).append(row)
    found = []
    for same in places.values():
        if len(same) == 1:
            continue
        lines = merged(row.line for row in same)
        name = printable(same[0].path)
        if len({row.label for row in same}) > 1:
            message = f"{name} is labelled real and fake"
            found.append(
                Finding("label_conflict", severity="refused", message=message, lines=lines)
            )
        else:
            message = f"{name} is listed {len(same)} times"
            found.append(
                Finding("row_repeated", severity="warning", message=message, lines=lines)
            )
    return found


def _methods(rows: Sequence[Row]) -> list[Finding]:
    return [
        Finding(
            "label_wrong",
            severity="refused",
            message=f"labelled real, but made by the method {printable(row.method)}",
            lines=(row.line,),
        )
        for row in rows
        if row.label == "real" and row.method is not None
    ]
