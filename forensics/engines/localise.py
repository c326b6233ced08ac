"""Reduced frames, kept to show where in the original picture a face stands out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.types import Frame

_WIDE = 480  # longer side of a kept frame, pixels
_MOST = 64  # frames kept of a clip


class Thumbnails:
    """Keeps reduced frames by time, few enough for any length of clip."""

    def __init__(self) -> None:
        self._kept: dict[float, NDArray[np.uint8]] = {}
        self._every, self._seen = 1, 0

    def keep(self, frame: Frame) -> None:
        """Take one frame; of long scans every second, fourth, ... one stays."""
        self._seen += 1
        if (self._seen - 1) % self._every:
            return
        height, width = frame.image.shape[:2]
        factor = min(1.0, _WIDE / max(height, width))
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
        self._kept[frame.pts] = np.asarray(small, np.uint8)
        if len(self._kept) > _MOST:
            self._kept = dict(list(self._kept.items())[::2])
            self._every *= 2

    def at(self, pts: float) -> NDArray[np.uint8] | None:
        """Return the frame of this time if it was kept."""
        return self._kept.get(pts)
