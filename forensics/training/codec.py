"""One H.264 round trip in memory, as an upload would do to a picture."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray


def h264_round_trip(
    frames: list[NDArray[np.uint8]], *, crf: int, preset: str = "veryfast"
) -> list[NDArray[np.uint8]]:
    """Encode and decode pictures with x264.

    Args:
        frames: (h, w, 3) RGB ``uint8`` pictures of one even size.
        crf: Constant rate factor, 0..51.
        preset: x264 preset.

    Returns:
        The decoded pictures, as many as went in.

    Raises:
        ValueError: The size is odd.
    """
    h, w = frames[0].shape[:2]
    if h % 2 or w % 2:
        raise ValueError(f"size must be even, got {w}x{h}")
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = w, h, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": preset, "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    out: list[NDArray[np.uint8]] = []
    packets = []
    for index, image in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    for packet in [*packets, None]:
        out += [np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in decoder.decode(packet)]
    return out
