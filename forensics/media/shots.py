"""Shot cuts from small luma thumbnails, without colour conversion of whole pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

THUMB = (36, 64)
_BINS = 32
_SUB = 2
_BOTH_MEAN = 0.07
_BOTH_HIST = 0.15
_ALONE_HIST = 0.50
_ALONE_MEAN = 0.11
_FAR_HIST = 0.40
_BOTH_RISE = 3.0
_ALONE_RISE = 4.0


def luma_thumb(luma: NDArray[np.generic], *, depth: int = 8) -> NDArray[np.float32]:
    """Reduce a luma plane to a thumbnail by strided sampling and 2 x 2 averaging.

    Args:
        luma: (h, w) luma of any integer type.
        depth: Bits per sample.

    Returns:
        (36, 64) float32 in 0..1; smaller pictures are sampled with repetition.
    """
    rows = (np.arange(THUMB[0] * _SUB) * luma.shape[0]) // (THUMB[0] * _SUB)
    columns = (np.arange(THUMB[1] * _SUB) * luma.shape[1]) // (THUMB[1] * _SUB)
    # Whole rows first: one copy of a few rows is much faster than scattered reads.
    picked = luma[rows].take(columns, axis=1).astype(np.float32)
    four = picked[::2, ::2] + picked[1::2, ::2] + picked[::2, 1::2] + picked[1::2, 1::2]
    return np.asarray(four / np.float32(4 * ((1 << depth) - 1)), dtype=np.float32)


def _histogram(thumb: NDArray[np.float32]) -> NDArray[np.float64]:
    bins = np.minimum((thumb * _BINS).astype(np.intp), _BINS - 1)
    counts = np.bincount(bins.ravel(), minlength=_BINS)
    smooth = np.convolve(counts, (0.25, 0.5, 0.25), mode="same")
    return np.asarray(smooth / max(1.0, float(smooth.sum())), dtype=np.float64)


class ShotCounter:
    """Number the shots of a sequence of thumbnails given in display order.

    Two neighbouring pictures lie in different shots when both their mean difference and their
    histogram distance are large, or either is very large, and it stands out from the recent ones
    (so that fast motion is not a cut). Across a gap in time only the
    histogram counts, as motion between the two pictures says nothing. Limits: dissolves and cuts
    between two views of equal tone are missed, a full-frame flash counts as a cut, and across
    gaps a return to the same view keeps its number while a slow change of light may start a new
    one. A wrong cut costs a split face track, never a wrong score.
    """

    def __init__(self) -> None:
        self._thumb: NDArray[np.float32] | None = None
        self._hist: NDArray[np.float64] | None = None
        self._usual = (0.0, 0.0)
        self.shot = 0

    def update(self, thumb: NDArray[np.float32], *, adjacent: bool = True) -> int:
        """Take the next thumbnail and return its shot number.

        Args:
            thumb: (36, 64) float32 in 0..1, from `luma_thumb`.
            adjacent: Whether it follows the previous one within a fraction of a second.
        """
        hist = _histogram(thumb)
        if self._thumb is not None and self._hist is not None:
            mean = float(np.abs(thumb - self._thumb).mean())
            distance = float(np.abs(hist - self._hist).sum()) / 2
            if self._is_cut(mean, distance, adjacent):
                self.shot += 1
                self._usual = (0.0, 0.0)
            elif adjacent:
                old_mean, old_distance = self._usual
                self._usual = (0.8 * old_mean + 0.2 * mean, 0.8 * old_distance + 0.2 * distance)
        self._thumb, self._hist = thumb, hist
        return self.shot

    def _is_cut(self, mean: float, distance: float, adjacent: bool) -> bool:
        if not adjacent:
            return distance > _FAR_HIST
        usual_mean, usual_distance = self._usual
        both = mean > max(_BOTH_MEAN, _BOTH_RISE * usual_mean) and distance > _BOTH_HIST
        tones = distance > max(_ALONE_HIST, _BOTH_RISE * usual_distance)
        return both or tones or mean > max(_ALONE_MEAN, _ALONE_RISE * usual_mean)
