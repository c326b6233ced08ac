"""Whole clips: the verdict of every one, and how often an honest clip is called suspect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.engines.options import ScanOptions
from forensics.engines.scoring import ScanScorer
from forensics.engines.single import scanner_for
from forensics.evaluation.manifest import Manifest
from forensics.evaluation.scorer import ScoredInput

# What a verdict may say of a clip without being wrong; doubt is never wrong, only unhelpful.
WRONG = {"real": "suspect", "fake": "no_evidence"}


class ClipScorer:
    """Scores clips once for several sets, and keeps the verdict that a user would read."""

    def __init__(self) -> None:
        self._scorer = ScanScorer()
        self._scanner = scanner_for(ScanOptions())
        self._scores: dict[Path, ScoredInput] = {}
        self.verdicts: dict[Path, Mapping[str, Any]] = {}

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return self._scorer.identity

    @property
    def still_threshold(self) -> float:
        """Log ratio from which a scan calls a still suspect."""
        return self._scorer.still_threshold

    def score_crop(self, image: NDArray[np.uint8]) -> ScoredInput:
        """Score one face crop."""
        return self._scorer.score_crop(image)

    def score_clip(self, path: Path) -> ScoredInput:
        """Score a clip for ranking, and scan it for its verdict."""
        if path not in self._scores:
            verdict = self._scanner.scan(path).verdict
            self.verdicts[path] = {
                "verdict": verdict.label,
                "probability": verdict.probability,
                "llr": verdict.llr,
                "reasons": list(verdict.reasons),
            }
            self._scores[path] = self._scorer.score_clip(path)
        return self._scores[path]

    def called(self, manifest: Manifest) -> set[str]:
        """Return the paths of a set whose scan ended in ``suspect``."""
        return {
            row.path
            for row in manifest.rows
            if self.verdicts.get(row.resolved, {}).get("verdict") == "suspect"
        }


def verdict_rows(manifest: Manifest, scorer: ClipScorer) -> list[dict[str, Any]]:
    """Return what was said of each clip, ``wrong`` where it contradicts the label."""
    rows = []
    for row in manifest.rows:
        said = scorer.verdicts.get(row.resolved, {"verdict": "inconclusive"})
        rows.append(
            {
                "path": row.path,
                "label": row.label,
                "source": row.source,
                "method": row.method,
                "group": row.group,
                **said,
                "wrong": said["verdict"] == WRONG[row.label],
            }
        )
    return rows


def false_alarms(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count real clips called suspect, with the upper bound of their rate.

    Clips of one group show the same person or scene, so the bound is over groups: a group
    counts as an alarm when any of its clips is one.
    """
    real = [row for row in rows if row["label"] == "real"]
    alarms = [row for row in real if row["verdict"] == "suspect"]
    groups, hit = {row["group"] for row in real}, {row["group"] for row in alarms}
    judged = sum(row["verdict"] != "inconclusive" for row in real)
    return {
        "real_clips": len(real),
        "suspect": len(alarms),
        "judged": judged,
        "groups": len(groups),
        "groups_suspect": len(hit),
        "rate": len(hit) / len(groups) if groups else None,
        "upper_95": upper_bound(len(hit), len(groups)) if groups else None,
    }


def upper_bound(hits: int, n: int, confidence: float = 0.95) -> float:
    """Return the one-sided Clopper-Pearson upper limit of a rate seen ``hits`` times in ``n``."""
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"expected 0 <= hits <= n, n >= 1, got {hits} of {n}")
    if hits == n:
        return 1.0
    low, high = hits / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        tail = sum(math.comb(n, k) * middle**k * (1 - middle) ** (n - k) for k in range(hits + 1))
        low, high = (middle, high) if tail > 1 - confidence else (low, middle)
    return high
