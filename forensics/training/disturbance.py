"""What poor channels do to pictures: other contrast and colours, lost blocks, sensor noise.

Each is drawn once and befalls the real picture and its fake alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.training.blend import Image, Mask
from forensics.training.degrade import Chain
from forensics.training.hard import Mesh, Treatment


def draw_tone(rng: np.random.Generator) -> Callable[[Image], Image]:
    """Contrast and colour as a filter, haze or a bad screen gives them."""
    contrast, colour = float(np.exp(rng.normal(-0.2, 0.4))), float(rng.uniform(0.0, 1.6))
    shift = float(rng.normal(0, 12))

    def apply(image: Image) -> Image:
        x = image.astype(np.float32)
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
        toned = (gray + (x - gray) * colour - 128) * contrast + 128 + shift
        return np.asarray(np.clip(toned, 0, 255), np.uint8)

    return apply


@dataclass(frozen=True, slots=True)
class Blocks:
    """Squares that are lost.

    Attributes:
        corners: (k, 2) x and y of the upper left corner, pixels.
        side: Pixels.
        colours: (k, 3) RGB that stands there instead.
    """

    corners: NDArray[np.int64]
    side: int
    colours: NDArray[np.uint8]

    def cover(self, image: Image) -> Image:
        """Return the picture with the blocks over it."""
        return self._filled(image, self.colours)

    def cut(self, mask: Mask) -> Mask:
        """Return the mask without what lies under a block."""
        return self._filled(mask, np.zeros(len(self.corners), mask.dtype))

    def _filled(self, array: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        out = array.copy()
        for (x, y), value in zip(self.corners, values, strict=True):
            out[y : y + self.side, x : x + self.side] = value
        return out


def draw_blocks(mesh: Mesh, rng: np.random.Generator) -> Blocks:
    """Blocks about the face, as in random erasing (Zhong et al., AAAI 2020), but many and small.

    Args:
        mesh: (468, 2+) points of the face, pixels.
        rng: Source of chance.
    """
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    reach = high - low
    side = max(2, int(rng.uniform(0.04, 0.11) * reach.max()))
    count = int(rng.integers(4, 49))
    corners = rng.uniform(low - 0.3 * reach, high + 0.3 * reach, (count, 2))
    colours = rng.integers(0, 256, (count, 3)).astype(np.uint8)
    return Blocks(np.maximum(corners, 0).astype(np.int64), side, colours)


def add_noise(chain: Chain, rng: np.random.Generator) -> Chain:
    """Return the chain with a noisy sensor, 2 to 22 grey levels."""
    return replace(chain, noise=float(rng.uniform(2, 22)))


def defocus(chain: Chain, rng: np.random.Generator) -> Chain:
    """Return the chain with a lens out of focus: a blur of .3 to 1.3 % of the side of the crop."""
    return replace(chain, blur=float(rng.uniform(0.003, 0.013)) * chain.width)


Disturbed = tuple[Chain, Treatment]


def _tone(chain: Chain, mesh: Mesh, rng: np.random.Generator) -> Disturbed:
    tone = draw_tone(rng)
    return chain, lambda image, mesh: tone(image)


def _lose_blocks(chain: Chain, mesh: Mesh, rng: np.random.Generator) -> Disturbed:
    lost = draw_blocks(mesh, rng)
    return chain, lambda image, mesh: lost.cover(image)


def _add_noise(chain: Chain, mesh: Mesh, rng: np.random.Generator) -> Disturbed:
    return add_noise(chain, rng), lambda image, mesh: image


DISTURBANCES: dict[str, Callable[[Chain, Mesh, np.random.Generator], Disturbed]] = {
    "tone": _tone,
    "blocks": _lose_blocks,
    "noise": _add_noise,
}
"""By name: draws what befalls a whole clip, as its chain and what is done to each picture first."""
