"""Draw training pairs: one real face and one fake of it, treated alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.training.blend import Image, Mask
from forensics.training.capture import film
from forensics.training.degrade import draw_chain
from forensics.training.fakes import MAKERS, SHARES, Material
from forensics.training.mingle import mingle
from forensics.training.portraits import SIDE, Portrait
from forensics.training.setting import Setting
from forensics.training.warp import displacement, move_pixels, turn_head


@dataclass(frozen=True, slots=True)
class Pair:
    """One real face, its fake, and where the fake differs.

    Attributes:
        real: (size, size, 3) RGB ``uint8``.
        fake: The same picture with a manipulated face, coded the same way.
        mask: (size, size) share of the fake that was pasted, 0..1.
        family: Name of the maker.
    """

    real: Image
    fake: Image
    mask: Mask
    family: str


def widen(
    portrait: Portrait, rng: np.random.Generator, turned: float = 0.75
) -> tuple[Image, NDArray[np.float32]]:
    """Turn the head and move the face a little: portraits are all frontal and calm.

    Args:
        portrait: The face.
        rng: Source of chance.
        turned: Share of the faces that are turned and moved, 0..1.
    """
    image, mesh = np.asarray(portrait.image), portrait.mesh
    if rng.random() < 1 - turned:
        return image, mesh
    target = turn_head(mesh, rng.normal(0, 14.0), rng.normal(0, 7.0))
    scale = np.ptp(mesh[:, 1])
    # Smooth changes of expression: open mouth, raised brows, wider face.
    mouth = np.exp(-(((mesh[:, :2] - mesh[17, :2]) / (0.22 * scale)) ** 2).sum(1))
    target[:, 1] += mouth * rng.normal(0.0, 0.05) * scale
    brow = np.exp(-(((mesh[:, :2] - mesh[9, :2]) / (0.35 * scale)) ** 2).sum(1))
    target[:, 1] += brow * rng.normal(0.0, 0.02) * scale
    field = displacement(target[:, :2], target[:, :2] - mesh[:, :2], SIDE)
    return move_pixels(image, field), target


class PairSource:
    """Draw pairs as a pure function of a seed.

    Args:
        portraits: Faces to use.
        material: Donors and face coder.
        size: Side of the pictures in pixels.
        shares: How often each family is drawn; defaults to `SHARES`.
        mild: Share of the pairs that are only lightly degraded, 0..1.
        margin: Range of crop margins.
        setting: What else befalls a pair; nothing by default.
        filmed: Share of the pairs whose picture is made to look like coded footage before
            anything is done to the face, 0..1.
        turned: Share of the faces whose head is turned and expression moved, 0..1.
        mingled: Share of the faces that get part of another's shape and colours, 0..1.
    """

    def __init__(
        self,
        portraits: Sequence[Portrait],
        material: Material,
        *,
        size: int,
        shares: Mapping[str, float] | None = None,
        mild: float = 0.0,
        margin: tuple[float, float] = (-0.16, 0.26),
        setting: Setting | None = None,
        filmed: float = 0.0,
        turned: float = 0.75,
        mingled: float = 0.0,
    ) -> None:
        self._portraits = portraits
        self._material = material
        self._size = size
        chosen = dict(SHARES if shares is None else shares)
        self._families = list(chosen)
        total = sum(chosen.values())
        self._odds = [value / total for value in chosen.values()]
        self._mild = mild
        self._margin = margin
        self._setting = setting
        self._filmed = filmed
        self._turned = turned
        self._mingled = mingled

    def draw(self, seed: tuple[int, int]) -> Pair:
        """Return the pair of this seed."""
        rng = np.random.default_rng(seed)
        portrait = self._portraits[int(rng.integers(len(self._portraits)))]
        if self._mingled and rng.random() < self._mingled:
            other = self._portraits[int(rng.integers(len(self._portraits)))]
            portrait = mingle(portrait, other, rng)
        image, mesh = widen(portrait, rng, self._turned)
        if self._filmed and rng.random() < self._filmed:
            image = film(image, rng)
        family = self._families[int(rng.choice(len(self._families), p=self._odds))]
        fake, mask = MAKERS[family](image, mesh, self._material, rng)
        # No draw for 0 and 1: the held-out pairs of earlier measurements stay the same pairs.
        mild = rng.random() < self._mild if 0 < self._mild < 1 else bool(self._mild)
        chain = draw_chain(mesh, rng, size=self._size, mild=mild, margin=self._margin)
        if self._setting is not None:
            image, fake, mask = self._setting.dress(image, fake, mask, mesh, rng)
            chain = self._setting.disturb(chain, rng)
        return Pair(chain.apply(image), chain.apply(fake), chain.place(mask), family)
