"""Lamps of several colours: a face that is lit otherwise than what is around it.

A swapped face often keeps the light of its source (Johnson and Farid 2005 read forgeries from it),
and so does an honest one under a warm lamp before a cool wall. What tells them apart is how the
light changes from place to place: lamps do it smoothly, a pasted face at its border.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.training.blend import Image

_BLUR_CHROMA = 0.4  # share of the pictures whose colour is much coarser than their lightness


def draw_lamps(
    mesh: NDArray[np.floating], rng: np.random.Generator
) -> Callable[[Image], Image]:
    """Draw lights and a camera's colours for a pair.

    Args:
        mesh: (468, 2+) points of the face in pixels.
        rng: Source of chance.

    Returns:
        What turns (n, n, 3) RGB pictures of that face into ones under those lamps.
    """
    coarse = rng.normal(0, 0.08, (3, 3, 3)) + rng.normal(0, 0.12, (3, 3, 1))
    centre = mesh[:, :2].mean(0) + rng.normal(0, 0.25, 2) * np.ptp(mesh[:, :2], axis=0)
    reach = float(np.ptp(mesh[:, 1]) * rng.uniform(0.5, 1.1))
    key = rng.normal(0, 0.15, 3) * (rng.random() < 0.6)
    colour = 0.0 if rng.random() < 0.12 else float(np.exp(rng.normal(0, 0.3)))
    chroma = float(rng.uniform(1.0, 6.0)) if rng.random() < _BLUR_CHROMA else 0.0

    def apply(image: Image) -> Image:
        n = image.shape[0]
        gain = cv2.resize(coarse.astype(np.float32), (n, n), interpolation=cv2.INTER_CUBIC)
        y, x = np.mgrid[:n, :n].astype(np.float32)
        near = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * reach**2))
        lit = image.astype(np.float32) * np.exp(gain + near[..., None] * key.astype(np.float32))
        ycc = cv2.cvtColor(np.clip(lit, 0, 255).astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb)
        pair = ycc[..., 1:]
        if chroma:
            pair = cv2.GaussianBlur(pair, (0, 0), chroma)
        ycc[..., 1:] = 0.5 + (pair - 0.5) * colour
        rgb = cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB)
        return np.asarray(np.clip(rgb * 255, 0, 255), np.uint8)

    return apply
