"""The uncertainty of a counted share."""

from __future__ import annotations

import math

_Z = 1.96  # two-sided 95 %


def wilson(hits: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927).

    Args:
        hits: How many of ``n``; not whole when each of ``n`` blocks holds a share of its own.
        n: Independent samples; none give the whole range.

    Returns:
        Low and high, within 0..1.
    """
    if n == 0:
        return (0.0, 1.0)
    p = hits / n
    scale = 1 + _Z * _Z / n
    centre = (p + _Z * _Z / (2 * n)) / scale
    half = _Z * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n)) / scale
    return (max(0.0, centre - half), min(1.0, centre + half))
