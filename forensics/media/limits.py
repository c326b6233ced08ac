"""Caps on what one input may cost. Every cap has a flag on the command line."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on one input file; exceeding one is a record, never a crash.

    Attributes:
        max_bytes: Largest file, bytes.
        max_pixels: Largest picture, width times height.
        max_duration: Longest video, seconds.
        timeout: Longest time that decoding one file may keep us waiting in total, seconds. The
            time that the caller spends between frames does not count.
        stall: Longest silence of the decoder, seconds. It reports progress about once a second,
            so a longer silence means that a codec hangs.

    Raises:
        ValueError: A cap is not a positive finite number; the message names it.
    """

    max_bytes: int = 8 * GIB
    max_pixels: int = 64_000_000
    max_duration: float = 6 * 3600.0
    timeout: float = 600.0
    stall: float = 30.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value <= 0:
                raise ValueError(f"{item.name} must be a number above 0, got {value!r}")
