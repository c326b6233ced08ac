"""Score every row of a manifest and measure the scores."""

from __future__ import annotations

import contextlib
import math
import os
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

import forensics
from forensics.errors import OutputError, UnreadableInputError, UsageError, printable
from forensics.evaluation.bootstrap import LEVEL, REPLICATES
from forensics.evaluation.images import read_crop
from forensics.evaluation.manifest import Manifest, Row, read_manifest
from forensics.evaluation.scorer import ScoredInput, Scorer
from forensics.evaluation.scores_file import Record, ScoresFile
from forensics.evaluation.summary import (
    coverage_block,
    group_samples,
    is_accepted,
    row_samples,
    summarise,
    worst_case_auc,
)

SCHEMA_VERSION = "1.0"
InputKind = Literal["clips", "crops"]
Progress = Callable[[int, int], None]

# Reads one file and has it scored. Only a path and pixels pass here: no label can reach a scorer.
READERS: dict[str, Callable[[Scorer, Path], ScoredInput]] = {
    "clips": lambda scorer, path: scorer.score_clip(path),
    "crops": lambda scorer, path: scorer.score_crop(read_crop(path)),
}


def evaluate(
    manifest: Manifest | Path | str,
    scorer: Scorer,
    *,
    input: InputKind = "clips",
    scores_out: Path | str | None = None,
    progress: Progress | None = None,
    seed: int = 0,
    n_boot: int = REPLICATES,
) -> dict[str, Any]:
    """Score every row, in order, and return the figures.

    The figures of ``frame`` and ``group`` are over every row with a score, also the declined ones,
    so that declining cannot improve them; those over the accepted rows alone are in ``accepted``.

    Args:
        manifest: A manifest that was read, or its path.
        scorer: See `Scorer`.
        input: ``crops``: each file is one face already cut out. ``clips``: whole files.
        scores_out: Where to write a JSON line for every row. An interrupted run leaves
            ``NAME.partial`` there, from which the same call goes on.
        progress: Called with rows done and rows in all, first with those taken over.
        seed: Seed of the bootstrap.
        n_boot: Bootstrap replicates; 0 gives no intervals.

    Returns:
        JSON-ready result; two runs on one machine give equal results.

    Raises:
        ManifestError: The manifest cannot be used.
        UsageError: Not a kind of input, or ``scores_out`` is the manifest or one of its files.
        OutputError: The scores cannot be written.
    """
    if input not in READERS:
        raise UsageError(f"input must be one of {', '.join(READERS)}, got {input!r}")
    if not isinstance(manifest, Manifest):
        manifest = read_manifest(manifest)
    out = None if scores_out is None else Path(scores_out)
    if out is not None:
        refuse_overwrite(manifest, out)
    records = _score_all(manifest, scorer, input, out, progress)
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "evaluation",
        "manifest": {
            "path": str(manifest.path),
            "sha256": manifest.sha256,
            "split": manifest.split,
            "rows": manifest.total_rows,
            "groups_in_other_splits": manifest.shared_groups,
        },
        "input": input,
        **_counts(records),
        **coverage_block(records, n_boot=n_boot, seed=seed),
        **_figures(records, n_boot=n_boot, seed=seed),
        "accepted": _accepted(records, n_boot=n_boot, seed=seed),
        "bootstrap": {"unit": "group", "replicates": n_boot, "level": LEVEL, "kind": "percentile"},
        "seeds": {"bootstrap": seed},
        "environment": {
            "versions": {
                "deepfake-forensics": forensics.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            "scorer": dict(scorer.identity),
        },
    }


def refuse_overwrite(manifest: Manifest, out: Path) -> None:
    """Refuse an output that would replace the manifest or a file that it lists.

    Raises:
        UsageError: It would.
    """
    target = out.absolute()
    if target == manifest.path.absolute() or any(
        target == row.resolved.absolute() for row in manifest.rows
    ):
        raise UsageError(f"{printable(out)}: this is an input; choose another output file")


