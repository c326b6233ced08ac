"""A log of every opening of a test split, so that nobody has to be believed about it.

Each opening appends a line to ``benchmarks/results/openings.jsonl``, before the first row is
scored. A split can be opened again, for a new version of the weights, but never unseen: the log
holds the count, and every result carries it.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from benchmarks._results import RESULTS, commit
from forensics.errors import UsageError
from forensics.evaluation import read_manifest
from forensics.evaluation.manifest import Manifest

LOG = RESULTS / "openings.jsonl"


def read_openings(log: Path = LOG) -> list[dict[str, Any]]:
    """Return every opening, oldest first.

    Raises:
        UsageError: The log is damaged; it is never silently begun anew.
    """
    if not log.exists():
        return []
    try:
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise UsageError(f"{log.name}: the log of openings cannot be read ({error})") from error


def open_counted(
    path: Path, *, split: str, why: str, weights_sha256: str, log: Path = LOG, again: bool = False
) -> tuple[Manifest, int]:
    """Open a test split and log it.

    Args:
        path: Manifest.
        split: The split.
        why: What the figure is for; goes into the log.
        weights_sha256: Of the detector that will be measured.
        log: The log.
        again: Whether to open a split that was opened before.

    Returns:
        The rows, and how often this split has been opened, this time included.

    Raises:
        UsageError: No reason is given, or the split was opened before and ``again`` is not set.
        ManifestError: The manifest cannot be used; nothing is logged then.
    """
    if not why.strip():
        raise UsageError(f"{path.name}: say why split {split!r} is opened (--why)")
    manifest = read_manifest(path, split=split)
    before = [
        entry
        for entry in read_openings(log)
        if (entry["manifest_sha256"], entry["split"]) == (manifest.sha256, split)
    ]
    if before and not again:
        raise UsageError(
            f"{path.name}: split {split!r} was opened {len(before)} times, last on "
            f"{before[-1]['date']} ({before[-1]['why']}); --again opens it once more"
        )
    entry = {
        "date": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "manifest": path.name,
        "manifest_sha256": manifest.sha256,
        "split": split,
        "rows": len(manifest),
        "why": why.strip(),
        "weights_sha256": weights_sha256,
        "commit": commit(),
        "count": len(before) + 1,
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return manifest, len(before) + 1
