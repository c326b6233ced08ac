"""Check a whole set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.errors import printable
from forensics.evaluation.lint.files import Progress, look_at_files
from forensics.evaluation.lint.findings import Finding, LintReport, merged
from forensics.evaluation.lint.labels import read_rows
from forensics.evaluation.lint.leaks import leaks_in_files, leaks_in_rows, near_duplicates
from forensics.evaluation.lint.probes import probe, verdict
from forensics.evaluation.manifest import Row


def lint_set(manifest: Path | str, *, progress: Progress | None = None) -> LintReport:
    """Check labels, files, leakage between splits, and shortcuts of a set.

    Args:
        manifest: JSON Lines; paths relative to it.
        progress: Called with rows whose file was looked at, and rows in all.

    Raises:
        ManifestError: The manifest cannot be read at all (exit code 4).
    """
    path = Path(manifest)
    read = read_rows(path)
    files = look_at_files(read.rows, read.unlabelled, path.parent, progress)
    labelled = read.labelled
    probes: dict[str, Any] = {}
    told: list[Finding] = []
    for name, features in (("codec", files.codec), ("size", files.size)):
        probes[name] = probe(name, labelled, features)
        found = verdict(probes[name])
        told += [] if found is None else [found]
    findings = (
        *read.findings,
        *files.findings,
        *_classes(labelled),
        *leaks_in_rows(read.rows),
        *leaks_in_files(read.rows, files.digests),
        *near_duplicates(read.rows, files.hashes),
        *told,
    )
    return LintReport(
        path,
        sha256=read.sha256,
        paths={row.line: row.path for row in read.rows},
        findings=findings,
        probes=probes,
    )


def _classes(rows: Sequence[Row]) -> list[Finding]:
    """Return the splits that hold one class only: no figure can be had from them."""
    found = []
    for split in sorted({row.split for row in rows if row.split is not None}):
        members = [row for row in rows if row.split == split]
        labels = Counter(row.label for row in members)
        if len(labels) == 1:
            message = f"split {printable(split)!r} holds {next(iter(labels))} rows only"
            lines = merged(row.line for row in members)
            found.append(
                Finding("one_class", severity="warning", message=message, lines=lines)
            )
    return found
