"""Cover faces in training, so that a network with a mask branch learns what is not face.

The drawn shapes, patches of any form anywhere, and sheets that hide whatever lies below a line, as
a mask or a scarf does; photographed templates too, where there are some. Most are dressed in random
cloth: what is learnt has to be the face, not a list of things.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from generator._occluder_shapes import SHAPES
from generator.methods import AlignedFace
from generator.occlude import Occluder, OccluderCompositor, draw_occluder
from generator.random_cloth import random_cloth

COVERED_SHARE = 2 / 3
"""How many of the faces get something put over them."""
_VARIANTS = 32  # drawings of each shape
_PHOTOGRAPHED = 1 / 3
_TEMPLATE_SIDE = 256  # pixels
_SKIN = 0.2  # so often the cloth has about the face's own colour, as a hand before it has

Opacity = NDArray[np.float32]
_EYES = ((33, 133), (362, 263))  # mesh vertices at the corners of each eye


def cover_face(
    face: AlignedFace, rng: np.random.Generator, templates: Sequence[Occluder] = ()
) -> tuple[NDArray[np.uint8], Opacity]:
    """Put a drawn thing over a face, or nothing.

    Args:
        face: An aligned face.
        rng: Chooses the thing, its drawing and its place.
        templates: Photographed things (see `small_templates`); a third of all covers.

    Returns:
        (256, 256, 3) RGB ``uint8`` and the (256, 256) opacity of what was put there, 0..1.
    """
    if rng.random() >= COVERED_SHARE:
        return face.crop, np.zeros(face.crop.shape[:2], np.float32)
    if templates and rng.random() < _PHOTOGRAPHED:
        return _put_on(templates[int(rng.integers(len(templates)))], face, rng, dressed=0.3)
    return _KINDS[int(rng.integers(len(_KINDS)))](face, rng)


def small_templates(occluders: Sequence[Occluder]) -> list[Occluder]:
    """Return the front views at no more pixels than a face crop needs."""
    return [_shrunk(o, min(1.0, _TEMPLATE_SIDE / max(o.rgba.shape[:2]))) for o in occluders]


@cache
def _drawn(name: str, seed: int) -> Occluder:
    # The crop's eyes are nearer together than the drawing's: half its pixels are enough.
    return _shrunk(draw_occluder(name, seed=seed), 0.5)


def _shrunk(made: Occluder, scale: float) -> Occluder:
    small = cv2.resize(made.rgba, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Occluder(made.name, np.asarray(small, np.float32), made.points * scale, made.spots)


def _shape(face: AlignedFace, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Opacity]:
    """Put one of the drawn shapes about where it belongs."""
    name = sorted(SHAPES)[int(rng.integers(len(SHAPES)))]
    return _put_on(_drawn(name, int(rng.integers(_VARIANTS))), face, rng, dressed=0.5)


def _put_on(
    occluder: Occluder, face: AlignedFace, rng: np.random.Generator, *, dressed: float
) -> tuple[NDArray[np.uint8], Opacity]:
    """Put something about where it belongs; with a probability of ``dressed`` in other cloth."""
    # Turned, scaled and shaken by up to an eighth of the face: no place of it is always free.
    angle, scale = rng.normal(0, 0.2), rng.uniform(0.85, 1.2)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = face.mesh[:, :2].mean(axis=0)
    moved = (face.mesh[:, :2] - middle) @ turn.T + middle + rng.uniform(-18.0, 18.0, 2)
    covered, opacity = OccluderCompositor(occluder).apply(face.crop, moved)
    if rng.random() < dressed:
        return _dressed(face, opacity, rng), opacity
    return covered, opacity


def _patch(face: AlignedFace, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Opacity]:
    """Lay a piece of any form over some part of the face."""
    side = len(face.crop)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 9))
    reach = rng.uniform(0.08, 0.4) * side * rng.uniform(0.6, 1.3, (9, 1))
    middle = face.mesh[int(rng.integers(len(face.mesh))), :2]
    corners = middle + reach * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    opacity = _filled(corners, side, rng)
    return _dressed(face, opacity, rng), opacity


def _sheet(face: AlignedFace, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Opacity]:
    """Hide what lies below a bent line through the face; now and then beside or above it."""
    eyes = np.stack([face.mesh[list(pair), :2].mean(axis=0) for pair in _EYES])
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    # In units of the eyes' distance, x to the right and y down.
    x = np.linspace(-1, 1, 9) * rng.uniform(0.7, 1.4)
    top = rng.uniform(0.1, 1.0) + rng.uniform(-0.15, 0.5) * x**2
    taper = rng.uniform(0.4, 1.2)
    bottom = np.linspace(1, -1, 9)
    edge = np.stack([x, top], axis=1)
    ends = rng.uniform(1.3, 2.4) - 0.5 * bottom**2
    hem = np.stack([bottom * x[-1] * taper, ends], axis=1)
    outline = np.concatenate([edge, hem]) + rng.normal(0, 0.04, (18, 2))
    upright = rng.random() < 0.75
    angle = rng.normal(0, 0.15) if upright else rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([0.0, 0.6])  # about the tip of the nose
    outline = (outline - centre) @ turn.T + centre
    corners = eyes.mean(axis=0) + outline[:, :1] * across + outline[:, 1:] * down
    opacity = _filled(corners, len(face.crop), rng)
    return _dressed(face, opacity, rng), opacity


_KINDS: tuple[
    Callable[[AlignedFace, np.random.Generator], tuple[NDArray[np.uint8], Opacity]], ...
] = (_shape, _patch, _sheet)


def _filled(corners: NDArray[np.float64], side: int, rng: np.random.Generator) -> Opacity:
    """Fill an outline, with an edge between sharp and blurred."""
    cover = np.zeros((side, side), np.uint8)
    cv2.fillPoly(cover, [np.round(corners).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 3.0)))
    return np.asarray(soft.astype(np.float32) / np.float32(255), np.float32)


def _dressed(face: AlignedFace, opacity: Opacity, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay random cloth over a face, darker towards its outline, as a rounded thing is."""
    side = len(opacity)
    skin = None
    if rng.random() < _SKIN:
        skin = np.median(face.crop[side // 3 : -side // 3, side // 3 : -side // 3], axis=(0, 1))
    cloth = cv2.resize(random_cloth(rng, side // 2, skin), (side, side))
    depth = cv2.distanceTransform((opacity > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    dark = rng.uniform(0, 0.4) * np.maximum(1 - depth / rng.uniform(5, 40), 0)
    mixed = face.crop + (cloth * (1 - dark)[..., None] - face.crop) * opacity[..., None]
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)
