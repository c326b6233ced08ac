"""Round trips through video codecs in memory, as an upload would do to a picture."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
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
    options = {"crf": str(crf), "preset": preset, "tune": "zerolatency"}
    return _round_trip(
        frames, av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r"), options
    )


def mpeg4_round_trip(frames: list[NDArray[np.uint8]], *, scale: int) -> list[NDArray[np.uint8]]:
    """Encode and decode pictures with MPEG-4 part 2: 8 x 8 blocks, no deblocking.

    Args:
        frames: (h, w, 3) RGB ``uint8`` pictures of one even size.
        scale: Quantiser, 2 (fine) to 31.

    Returns:
        The decoded pictures, as many as went in.

    Raises:
        ValueError: The size is odd.
    """
    options = {"qmin": str(scale), "qmax": str(scale), "bf": "0"}
    return _round_trip(
        frames, av.CodecContext.create("mpeg4", "w"), av.CodecContext.create("mpeg4", "r"), options
    )


def _round_trip(
    frames: list[NDArray[np.uint8]], encoder: VideoCodecContext, decoder: VideoCodecContext,
    options: dict[str, str],
) -> list[NDArray[np.uint8]]:
    h, w = frames[0].shape[:2]
    if h % 2 or w % 2:
        raise ValueError(f"size must be even, got {w}x{h}")
    encoder.width, encoder.height, encoder.pix_fmt = w, h, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = options
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
