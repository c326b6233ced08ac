"""Move a face by its mesh: dense warps from sparse points, and turns of the head in depth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_GRID = 40  # cells of the coarse grid on which displacements are interpolated


def _border(size: int) -> NDArray[np.float32]:
    """Points on the picture's edge that hold still."""
    t = np.linspace(0, size - 1, 9, dtype=np.float32)
    edge = np.full_like(t, size - 1)
    zero = np.zeros_like(t)
    pairs = ((t, zero), (t, edge), (zero, t), (edge, t))
    return np.concatenate([np.stack(pair, 1) for pair in pairs])


def displacement(
    points: NDArray[np.floating],
    shift: NDArray[np.floating],
    size: int,
    *,
    reach: float = 0.045,
    hold_border: bool = True,
) -> NDArray[np.float32]:
    """Spread the shifts of sparse points over a picture by normalised Gaussian weights.

    Args:
        points: (n, 2) places in pixels.
        shift: (n, 2) displacement at each, in pixels.
        size: Side of the square picture.
        reach: Width of the weight, as a share of the side.
        hold_border: Keep the picture's edge in place.

    Returns:
        (size, size, 2) displacement field in pixels.
    """
    # Every third vertex carries the shape; the rest would only cost time.
    where, move = points[::3].astype(np.float32), shift[::3].astype(np.float32)
    if hold_border:
        rim = _border(size)
        where = np.concatenate([where, rim])
        move = np.concatenate([move, np.zeros_like(rim)])
    axis = np.linspace(0, size - 1, _GRID, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    squares = (grid**2).sum(1)[:, None] + (where**2).sum(1) - 2.0 * (grid @ where.T)
    distance = np.maximum(squares, 0.0) / np.float32((reach * size) ** 2)
    # A heavy tail lets the nearest points decide far from all of them.
    weight = 1.0 / (distance + 0.02) ** 2
    coarse = (weight @ move) / weight.sum(1, keepdims=True)
    field = coarse.reshape(_GRID, _GRID, 2).astype(np.float32)
    return np.asarray(cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def move_pixels(
    image: NDArray[np.uint8], field: NDArray[np.float32], *, border: int = cv2.BORDER_REFLECT_101
) -> NDArray[np.uint8]:
    """Sample ``image`` at each pixel minus ``field``: things move by about ``field``."""
    size = image.shape[0]
    axis = np.arange(size, dtype=np.float32)
    xs, ys = np.meshgrid(axis, axis)
    moved = cv2.remap(
        image, xs - field[..., 0], ys - field[..., 1], cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(moved, np.uint8)


def turn_head(
    mesh: NDArray[np.floating], yaw: float, pitch: float, roll: float = 0.0
) -> NDArray[np.float32]:
    """Rotate a mesh about a point behind the face.

    Args:
        mesh: (468, 3) points in pixels.
        yaw: Degrees to the side.
        pitch: Degrees up or down.
        roll: Degrees in the picture's plane.

    Returns:
        (468, 3) turned points.
    """
    a, b, c = np.radians([yaw, pitch, roll])
    ry = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    rx = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    centre = mesh.mean(0) + [0.0, 0.0, 0.35 * np.ptp(mesh[:, 1])]
    turned = (mesh - centre) @ (rz @ rx @ ry).T + centre
    return np.asarray(turned, np.float32)


def pose_warp(
    image: NDArray[np.uint8], mesh: NDArray[np.float32], target: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Redraw a square picture so that the face's mesh moves to ``target``."""
    field = displacement(target[:, :2], target[:, :2] - mesh[:, :2], image.shape[0])
    return move_pixels(image, field)
