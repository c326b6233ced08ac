"""Cover faces in training, so that a network with a mask branch learns what is not face."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from generator._occluder_shapes import SHAPES
from generator.methods import AlignedFace
from generator.occlude import Occluder, OccluderCompositor, draw_occluder

COVERED_SHARE = 0.5
"""How many of the faces get something put over them."""
_PATCHES = 0.5  # of those: a patch of any form and colour, so that no list of things is learnt
_VARIANTS = 8  # drawings of each shape


@cache
def _drawn(name: str, seed: int) -> Occluder:
    return draw_occluder(name, seed=seed)


def cover_face(
    face: AlignedFace, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Put a drawn thing over a face, or nothing.

    Args:
        face: An aligned face.
        rng: Chooses the thing, its drawing and its place.

    Returns:
        (256, 256, 3) RGB ``uint8`` and the (256, 256) opacity of what was put there, 0..1.
    """
    if rng.random() >= COVERED_SHARE:
        return face.crop, np.zeros(face.crop.shape[:2], np.float32)
    if rng.random() < _PATCHES:
        return _patched(face, rng)
    name = sorted(SHAPES)[int(rng.integers(len(SHAPES)))]
    occluder = _drawn(name, int(rng.integers(_VARIANTS)))
    # Shaken by up to an eighth of the face, so that no place of the face is always free.
    moved = face.mesh[:, :2] + rng.uniform(-18.0, 18.0, 2)
    return OccluderCompositor(occluder).apply(face.crop, moved)


def _patched(
    face: AlignedFace, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Lay a random smooth patch of cloth-like texture over some part of the face."""
    side = len(face.crop)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 9))
    reach = rng.uniform(0.08, 0.4) * side * rng.uniform(0.6, 1.3, (9, 1))
    middle = face.mesh[int(rng.integers(len(face.mesh))), :2]
    corners = middle + reach * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    cover = np.zeros((side, side), np.uint8)
    cv2.fillPoly(cover, [np.round(corners).astype(np.int32)], 255)
    alpha = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 3.0))).astype(np.float32) / 255
    cells = int(rng.integers(1, 24))
    threads = rng.uniform(-1, 1, (cells, cells, 3)) * rng.uniform(0, 60)
    cloth = cv2.resize(threads, (side, side), interpolation=cv2.INTER_CUBIC).reshape(side, side, 3)
    slope = np.linspace(-1, 1, side)[:, None, None] * rng.uniform(-30, 30)
    colour = np.clip(rng.uniform(10, 245, 3) + cloth + slope, 0, 255)
    mixed = face.crop + (colour - face.crop) * alpha[..., None]
    return np.asarray(mixed + 0.5, np.uint8), np.asarray(alpha, np.float32)
