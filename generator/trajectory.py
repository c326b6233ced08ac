"""Where a face is in every frame, steadily: smoothing in time and the jitter that remains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.types import FaceTrack


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A face through one shot.

    Attributes:
        track_id: Number of the track.
        pts: (n,) seconds.
        landmarks: (n, 5, 2) smoothed five points, frame pixels.
        mesh: (n, 468, 3) smoothed mesh, frame pixels.
        usable: (n,) whether the face may be replaced in that frame.
        reasons: Why not, one entry a frame.
    """

    track_id: int
    pts: NDArray[np.float64] = field(repr=False)
    landmarks: NDArray[np.float64] = field(repr=False)
    mesh: NDArray[np.float64] = field(repr=False)
    usable: NDArray[np.bool_] = field(repr=False)
    reasons: tuple[str, ...] = field(repr=False)

    def at(self, pts: float) -> int | None:
        """Return the position of the frame shown at ``pts``, or None."""
        i = int(np.searchsorted(self.pts, pts - 1e-6))
        return i if i < len(self.pts) and abs(self.pts[i] - pts) < 1e-6 else None


def smooth(
    values: NDArray[Any], pts: NDArray[np.float64], sigma: float, *, reach: int = 4
) -> NDArray[np.float64]:
    """Average over time with Gaussian weights; the distance in time decides, not the frame number.

    Args:
        values: (n, ...) samples.
        pts: (n,) seconds, ascending.
        sigma: Seconds; 0 leaves the values as they are.
        reach: Neighbours on each side that are looked at.

    Returns:
        Samples of the same shape.
    """
    values = np.asarray(values, np.float64)
    if sigma <= 0 or len(values) < 3:
        return values
    total = np.zeros_like(values)
    weight_sum = np.zeros(len(values))
    shape = (-1,) + (1,) * (values.ndim - 1)
    reach = min(reach, len(values) - 1)
    for lag in range(-reach, reach + 1):
        own = slice(max(0, -lag), len(values) - max(0, lag))
        other = slice(max(0, lag), len(values) + min(0, lag))
        weight = np.exp(-0.5 * ((pts[other] - pts[own]) / sigma) ** 2)
        # Only pairs of neighbours count: a window that sticks out on one side would lag behind.
        mirrored = np.arange(len(values))[own]
        weight = weight * ((mirrored - abs(lag) >= 0) & (mirrored + abs(lag) < len(values)))
        total[own] += values[other] * weight.reshape(shape)
        weight_sum[own] += weight
    return total / weight_sum.reshape(shape)


def jitter(points: NDArray[Any], size: NDArray[Any]) -> float:
    """Return how much points tremble: median length of their second difference in face sizes.

    Args:
        points: (n, k, 2) points of consecutive frames.
        size: (n,) face size, for example the distance between the eyes, in the same unit.
    """
    if len(points) < 3:
        return 0.0
    bend = points[2:] - 2 * points[1:-1] + points[:-2]
    length = np.linalg.norm(np.asarray(bend, np.float64), axis=2).mean(axis=1)
    return float(np.median(length / np.maximum(np.asarray(size)[1:-1], 1e-6)))


def make_trajectory(
    track: FaceTrack,
    mesh: NDArray[Any],
    reasons: tuple[str, ...],
    *,
    sigma: float,
) -> Trajectory:
    """Smooth a track.

    Args:
        track: From the follower.
        mesh: (n, 468, 3) in frame pixels, NaN where there is none.
        reasons: First abstention code a frame, empty where the face is usable.
        sigma: Seconds, see `smooth`.
    """
    usable = np.isfinite(mesh).all(axis=(1, 2)) & np.array([not r for r in reasons], bool)
    filled = np.where(np.isfinite(mesh), mesh, 0.0)
    steady = filled.astype(np.float64)
    landmarks = track.landmarks.astype(np.float64)
    # Runs of usable frames are smoothed by themselves: a lost face must not pull its neighbours.
    edges = np.flatnonzero(np.diff(np.r_[False, usable, False].astype(int)))
    for start, stop in edges.reshape(-1, 2):
        run = slice(int(start), int(stop))
        steady[run] = smooth(filled[run], track.pts[run], sigma)
        landmarks[run] = smooth(track.landmarks[run], track.pts[run], sigma)
    return Trajectory(track.id, track.pts, landmarks, steady, usable, reasons)
