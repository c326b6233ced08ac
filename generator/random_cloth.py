"""Random cloth: what training lays over faces, so that no list of colours is learnt."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Pattern = Callable[[np.random.Generator, int], Picture]

_PATTERNED = 0.6


def random_cloth(
    rng: np.random.Generator, side: int, near: NDArray[np.float64] | None = None
) -> Picture:
    """Draw a piece of cloth: colours, a pattern, folds.

    Args:
        rng: Chooses everything.
        side: Pixels.
        near: (3,) colour in 0..255 that the ground has to be close to, as a hand's is to the
            face's; any colour when None.

    Returns:
        (side, side, 3) ``float32`` in 0..255.
    """
    ground = _colour(rng) if near is None else near * rng.uniform(0.6, 1.3)
    cloth = np.broadcast_to(ground, (side, side, 3)).astype(np.float32)
    for _ in range(int(rng.integers(1, 3)) if rng.random() < _PATTERNED else 0):
        pattern = _PATTERNS[int(rng.integers(len(_PATTERNS)))](rng, side)
        weight = (pattern * rng.uniform(0.2, 1.0))[..., None].astype(np.float32)
        cloth = cloth + (_colour(rng).astype(np.float32) - cloth) * weight
    folds = 1 + rng.uniform(0.0, 0.3) * _noise(rng, side, int(rng.integers(2, 10)))
    grain = rng.uniform(0, 8) * rng.standard_normal((side, side)).astype(np.float32)
    return np.asarray(np.clip(cloth * folds[..., None] + grain[..., None], 0, 255), np.float32)


def _colour(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return any colour; half of them nearly grey, as masks and clothes are."""
    if rng.random() < 0.5:
        return np.clip(rng.uniform(10, 260) + rng.normal(0, 8, 3), 0, 255)
    return rng.uniform(5, 250, 3)


def _noise(rng: np.random.Generator, side: int, cells: int) -> Picture:
    """Smooth noise in -1..1."""
    coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def _stripes(rng: np.random.Generator, side: int) -> Picture:
    y, x = np.indices((side, side), np.float32) / side
    angle, count = rng.uniform(0, np.pi), rng.uniform(4, 40)
    wave = np.sin(2 * np.pi * count * (x * np.cos(angle) + y * np.sin(angle)))
    return np.asarray(np.clip(0.5 + 4 * (wave - rng.uniform(-0.7, 0.7)), 0, 1), np.float32)


def _checks(rng: np.random.Generator, side: int) -> Picture:
    return np.asarray((_stripes(rng, side) + _stripes(rng, side)) / 2, np.float32)


def _spots(rng: np.random.Generator, side: int) -> Picture:
    field = _noise(rng, side, int(rng.integers(4, 40)))
    return np.asarray(np.clip(0.5 + 6 * (field - rng.uniform(-0.3, 0.5)), 0, 1), np.float32)


_PATTERNS: tuple[Pattern, ...] = (_stripes, _checks, _spots, _spots)
