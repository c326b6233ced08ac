"""Combine the logits of one track, robustly, and count how much they are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """One track's logits in short.

    Attributes:
        mean: Robust mean of the logits.
        spread: Standard deviation of the logits that went into it.
        n: Number of crops judged.
        effective: How many independent crops they are worth, 1..n.
    """

    mean: float
    spread: float
    n: int
    effective: float


def effective_count(n: int, correlation: float) -> float:
    """Return how many independent samples ``n`` equally correlated ones are worth (Kish 1965)."""
    return n / (1.0 + (n - 1) * correlation) if n else 0.0


def summarise(logits: NDArray[np.float64], correlation: float) -> TrackSummary:
    """Summarise a track.

    Single crops spoilt by a blink, blur or a wrong alignment are drawn in to three robust
    standard deviations of the median before the mean is taken.

    Args:
        logits: (n,) of one detector, n >= 1.
        correlation: Correlation between crops of one track, 0..1, from the calibration.

    Raises:
        ValueError: No logits, or some are not finite.
    """
    if not len(logits) or not np.isfinite(logits).all():
        raise ValueError(f"needs finite logits, got {logits!r}")
    middle = float(np.median(logits))
    deviation = 1.4826 * float(np.median(np.abs(logits - middle)))
    # Of very few crops the deviation says nothing; then the plain mean is taken.
    if len(logits) >= 5:
        reach = 3.0 * max(deviation, 0.05)
        logits = np.clip(logits, middle - reach, middle + reach)
    return TrackSummary(
        mean=float(logits.mean()),
        spread=float(logits.std(ddof=1)) if len(logits) > 1 else 0.0,
        n=len(logits),
        effective=effective_count(len(logits), correlation),
    )
