"""A scorer whose scores outlive a run: an interrupted measurement goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._journal import Journal
from forensics.evaluation.scorer import ScoredInput, Scorer


class KeptScorer:
    """Looks up what a scorer said of the same pixels or the same file before.

    Args:
        scorer: Says it the first time.
        folder: Where a file for each scorer is kept, by its identity.
    """

    def __init__(self, scorer: Scorer, folder: Path) -> None:
        self._scorer = scorer
        self._journal = Journal(folder, dict(scorer.identity))
        self._said = {key: _scored(row) for key, row in self._journal.rows}

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return self._scorer.identity

    def score_crop(self, image: NDArray[np.uint8]) -> ScoredInput:
        """Score one face crop."""
        pixels = np.ascontiguousarray(image)
        key = hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()
        return self._said.get(key) or self._keep(key, self._scorer.score_crop(image))

    def score_clip(self, path: Path) -> ScoredInput:
        """Score one file."""
        key = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._said.get(key) or self._keep(key, self._scorer.score_clip(path))

    def _keep(self, key: str, scored: ScoredInput) -> ScoredInput:
        self._said[key] = scored
        self._journal.add([key, asdict(scored)])
        return scored


def _scored(row: dict[str, Any]) -> ScoredInput:
    return ScoredInput(**{**row, "reasons": tuple(row["reasons"])})
