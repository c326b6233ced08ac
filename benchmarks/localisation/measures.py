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


def runs(times: Sequence[float], scores: Sequence[float], threshold: float) -> list[Span]:
    """Return the spans in which scores stay at or above a threshold.

    Args:
        times: (n,) seconds, ascending.
        scores: (n,) at those times; a median over three of them takes out single slips.
        threshold: Where a picture begins to count.

    Returns:
        Spans from half a step before their first picture to half a step after their last.
    """
    if not len(times):
        return []
    t, s = np.asarray(times, np.float64), np.asarray(scores, np.float64)
    if len(s) >= 3:
        padded = np.concatenate([s[:1], s, s[-1:]])
        s = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    half = float(np.median(np.diff(t))) / 2 if len(t) > 1 else 0.0
    found: list[Span] = []
    begin: float | None = None
    for time, high in zip(t, s >= threshold, strict=True):
        if high and begin is None:
            begin = time - half
        if not high and begin is not None:
            found.append((begin, time - half))
            begin = None
    if begin is not None:
        found.append((begin, float(t[-1]) + half))
    return found


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
