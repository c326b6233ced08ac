"""Cover faces in training, so that a network with a mask branch learns what is not face."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from generator._occluder_shapes import SHAPES
from generator.methods import AlignedFace
from generator.occlude import Occluder, OccluderCompositor, draw_occluder

COVERED_SHARE = 0.5
"""How many of the faces get something put over them."""
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
    name = sorted(SHAPES)[int(rng.integers(len(SHAPES)))]
    occluder = _drawn(name, int(rng.integers(_VARIANTS)))
    # Shaken by up to an eighth of the face, so that no place of the face is always free.
    moved = face.mesh[:, :2] + rng.uniform(-18.0, 18.0, 2)
    return OccluderCompositor(occluder).apply(face.crop, moved)
