"""Shot cuts from small luma thumbnails, without colour conversion of whole pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

THUMB = (36, 64)
_BINS = 32
_SUB = 2
_HARD_MEAN = 0.10
_HARD_HIST = 0.30
_ALONE_HIST = 0.55
_ALONE_MEAN = 0.22
_FAR_HIST = 0.40
_RISE = 4.0


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
    picked = luma[rows[:, None], columns[None, :]].astype(np.float32)
    blocks = picked.reshape(THUMB[0], _SUB, THUMB[1], _SUB).mean(axis=(1, 3))
    return blocks / np.float32((1 << depth) - 1)


def _histogram(thumb: NDArray[np.float32]) -> NDArray[np.float64]:
    counts, _ = np.histogram(thumb, bins=_BINS, range=(0.0, 1.0))
    smooth = np.convolve(counts, (0.25, 0.5, 0.25), mode="same")
    return np.asarray(smooth / max(1.0, float(smooth.sum())), dtype=np.float64)


class ShotCounter:
    """Number the shots of a sequence of thumbnails given in display order.

    Two neighbouring pictures lie in different shots when both their mean difference and their
    histogram distance are large, or either is very large, and the mean difference stands out
    from the recent ones (so that fast motion is not a cut). Across a gap in time only the
    histogram counts, as motion between the two pictures says nothing. Limits: dissolves and cuts
    between two views of equal tone are missed, a full-frame flash counts as a cut, and across
    gaps a return to the same view keeps its number while a slow change of light may start a new
    one. A wrong cut costs a split face track, never a wrong score.
    """

    def __init__(self) -> None:
        self._thumb: NDArray[np.float32] | None = None
        self._hist: NDArray[np.float64] | None = None
        self._usual = 0.0
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
                self._usual = 0.0
            elif adjacent:
                self._usual = 0.8 * self._usual + 0.2 * mean
        self._thumb, self._hist = thumb, hist
        return self.shot

    def _is_cut(self, mean: float, distance: float, adjacent: bool) -> bool:
        if not adjacent:
            return distance > _FAR_HIST
        if mean < _RISE * self._usual:
            return False
        both = mean > _HARD_MEAN and distance > _HARD_HIST
        return both or distance > _ALONE_HIST or mean > _ALONE_MEAN
