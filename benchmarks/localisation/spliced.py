"""Clips made for the questions who and when: a swap beside another person, a swap for a while."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.media import SamplingPlan, open_clip, stream_frames, write_video

_HEIGHT = 480
_SHARE = (0.3, 0.6)
_EDGE = 0.15
_CRF = 23
Image = NDArray[np.uint8]


def beside(left: Path, right: Path, out: Path) -> int:
    """Put two clips side by side, both brought to one height and coded once more alike.

    Returns:
        The column at which the right one begins.
    """
    one, two = ([_resized(image) for image in _frames(path)] for path in (left, right))
    pairs = zip(one, two, strict=False)
    write_video(out, (np.concatenate(pair, axis=1) for pair in pairs), fps=_rate(left), crf=_CRF)
    return int(one[0].shape[1])


def spliced(real: Path, fake: Path, out: Path, seed: int) -> tuple[float, float]:
    """Show a swap for a part of its clip, the original before and after, coded once more alike.

    Args:
        real: The original, picture by picture the same moments as the fake.
        fake: Swapped throughout.
        out: File to write.
        seed: Of the part: 30 to 60 % of the time, not within 15 % of its ends.

    Returns:
        Begin and end of the swapped part in seconds.
    """
    originals, swapped = _frames(real), _frames(fake)
    n, fps = min(len(originals), len(swapped)), _rate(fake)
    rng = np.random.default_rng(seed)
    size = round(n * rng.uniform(*_SHARE))
    begin = int(rng.integers(round(n * _EDGE), n - round(n * _EDGE) - size + 1))
    end = begin + size
    write_video(out, (swapped[i] if begin <= i < end else originals[i] for i in range(n)),
                fps=fps, crf=_CRF)  # fmt: skip
    return begin / fps, end / fps


def _frames(path: Path) -> list[Image]:
    with stream_frames(open_clip(path), SamplingPlan(all=True)) as frames:
        return [np.asarray(frame.image) for frame in frames]


def _rate(path: Path) -> float:
    return float(open_clip(path).fps or 25.0)


def _resized(image: Image) -> Image:
    width = 2 * round(image.shape[1] * _HEIGHT / image.shape[0] / 2)
    how = cv2.INTER_AREA if image.shape[0] > _HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, _HEIGHT), interpolation=how), np.uint8)
