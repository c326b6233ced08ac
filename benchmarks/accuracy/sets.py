"""The labelled sets, and the lock on the one that is opened once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forensics.errors import UsageError
from forensics.evaluation import read_manifest
from forensics.evaluation.manifest import Manifest

SEALED = "once"
"""Split that only the final figure may open; studying it here would spend it."""


def open_set(path: Path, *, split: str | None = None) -> Manifest:
    """Read a manifest, and refuse to hand out any row of the sealed split.

    Raises:
        UsageError: The sealed split is asked for, or rows of it are among those chosen.
        ManifestError: The manifest cannot be used.
    """
    refusal = f"{path.name}: split {SEALED!r} is sealed and is never opened by this benchmark"
    if split is not None and split.strip().lower() == SEALED:
        raise UsageError(refusal)
    manifest = read_manifest(path, split=split)
    if any((row.split or "").strip().lower() == SEALED for row in manifest.rows):
        raise UsageError(f"{refusal}; choose another split")
    return manifest


def part_of(manifest: Manifest, source: str) -> Manifest:
    """Keep the rows whose source has this name.

    Raises:
        UsageError: There is none.
    """
    rows = tuple(row for row in manifest.rows if row.source == source)
    if not rows:
        raise UsageError(f"{manifest.path.name}: no row has source {source!r}")
    return replace(manifest, rows=rows)


def thinned(manifest: Manifest, limit: int | None) -> Manifest:
    """Keep about so many rows, evenly spread within each label; all when None."""
    if limit is None or len(manifest) <= limit:
        return manifest
    step = -(-len(manifest) // limit)
    kept = {
        row.line
        for label in ("real", "fake")
        for row in [row for row in manifest.rows if row.label == label][::step]
    }
    return replace(manifest, rows=tuple(row for row in manifest.rows if row.line in kept))
