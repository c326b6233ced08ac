"""Faces of nobody: one portrait with the face's shape and the soft colours of another.

Portraits are few, and a long training learns them by heart: it tells their fakes apart far better
than those of people it never saw. A shape and shades half-way to another person make one portrait
into many, and its fine detail stays as it was filmed.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity
from forensics.faces.mesh import five_points
from forensics.training.blend import Image
from forensics.training.portraits import SIDE, Portrait
from forensics.training.warp import displacement, move_pixels

_SHAPE = (0.2, 0.8)  # how far the shape goes to the other's; beyond, brows and jaws fold
_SHADE = (0.0, 0.6)  # and how far the soft colours go
_SOFT = (0.05, 0.14)  # what counts as soft: blurred by this share of the face's height
_SMALL = 96  # side in pixels on which soft colours are worked out


def mingle(portrait: Portrait, other: Portrait, rng: np.random.Generator) -> Portrait:
    """Return the portrait with a shape and soft colours between its own and another's.

    Args:
        portrait: Whose fine detail, name and licence stay.
        other: Whose shape and colours are taken in part.
        rng: Source of chance.

    Returns:
        A portrait of the same size, with its mesh moved along.
    """
    image, mesh = np.asarray(portrait.image), portrait.mesh
    forward = similarity(five_points(other.mesh), five_points(mesh))
    placed = _carry(other.mesh, forward)
    target = np.asarray(mesh + rng.uniform(*_SHAPE) * (placed - mesh), np.float32)
    moved = _reshape(image, mesh, target)
    laid = cv2.warpAffine(
        np.asarray(other.image), forward, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101
    )
    sigma = rng.uniform(*_SOFT) * float(np.ptp(target[:, 1]))
    shift = _soft(_reshape(np.asarray(laid, np.uint8), placed, target), sigma) - _soft(moved, sigma)
    shaded = moved + rng.uniform(*_SHADE) * shift
    return replace(portrait, image=np.clip(shaded, 0, 255).astype(np.uint8), mesh=target)


def _carry(mesh: NDArray[np.float32], forward: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move a mesh by a similarity of the picture's plane; depth is scaled alike."""
    scale = float(np.hypot(*forward[:, 0]))
    flat = mesh[:, :2] @ forward[:, :2].T + forward[:, 2]
    return np.column_stack([flat, mesh[:, 2] * scale]).astype(np.float32)


def _reshape(image: Image, mesh: NDArray[np.float32], target: NDArray[np.float32]) -> Image:
    return move_pixels(image, displacement(target[:, :2], target[:, :2] - mesh[:, :2], SIDE))


def _soft(image: Image, sigma: float) -> NDArray[np.float32]:
    """Blur by ``sigma`` pixels, on a small copy."""
    small = cv2.resize(image, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).astype(np.float32)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma * _SMALL / SIDE)
    return np.asarray(cv2.resize(blurred, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)
