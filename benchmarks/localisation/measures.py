"""Figures of localisation as pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.metrics import average_precision

Floats = NDArray[np.float64]
Span = tuple[float, float]


def pixel_ap(region: Floats, mask: Floats) -> float | None:
    """Return the average precision of pixels; None where the mask has one class only.

    Args:
        region: (n, h, w) stated share of manipulation.
        mask: (n, h, w) true share; a pixel is positive from 0.5.
    """
    return average_precision(region.ravel(), mask.ravel() >= 0.5).value


def overlap(a: Span, b: Span) -> float:
    """Return the temporal intersection over union of two spans."""
    common = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - common
    return common / union if union > 0 else 0.0


def matched(predicted: Sequence[Span], true: Sequence[Span], at_least: float) -> int:
    """Return how many predicted spans match a true one of their own, the best first."""
    pairs = sorted(
        ((overlap(p, t), i, j) for i, p in enumerate(predicted) for j, t in enumerate(true)),
        reverse=True,
    )
    used_p: set[int] = set()
    used_t: set[int] = set()
    for value, i, j in pairs:
        if value >= at_least and i not in used_p and j not in used_t:
            used_p.add(i)
            used_t.add(j)
    return len(used_p)


def f1(counts: NDArray[np.float64]) -> Floats:
    """Return F1 of summed counts: (b, 3) of matched, predicted and true spans."""
    hits, predicted, true = counts.T
    total = predicted + true
    return np.divide(2 * hits, total, out=np.full(len(counts), np.nan), where=total > 0)
