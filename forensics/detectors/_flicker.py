"""Temporal features of bursts: flicker, landmark jitter, and drift of the face over a track."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity
from forensics.faces.mesh import OVAL, five_points

Floats = NDArray[np.float64]

# Distances that a person's expression hardly changes: eye corners, temples, cheekbones, nose root.
_STABLE = ((33, 263), (133, 362), (127, 356), (234, 454), (168, 2), (10, 168))


def _masks(mesh: NDArray[np.floating], size: int) -> list[NDArray[np.bool_]]:
    """Inner face, the band along its contour, and what surrounds it."""
    outline = mesh[list(OVAL), :2].astype(np.float32)
    centre = outline.mean(0)
    filled = []
    for scale in (0.78, 1.12, 1.6):
        area = np.zeros((size, size), np.uint8)
        points = np.clip(centre + (outline - centre) * scale, -4 * size, 4 * size)
        cv2.fillPoly(area, [points.round().astype(np.int32)], 1)
        filled.append(area.astype(bool))
    return [filled[0], filled[1] & ~filled[0], filled[2] & ~filled[1]]


def burst_features(
    crops: NDArray[np.uint8], meshes: NDArray[np.floating]
) -> tuple[Floats, Floats] | None:
    """Measure three directly following pictures of one face, seen through one window.

    Args:
        crops: (3, n, n, 3) RGB ``uint8``.
        meshes: (3, 468, 3) points in crop pixels.

    Returns:
        (k,) features, and (d,) numbers that stay alike over a track of one untouched face; None
        where a mesh is missing.
    """
    if not np.isfinite(meshes).all():
        return None
    size = crops.shape[1]
    points = meshes[..., :2].astype(np.float64)
    scale = max(float(np.linalg.norm(np.subtract(*five_points(meshes[0])[:2]))), 1.0)
    steady, moved = [crops[0].astype(np.float32)], [points[0]]
    for crop, at in zip(crops[1:], points[1:], strict=True):
        # The head's own movement is taken out; what is left is expression, jitter and flicker.
        back = similarity(at, points[0])
        steady.append(
            cv2.warpAffine(
                crop, back, (size, size), borderMode=cv2.BORDER_REFLECT_101
            ).astype(np.float32)
        )
        moved.append(at @ back[:, :2].T + back[:, 2])
    bend = (moved[0] - 2 * moved[1] + moved[2]) / scale
    step = (moved[2] - moved[0]) / scale
    oval = np.zeros(len(bend), bool)
    oval[list(OVAL)] = True
    jitter = [
        np.log(np.sqrt((part**2).sum(1).mean()) + 1e-4)
        for part in (bend[oval], bend[~oval], step[oval], step[~oval])
    ]
    change = steady[0] - 2 * steady[1] + steady[2]
    slow = cv2.GaussianBlur(change, (0, 0), 4.0)
    fast = change - slow
    masks = _masks(meshes[0], size)
    flicker = []
    for part in (slow, fast):
        levels = [np.log(np.abs(part[m]).mean() + 0.1) if m.any() else np.nan for m in masks]
        flicker += [levels[0], levels[1] - levels[0], levels[2] - levels[0]]
    shift = [change[m].mean(0) if m.any() else np.full(3, np.nan) for m in masks]
    flicker.append(np.log(np.abs(shift[0] - shift[2]).mean() + 0.1))
    grain = [np.asarray(p).mean(-1) for p in steady]
    grain = [g - cv2.GaussianBlur(g, (0, 0), 1.0) for g in grain]
    kept = []
    for m in masks:
        a, b = grain[0][m], grain[1][m]
        spread = float(a.std() * b.std()) if m.any() else 0.0
        kept.append(float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread else np.nan)
    first = crops[0].astype(np.float32)
    tone = [first[m].mean(0) / 255 if m.any() else np.full(3, np.nan) for m in masks]
    lengths = [np.linalg.norm(points[0][a] - points[0][b]) / scale for a, b in _STABLE]
    lasting = np.concatenate([lengths, tone[0] - tone[2], [kept[0]]])
    return np.array([*jitter, *flicker, *kept, kept[0] - kept[2]]), lasting


def drift(lasting: Floats) -> Floats:
    """Return by how much each burst's lasting numbers leave the track's median.

    Args:
        lasting: (bursts, d).

    Returns:
        (bursts, 2) log deviations of shape and of tone; a single burst has none.
    """
    off = np.abs(lasting - np.median(lasting, axis=0))
    return np.log(np.column_stack([off[:, :6].mean(1), off[:, 6:9].mean(1)]) + 1e-3)
