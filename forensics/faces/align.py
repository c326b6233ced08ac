"""Five-point similarity alignment to a square crop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

CROP = 256
MARGIN = 0.15  # room around the tight square (hairline to chin), as a share of it, on each side

# Mean places of eyes, nose tip and mouth corners in the tight square. Adult proportions: eye
# distance about a third of the height from hairline to chin (Farkas, Anthropometry, 1994).
_TIGHT = np.array(
    [[0.335, 0.42], [0.665, 0.42], [0.5, 0.61], [0.365, 0.795], [0.635, 0.795]], np.float64
)


def template(size: int = CROP, margin: float = MARGIN) -> NDArray[np.float64]:
    """Target places of the five points, (5, 2) in pixels of a ``size`` px crop."""
    return (_TIGHT + margin) / (1.0 + 2.0 * margin) * size


def similarity(
    source: NDArray[np.floating], target: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Least-squares similarity transform (Umeyama 1991) from (n, 2) to (n, 2) points, as (2, 3)."""
    src, dst = source.astype(np.float64), target.astype(np.float64)
    mean_s, mean_d = src.mean(0), dst.mean(0)
    src0, dst0 = src - mean_s, dst - mean_d
    u, s, vt = np.linalg.svd(dst0.T @ src0 / len(src))
    flip = np.array([1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    rotation = (u * flip) @ vt
    scale = float((s * flip).sum() / max(src0.var(0).sum(), 1e-12))
    linear = scale * rotation
    return np.column_stack([linear, mean_d - linear @ mean_s])


def align_face(
    image: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    *,
    size: int = CROP,
    margin: float = MARGIN,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Cut a face out upright.

    Args:
        image: (h, w, 3) RGB ``uint8``.
        landmarks: (5, 2) points in frame pixels.
        size: Side of the crop in pixels.
        margin: Room around the square from hairline to chin, as a share of its side.

    Returns:
        (size, size, 3) crop and the (2, 3) affine matrix from crop to frame pixels.
    """
    forward = similarity(landmarks, template(size, margin))
    to_frame = np.asarray(cv2.invertAffineTransform(forward), np.float64)
    return cut_out(image, forward, size), to_frame


def cut_out(
    image: NDArray[np.uint8], forward: NDArray[np.float64], size: int = CROP
) -> NDArray[np.uint8]:
    """Cut a (size, size, 3) window out of a frame by the (2, 3) matrix from frame to crop."""
    shrink = float(np.hypot(forward[0, 0], forward[1, 0]))
    source = image
    if shrink < 0.5:
        # warpAffine does not average: a large face is first reduced, or it would alias.
        factor = 2.0 * shrink
        h, w = image.shape[:2]
        rw, rh = max(1, round(w * factor)), max(1, round(h * factor))
        box, low = _region(forward, size, (h, w))
        reduced = cv2.resize(
            image[box], None, fx=rw / w, fy=rh / h, interpolation=cv2.INTER_AREA
        )
        source = np.asarray(reduced, np.uint8)
        undo = np.array([[w / rw, 0, low[0]], [0, h / rh, low[1]], [0, 0, 1.0]])
        forward_small = (np.vstack([forward, [0, 0, 1]]) @ undo)[:2]
    else:
        forward_small = forward
    crop = cv2.warpAffine(
        source,
        forward_small,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(crop, np.uint8)


def map_on_frame(
    region: NDArray[np.floating],
    to_frame: NDArray[np.float64],
    size: tuple[int, int],
    *,
    side: int = CROP,
) -> NDArray[np.float32]:
    """Take a map on a crop's grid to the pixels of the original frame.

    Args:
        region: (h, w) 0..1 over the whole crop.
        to_frame: (2, 3) matrix from crop to frame pixels.
        size: (width, height) of the frame.
        side: Side of the crop in pixels that ``to_frame`` speaks of.

    Returns:
        (height, width) float32, 0 outside of the crop.
    """
    h, w = region.shape
    # The centre of a grid cell lies half a cell in.
    grid = np.array([[side / w, 0, side / w / 2 - 0.5], [0, side / h, side / h / 2 - 0.5]])
    matrix = (np.vstack([to_frame, [0, 0, 1]]) @ np.vstack([grid, [0, 0, 1]]))[:2]
    placed = cv2.warpAffine(
        np.asarray(region, np.float32), matrix, size, flags=cv2.INTER_LINEAR, borderValue=0
    )
    return np.clip(np.asarray(placed, np.float32), 0.0, 1.0)


def _region(
    forward: NDArray[np.float64], size: int, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """Part of the frame that the crop shows, with a little room, as slices and its corner."""
    back = cv2.invertAffineTransform(forward)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    points = corners @ back[:, :2].T + back[:, 2]
    left, top = np.clip(np.floor(points.min(0)) - 8, 0, None).astype(int)
    right, bottom = np.ceil(points.max(0)).astype(int) + 8
    left, top = min(left, shape[1] - 1), min(top, shape[0] - 1)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    return (slice(top, bottom), slice(left, right)), (int(left), int(top))
