"""Pictures of a suspicious moment: the type `forensics.types.Illustration`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Illustration:
    """Pictures of one suspicious moment, for the HTML report.

    Attributes:
        track_id: The face shown.
        pts: Seconds.
        score: Its score, 0..1.
        crop: (h, w, 3) RGB ``uint8``.
        heat: (h, w) float 0..1 on the crop's grid, or None.
        to_frame: (2, 3) matrix from crop to frame pixels, or None.
        frame_size: Displayed (width, height) of the frame, pixels.
        frame: (h, w, 3) the whole frame, reduced, or None.
    """

    track_id: int
    pts: float = field(kw_only=True)
    score: float = field(kw_only=True)
    crop: NDArray[np.uint8] = field(kw_only=True, repr=False, compare=False)
    heat: NDArray[np.float32] | None = field(kw_only=True, default=None, repr=False, compare=False)
    to_frame: NDArray[np.float64] | None = field(
        kw_only=True, default=None, repr=False, compare=False
    )
    frame_size: tuple[int, int] | None = field(kw_only=True, default=None)
    frame: NDArray[np.uint8] | None = field(
        kw_only=True, default=None, repr=False, compare=False
    )
