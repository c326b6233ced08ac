"""The codec ladder: four codecs, five rates each, on the crops of a clip.

The crops lie further apart in time than the pictures of a video, so a codec can predict less of
them: rates are comparable within a codec, not with published ones.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.distortions import Distortion
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.media.encode import VideoEncoder

Crops = NDArray[np.uint8]

_RATES = {
    "h264": (23, 28, 33, 38, 43),
    "h265": (26, 31, 36, 41, 46),
    "vp9": (31, 37, 43, 49, 55),
    "av1": (35, 41, 47, 53, 59),
}
_FPS = 25


def rungs() -> dict[tuple[str, int], tuple[float, Distortion]]:
    """Return every codec and level (1 to 5): its rate factor, and the round trip itself."""
    return {
        (codec, level): (float(crf), partial(_coded, codec, crf))
        for codec, rates in _RATES.items()
        for level, crf in enumerate(rates, 1)
    }


def _coded(codec: str, crf: int, crops: Crops, seed: int) -> Crops:
    """Encode crops of even size as a clip, and decode it."""
    height, width = crops.shape[1:3]
    with tempfile.TemporaryDirectory(prefix="forensics-ladder-") as folder:
        path = Path(folder) / "crops.mp4"
        encoder = VideoEncoder(
            path, size=(width, height), rate=Fraction(_FPS), codec=codec, crf=crf,
            preset="veryfast", metadata={}, aspect=Fraction(1), audio_from=None, audio_offset=None,
        )  # fmt: skip
        try:
            for number, crop in enumerate(crops):
                encoder.write(np.ascontiguousarray(crop), number / _FPS)
        except BaseException:
            encoder.abort()
            raise
        encoder.close()
        with stream_frames(open_clip(path), SamplingPlan(all=True)) as frames:
            out = [np.asarray(frame.image, np.uint8).copy() for frame in frames]
    if len(out) != len(crops):
        raise ValueError(f"{codec}: {len(out)} of {len(crops)} pictures came back")
    return np.stack(out)