def check_writable(out: Path) -> None:
    """Refuse an output that cannot be made, before any work is done.

    Raises:
        OutputError: The folder is missing or not writable, or ``out`` is itself a folder.
    """
    cause = (
        "is a folder"
        if out.is_dir()
        else "its folder does not exist"
        if not out.parent.is_dir()
        else None
        if os.access(out.parent, os.W_OK)
        else "its folder is not writable"
    )
    if cause:
        raise OutputError(f"{printable(out)}: {cause}")


def _score_all(
    manifest: Manifest,
    scorer: Scorer,
    input: InputKind,
    out: Path | None,
    progress: Progress | None,
) -> list[Record]:
    header = {
        "manifest_sha256": manifest.sha256,
        "split": manifest.split,
        "input": input,
        "version": forensics.__version__,
        "scorer": dict(scorer.identity),
    }
    tell = progress or (lambda done, total: None)
    with contextlib.ExitStack() as stack:
        file = None
        if out is not None:
            file = stack.enter_context(ScoresFile(out, header, manifest.rows))
        records = list(file.resumed) if file else []
        tell(len(records), len(manifest))
        for row in manifest.rows[len(records) :]:
            record = score_row(row, scorer, input)
            if file:
                file.append(record)
            records.append(record)
            tell(len(records), len(manifest))
        if file:
            file.finish()
    return records


def score_row(row: Row, scorer: Scorer, input: InputKind) -> Record:
    """Score one row; a file that cannot be examined becomes a record with reason ``unreadable``."""
    cause = None
    try:
        scored = READERS[input](scorer, row.resolved)
    except UnreadableInputError as error:
        reasons = tuple(dict.fromkeys(("unreadable", error.reason)))
        scored = ScoredInput(None, abstained=True, reasons=reasons)
        cause = error.cause
    score = _number(scored.score)
    reasons = scored.reasons
    if score is None and scored.score is not None:
        reasons = (*reasons, "score_not_finite")
    record: Record = {
        "path": row.path,
        "score": score,
        "probability": _number(scored.probability),
        "llr": _number(scored.llr),
        "abstained": bool(scored.abstained or score is None),
        "reasons": list(reasons),
        "label": row.label,
        "group": row.group,
    }
    optional = {"split": row.split, "source": row.source, "method": row.method, "cause": cause}
    return record | {key: value for key, value in optional.items() if value is not None}


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _counts(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reasons = Counter(reason for record in records for reason in record["reasons"])
    unscored = [record for record in records if record["score"] is None]
    return {
        "n": len(records),
        "n_real": sum(record["label"] == "real" for record in records),
        "n_fake": sum(record["label"] == "fake" for record in records),
        "groups": len({record["group"] for record in records}),
        "n_scored": len(records) - len(unscored),
        "n_unscored": {
            label: sum(record["label"] == label for record in unscored)
            for label in ("real", "fake")
        },
        "n_abstained": {
            label: sum(record["abstained"] and record["label"] == label for record in records)
            for label in ("real", "fake")
        },
        "reasons": dict(sorted(reasons.items())),
        "auc_if_unscored_were_wrong": worst_case_auc(records),
    }


def _figures(
    records: Sequence[Mapping[str, Any]], *, n_boot: int, seed: int
) -> dict[str, dict[str, Any]]:
    return {
        "frame": summarise(row_samples(records), n_boot=n_boot, seed=seed),
        "group": summarise(group_samples(records), n_boot=n_boot, seed=seed),
    }


def _accepted(
    records: Sequence[Mapping[str, Any]], *, n_boot: int, seed: int
) -> dict[str, dict[str, Any]] | None:
    """Return the figures over accepted rows, or None when nothing with a score was declined."""
    kept = [record for record in records if is_accepted(record)]
    scored = sum(record["score"] is not None for record in records)
    return None if len(kept) == scored else _figures(kept, n_boot=n_boot, seed=seed)
