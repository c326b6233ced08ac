"""What the peers have in common: they score one face crop; on a clip, the mean over its crops."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.scorer import ScoredInput
from forensics.faces import FaceFinder, FaceMesh
from forensics.training.looks import look

Crop = NDArray[np.uint8]
_PICTURES = 8  # of each clip


class CropScorer(Protocol):
    """Scores one crop, higher for more likely manipulated."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-ready facts that fix the scores."""
        ...

    def logit(self, crop: Crop) -> float:
        """Score one (h, w, 3) RGB face crop."""
        ...


class Peer:
    """Makes a scorer for `forensics.evaluation` out of whatever scores one crop.

    Faces are found, followed and cut out by this project for every peer alike, so that only the
    detectors differ. The face with most usable crops decides, with the mean of its scores.

    Args:
        scorer: Scores crops.
    """

    def __init__(self, scorer: CropScorer) -> None:
        self._scorer = scorer

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return {"peer": dict(self._scorer.identity)}

    def score_crop(self, image: Crop) -> ScoredInput:
        """Score one crop."""
        return _scored(self._scorer.logit(image))

    def score_clip(self, path: Path) -> ScoredInput:
        """Score a clip by the crops of its most visible face."""
        crops = crops_of(path)
        if crops is None:
            return ScoredInput(None, abstained=True, reasons=("no_face",))
        return _scored(float(np.mean([self._scorer.logit(crop) for crop in crops])))


def _scored(logit: float) -> ScoredInput:
    return ScoredInput(logit, probability=float(np.exp(-np.logaddexp(0.0, -logit))))


@lru_cache(maxsize=256)
def crops_of(path: Path) -> Crop | None:
    """Return the (n, 256, 256, 3) usable crops of a clip's most visible face, or None."""
    found = look(path, _models(), frames=_PICTURES, bursts=0)
    return None if found is None else np.asarray(found.crops.data)


@lru_cache(maxsize=1)
def _models() -> tuple[FaceFinder, FaceMesh]:
    return FaceFinder(), FaceMesh()
