"""What the evaluator asks of a scorer. A scorer sees pixels or a file, never a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScoredInput:
    """What a scorer says about one input.

    Attributes:
        score: Higher means more likely manipulated; given even when a gate would abstain, None
            only when nothing could be scored.
        probability: Probability of manipulation at the scorer's own prior, 0..1.
        llr: Natural-log likelihood ratio, fake over not fake.
        abstained: Whether a scan would decline to judge this input.
        reasons: Machine-readable codes.
    """

    score: float | None
    probability: float | None = field(kw_only=True, default=None)
    llr: float | None = field(kw_only=True, default=None)
    abstained: bool = field(kw_only=True, default=False)
    reasons: tuple[str, ...] = field(kw_only=True, default=())


class Scorer(Protocol):
    """Scores one input at a time, from its pixels alone."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-ready facts that fix the scores: detectors, versions, weights sha256, options.

        An interrupted run goes on only with a scorer of the same identity.
        """
        ...

    def score_crop(self, image: NDArray[np.uint8]) -> ScoredInput:
        """Score an (h, w, 3) RGB picture that is one face already cut out; nothing is detected."""
        ...

    def score_clip(self, path: Path) -> ScoredInput:
        """Score a video or still picture as a scan would.

        Raises:
            UnreadableInputError: The file cannot be examined.
        """
        ...
