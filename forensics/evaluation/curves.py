"""Weighted ROC and precision-recall statistics over many weightings at once.

Scores are sorted once. Each row of a weight matrix is then one re-weighting of the same samples,
which is what a bootstrap needs, and the plain statistic is the row of ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Ranking:
    """Samples in falling order of score, ties marked.

    Args:
        scores: (n,) without NaN, higher means more likely fake.
        fake: (n,) which samples are fake.
    """

    def __init__(self, scores: Floats, fake: Bools) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ranked = scores[self.order]
        # One operating point after each run of equal scores: a tie cannot be split by a threshold.
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        self._fake = fake[self.order].astype(np.float64)

    def curve(self, weights: Floats) -> Curve:
        """Return the operating points under each of the (b, n) weightings."""
        ranked = weights[:, self.order]
        fakes = ranked * self._fake
        total = np.cumsum(ranked, axis=1)[:, self._ends]
        hits = np.cumsum(fakes, axis=1)[:, self._ends]
        start = np.zeros((len(weights), 1))
        tp = np.concatenate([start, hits], axis=1)
        fp = np.concatenate([start, total - hits], axis=1)
        return Curve(fp, tp)


@dataclass(frozen=True, slots=True)
class Curve:
    """Operating points from "call nothing fake" to "call everything fake".

    Statistics are NaN for a weighting in which one of the classes has no mass.

    Attributes:
        fp: (b, m + 1) mass of reals at or above each threshold, rising from 0.
        tp: (b, m + 1) mass of fakes at or above each threshold, rising from 0.
    """

    fp: Floats
    tp: Floats

    def auc(self) -> Floats:
        """Return (b,) areas under the ROC curve; a tie counts one half."""
        area = np.sum(np.diff(self.fp, axis=1) * (self.tp[:, 1:] + self.tp[:, :-1]), axis=1) / 2
        return _divide(area, self.fp[:, -1] * self.tp[:, -1])

    def eer(self) -> Floats:
        """Return (b,) equal error rates, linear between neighbouring operating points."""
        real, fake = self.fp[:, -1:], self.tp[:, -1:]
        fpr, miss = _divide(self.fp, real), 1.0 - _divide(self.tp, fake)
        gap = fpr - miss
        right = np.maximum(np.argmax(gap >= 0.0, axis=1), 1)
        rows = np.arange(len(gap))
        before, after = gap[rows, right - 1], gap[rows, right]
        share = _divide(-before, after - before)
        low, high = fpr[rows, right - 1], fpr[rows, right]
        return np.asarray(low + share * (high - low), dtype=np.float64)

    def tpr_at_fpr(self, limit: float) -> Floats:
        """Return (b,) best true positive rates among thresholds whose FPR is at most ``limit``."""
        allowed = self.fp <= limit * self.fp[:, -1:] + 1e-9
        last = np.sum(allowed, axis=1) - 1
        rate = _divide(self.tp[np.arange(len(last)), last], self.tp[:, -1])
        return np.where(self.fp[:, -1] > 0, rate, np.nan)

    def average_precision(self) -> Floats:
        """Return (b,) sums of precision times recall step, without interpolation."""
        tp, fp = self.tp[:, 1:], self.fp[:, 1:]
        flagged = tp + fp
        precision = np.divide(tp, flagged, out=np.zeros_like(tp), where=flagged > 0)
        area = np.sum(np.diff(self.tp, axis=1) * precision, axis=1)
        value = _divide(area, self.tp[:, -1])
        return np.where(self.fp[:, -1] > 0, value, np.nan)


def _divide(above: Floats, below: Floats) -> Floats:
    shape = np.broadcast_shapes(above.shape, below.shape)
    out: Floats = np.full(shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
