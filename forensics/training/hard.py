"""What people and apps do to honest pictures: treatments that must not count as manipulation.

Each is drawn once for a clip and applied to its real and its fake version alike, so that nothing
about it tells the label.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Mesh = NDArray[np.float32]
Treatment = Callable[[Image, Mesh], Image]

_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_LIDS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 190, 56, 28, 27, 29, 30, 247),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 414, 286, 258, 257, 259, 260, 467),
)


def _sharpened(rng: np.random.Generator) -> Treatment:
    amount, reach = rng.uniform(0.8, 2.0), rng.uniform(0.8, 1.8)

    def apply(image: Image, mesh: Mesh) -> Image:
        soft = cv2.GaussianBlur(image, (0, 0), reach)
        return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)

    return apply


def _beautified(rng: np.random.Generator) -> Treatment:
    """Skin smoothing as camera apps do it: edges stay, pores go."""
    colour, keep = rng.uniform(18, 45), rng.uniform(0.1, 0.5)
    lift = rng.uniform(0, 12)

    def apply(image: Image, mesh: Mesh) -> Image:
        smooth = cv2.bilateralFilter(image, 9, colour, 5)
        return np.asarray(cv2.addWeighted(smooth, 1 - keep, image, keep, lift), np.uint8)

    return apply


def _rescaled(rng: np.random.Generator) -> Treatment:
    factor = rng.uniform(0.3, 0.7)
    how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[int(rng.integers(3))]

    def apply(image: Image, mesh: Mesh) -> Image:
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=how), np.uint8)

    return apply


def _recoded(rng: np.random.Generator) -> Treatment:
    quality = int(rng.integers(25, 75))

    def apply(image: Image, mesh: Mesh) -> Image:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    return apply


def _dark(rng: np.random.Generator) -> Treatment:
    gain, gamma = rng.uniform(0.3, 0.55), rng.uniform(1.0, 1.4)
    table = np.clip(255 * (np.arange(256) / 255 * gain) ** gamma * 1.1, 0, 255).astype(np.uint8)
    return lambda image, mesh: np.asarray(cv2.LUT(image, table), np.uint8)


def _noisy(rng: np.random.Generator) -> Treatment:
    level, seed = rng.uniform(5, 14), int(rng.integers(2**31))
    grain_rng = np.random.default_rng(seed)

    def apply(image: Image, mesh: Mesh) -> Image:
        grain = grain_rng.standard_normal(image.shape).astype(np.float32) * np.float32(level)
        return np.clip(image + grain, 0, 255).astype(np.uint8)

    return apply


def _made_up(rng: np.random.Generator) -> Treatment:
    """Lipstick and eye shadow, fastened to the mesh."""
    lip = np.array([rng.uniform(120, 200), rng.uniform(10, 60), rng.uniform(30, 90)])
    lid = rng.uniform(20, 140, 3)
    strength = rng.uniform(0.25, 0.6)

    def apply(image: Image, mesh: Mesh) -> Image:
        out = image.astype(np.float32)
        span = float(np.ptp(mesh[:, 1]))
        for outlines, colour in (((_LIPS,), lip), (_LIDS, lid)):
            mask = np.zeros(image.shape[:2], np.uint8)
            for outline in outlines:
                cv2.fillPoly(mask, [mesh[list(outline), :2].round().astype(np.int32)], 255)
            soft = cv2.GaussianBlur(mask, (0, 0), max(0.01 * span, 0.6)).astype(np.float32) / 255
            weight = soft[..., None] * np.float32(strength)
            out = np.asarray(out * (1 - weight) + weight * (0.5 * out + 0.5 * colour), np.float32)
        return np.clip(out, 0, 255).astype(np.uint8)

    return apply


TREATMENTS: dict[str, Callable[[np.random.Generator], Treatment]] = {
    "sharpened": _sharpened,
    "beautified": _beautified,
    "rescaled": _rescaled,
    "recoded": _recoded,
    "dark": _dark,
    "noisy": _noisy,
    "made_up": _made_up,
}
"""Every treatment by name: draw one, then apply it to each frame of a clip."""
