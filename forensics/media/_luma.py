"""Thumbnails of decoded pictures in whatever pixel format they have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.media.shots import THUMB, luma_thumb

# Formats whose first plane is luma: bits per sample by name.
_PLANAR = {
    **dict.fromkeys(
        (
            "yuv420p",
            "yuvj420p",
            "yuv422p",
            "yuvj422p",
            "yuv444p",
            "yuvj444p",
            "yuv411p",
            "yuv410p",
            "nv12",
            "nv21",
            "gray",
            "yuva420p",
        ),
        8,
    ),
    **dict.fromkeys(("yuv420p10le", "yuv422p10le", "yuv444p10le", "gray10le"), 10),
    **dict.fromkeys(("yuv420p12le", "yuv422p12le", "yuv444p12le", "gray12le"), 12),
}


def thumb_of(frame: Any) -> NDArray[np.float32]:
    """Return the (36, 64) luma thumbnail of a decoded PyAV frame, values 0..1."""
    depth = _PLANAR.get(frame.format.name)
    if depth is None:
        small = frame.reformat(width=THUMB[1] * 4, height=THUMB[0] * 4, format="gray")
        return luma_thumb(_plane(small, np.dtype(np.uint8)))
    return luma_thumb(_plane(frame, np.dtype(np.uint8 if depth == 8 else "<u2")), depth=depth)


def _plane(frame: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    plane = frame.planes[0]
    flat: NDArray[Any] = np.frombuffer(plane, dtype=dtype)
    stride = plane.line_size // dtype.itemsize
    return flat[: stride * frame.height].reshape(frame.height, stride)[:, : frame.width]
