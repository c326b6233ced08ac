"""Geometry features: does the inner face fit the outer face in light, colour, blur and pose?"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.mesh import OVAL

Floats = NDArray[np.float64]

_STEPS = np.linspace(0.55, 1.3, 16)  # contours about the centre; 1 is the face oval
_SIDES = 4  # top, right, bottom, left: a seam need not run all the way round
_INNER = (33, 133, 362, 263, 1, 4, 61, 291, 13, 14, 70, 300, 105, 334, 168)


@lru_cache(maxsize=1)
def _oval() -> NDArray[np.int64]:
    return np.array(OVAL, np.int64)


def contour_features(crop: NDArray[np.uint8], mesh: NDArray[np.floating]) -> Floats | None:
    """Measure one crop along contours between the inner and the outer face.

    Args:
        crop: (n, n, 3) RGB ``uint8``.
        mesh: (468, 3) points in crop pixels.

    Returns:
        (k,) features, or None without a mesh.
    """
    if not np.isfinite(mesh).all():
        return None
    outline = mesh[_oval(), :2].astype(np.float32)
    centre = outline.mean(0)
    at = centre + (outline - centre) * _STEPS[:, None, None].astype(np.float32)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    soft = cv2.GaussianBlur(lab, (0, 0), 1.2)
    luma = np.ascontiguousarray(lab[..., 0]).astype(np.float32)
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.0))
    fine = cv2.GaussianBlur(fine, (0, 0), 2.0)
    x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    colours = cv2.remap(soft, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colours = colours.astype(np.float64)
    detail = np.log(
        cv2.remap(fine, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) + 0.2
    ).astype(np.float64)
    jumps = np.abs(np.diff(colours, axis=0))  # (steps - 1, points, 3)
    radial = np.log(jumps.mean(1) + 0.5)  # how sharply colours change from contour to contour
    rings = colours.mean(1)
    detail_rings = detail.mean(1)
    quarters = np.array_split(np.arange(len(outline)), _SIDES)
    sides = [
        np.abs(colours[4:8, q].mean((0, 1)) - colours[11:14, q].mean((0, 1))) for q in quarters
    ]
    shades = [detail[4:8, q].mean() - detail[11:14, q].mean() for q in quarters]
    return np.concatenate([
        (radial - radial.mean(0)).ravel(),
        (rings[6] - rings[12]), np.diff(detail_rings), np.array(sides).ravel(), shades,
        _pose_gap(np.asarray(mesh, np.float64)),
    ])  # fmt: skip


def _pose_gap(mesh: Floats) -> Floats:
    """Return by how much inner and outer points disagree about the head's turn (Yang et al. 2019).

    Yaw and pitch from the depth of either set of points, in radians, and the sideways and upright
    offset of the inner points within the oval, in face widths.
    """
    oval, inner = mesh[_oval()], mesh[list(_INNER)]
    width = max(float(np.ptp(oval[:, 0])), 1e-6)
    turns = []
    for points in (oval, inner):
        flat = np.column_stack([points[:, :2] / width, np.ones(len(points))])
        slope = np.linalg.lstsq(flat, points[:, 2] / width, rcond=None)[0]
        turns.append(np.arctan(slope[:2]))
    offset = (inner[:, :2].mean(0) - oval[:, :2].mean(0)) / width
    return np.concatenate([turns[0] - turns[1], offset])
