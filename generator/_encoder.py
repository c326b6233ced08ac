"""The encoder of masks, and the names of the picture encoder that :mod:`generator.mark` feeds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from forensics.media.encode import CODECS, VideoEncoder, pixel_aspect

__all__ = ["CODECS", "MaskEncoder", "VideoEncoder", "pixel_aspect"]


class MaskEncoder:
    """Write masks without loss: FFV1 in Matroska, stream 0 the swap, stream 1 the occluder.

    Args:
        path: File to write.
        size: (width, height) of the masks, upright like the frames.
        rate: Nominal frames per second.
    """

    def __init__(self, path: Path, *, size: tuple[int, int], rate: Fraction) -> None:
        import av

        self._out: Any = av.open(str(path), "w", format="matroska")
        self._streams: list[Any] = []
        for title in ("swap", "occluder"):
            stream = cast(Any, self._out.add_stream("ffv1", rate=rate))
            stream.width, stream.height, stream.pix_fmt = *size, "gray"
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.metadata["title"] = title
            self._streams.append(stream)
        self._blank = np.zeros(size[::-1], np.uint8)
        self._last = -1

    def write(
        self,
        swap: NDArray[np.uint8] | None,
        occluder: NDArray[np.uint8] | None,
        pts: float,
    ) -> None:
        """Add one pair of (h, w) ``uint8`` masks; None is an empty mask."""
        import av

        self._last = max(self._last + 1, round(pts * 1000))
        for stream, mask in zip(self._streams, (swap, occluder), strict=True):
            plane = self._blank if mask is None else np.ascontiguousarray(mask)
            picture: Any = av.VideoFrame.from_ndarray(plane, format="gray")
            picture.pts, picture.time_base = self._last, Fraction(1, 1000)
            self._out.mux(stream.encode(picture))

    def close(self) -> None:
        """Finish the file."""
        for stream in self._streams:
            self._out.mux(stream.encode(None))
        self._out.close()

    def abort(self) -> None:
        """Close the file, finished or not."""
        self._out.close()
