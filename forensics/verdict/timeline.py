"""When is a face suspicious? Scores per second, and the stretch in which they stand out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LEAST = 3  # pictures that a stretch, and what is left outside of it, must hold
_CLEAR = 5.0  # standard errors by which a stretch must stand out
HINT = 3.0
"""Standard errors from which it is worth looking closer; chance alone often makes so many."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a track whose scores stand out.

    Attributes:
        start: Seconds.
        end: Seconds.
        inside: Median logit within.
        outside: Median logit of the rest.
    """

    start: float
    end: float
    inside: float
    outside: float


def find_stretch(pts: Floats, logits: Floats, *, clear: float = _CLEAR) -> Stretch | None:
    """Find the one stretch of a track whose logits stand out most from the rest.

    The two change points that part the logits best (least squares, as in binary segmentation);
    it counts when the difference is at least ``clear`` standard errors and one logit.

    Args:
        pts: (n,) ascending seconds.
        logits: (n,).
        clear: Standard errors by which it must stand out.

    Returns:
        The stretch, its ends half-way to the neighbouring pictures, or None when the scores are
        alike throughout.
    """
    n = len(logits)
    if n < 2 * _LEAST:
        return None
    middle = float(np.median(logits))
    reach = 4.0 * max(1.4826 * float(np.median(np.abs(logits - middle))), 1.0)
    values = np.clip(logits, middle - reach, middle + reach)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    best, found = 0.0, None
    for i in range(n - _LEAST + 1):
        for j in range(i + _LEAST, n + 1):
            size = j - i
            if n - size < _LEAST:
                continue
            inside = (sums[j] - sums[i]) / size
            outside = (sums[n] - sums[j] + sums[i]) / (n - size)
            gain = (inside - outside) * math.sqrt(size * (n - size) / n)
            if gain > best:
                best, found = gain, (i, j, inside, outside)
    if found is None:
        return None
    i, j, inside, outside = found
    rest = np.concatenate([values[i:j] - inside, np.delete(values, np.s_[i:j]) - outside])
    spread = math.sqrt(float((rest**2).sum()) / max(n - 2, 1))
    if inside - outside < 1.0 or best < clear * max(spread, 0.25):
        return None
    start = pts[0] if i == 0 else (pts[i - 1] + pts[i]) / 2
    end = pts[-1] if j == n else (pts[j - 1] + pts[j]) / 2
    # The clipped scores find the ends; how high it stands, the scores themselves say.
    within, without = np.median(logits[i:j]), np.median(np.delete(logits, np.s_[i:j]))
    return Stretch(float(start), float(end), float(within), float(without))


def per_second(pts: Floats, scores: Floats) -> list[dict[str, float | int]]:
    """Return the mean score, the largest, and the number of pictures of every second measured."""
    rows: list[dict[str, float | int]] = []
    seconds = np.floor(pts + 1e-9).astype(int)
    for second in np.unique(seconds):
        part = scores[seconds == second]
        rows.append({
            "second": int(second),
            "mean": round(float(part.mean()), 4),
            "largest": round(float(part.max()), 4),
            "pictures": len(part),
        })
    return rows
