"""Seven kinds of distortion at five levels, after DeeperForensics-1.0 (Jiang et al., CVPR 2020).

The kinds are theirs. Theirs act on whole frames; these act on aligned face crops of 256 px, so
the levels are chosen for faces of that size. All are pure functions of picture, level and seed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.training.codec import h264_round_trip

Crops = NDArray[np.uint8]
Distortion = Callable[[Crops, int], Crops]

LEVELS = 5

_SATURATION = (0.7, 0.5, 0.35, 0.2, 0.0)
_CONTRAST = (0.85, 0.725, 0.6, 0.475, 0.35)
_BLOCKS = (8, 16, 24, 32, 48)
_NOISE = (3.0, 6.0, 10.0, 15.0, 22.0)
_BLUR = (0.6, 1.0, 1.5, 2.2, 3.0)
_JPEG = (80, 60, 45, 30, 20)
_CRF = (23, 28, 32, 36, 40)
_BLOCK = 16


def _saturation(crops: Crops, amount: float, seed: int) -> Crops:
    """Move colours towards their luma."""
    x = crops.astype(np.float32)
    gray = x @ np.array([0.299, 0.587, 0.114], np.float32)
    return _clipped(gray[..., None] + (x - gray[..., None]) * amount)


def _contrast(crops: Crops, amount: float, seed: int) -> Crops:
    """Move pixels towards middle grey."""
    return _clipped(127.5 + (crops.astype(np.float32) - 127.5) * amount)


def _blocks(crops: Crops, count: float, seed: int) -> Crops:
    """Cover places of the picture with single-coloured blocks, the same in the whole clip."""
    rng = np.random.default_rng(seed)
    out = crops.copy()
    side = crops.shape[1] - _BLOCK
    for x, y in rng.integers(0, side, (int(count), 2)):
        out[:, y : y + _BLOCK, x : x + _BLOCK] = rng.integers(0, 256, 3)
    return out


def _noise(crops: Crops, deviation: float, seed: int) -> Crops:
    """Add white Gaussian noise, grey levels."""
    rng = np.random.default_rng(seed)
    return _clipped(crops + rng.normal(0, deviation, crops.shape).astype(np.float32))


def _blur(crops: Crops, sigma: float, seed: int) -> Crops:
    """Blur with a Gaussian, pixels."""
    return np.stack([cv2.GaussianBlur(crop, (0, 0), sigma) for crop in crops]).astype(np.uint8)


def _jpeg(crops: Crops, quality: float, seed: int) -> Crops:
    """Store as JPEG and read back."""
    out = []
    for crop in crops:
        flags = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
        _, data = cv2.imencode(".jpg", np.ascontiguousarray(crop[..., ::-1]), flags)
        out.append(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
    return np.stack(out)


def _video(crops: Crops, crf: float, seed: int) -> Crops:
    """Encode the crops of a clip as H.264, in order."""
    return np.stack(h264_round_trip(list(crops), crf=int(crf)))


def _clipped(x: NDArray[np.float32]) -> Crops:
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)


_KINDS: dict[str, tuple[Callable[[Crops, float, int], Crops], tuple[float, ...]]] = {
    "colour saturation": (_saturation, _SATURATION),
    "colour contrast": (_contrast, _CONTRAST),
    "blocks": (_blocks, _BLOCKS),
    "Gaussian noise": (_noise, _NOISE),
    "Gaussian blur": (_blur, _BLUR),
    "JPEG": (_jpeg, _JPEG),
    "H.264": (_video, _CRF),
}


def cells() -> dict[tuple[str, int], tuple[float, Distortion]]:
    """Return every kind and level (1 to 5): its parameter, and the distortion itself."""
    found: dict[tuple[str, int], tuple[float, Distortion]] = {}
    for kind, (apply, amounts) in _KINDS.items():
        for level, amount in enumerate(amounts, 1):
            found[kind, level] = (amount, partial(_with, apply, amount))
    return found


def _with(apply: Callable[[Crops, float, int], Crops], amount: float, crops: Crops, seed: int
          ) -> Crops:
    return apply(crops, amount, seed)
