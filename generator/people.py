"""Who is who: a small descriptor of a face, and what it says about tracks and face sets.

No recognition network is shipped. The descriptor joins the shape of the mesh, turned upright, with
a coarse picture in which light and contrast are taken out. It tells two people in front of one
camera apart; it is not fit to recognise somebody in another clip years later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.types import FaceTrack

# Mesh points that speech and blinking hardly move: brow, eye corners, nose, cheeks, upper oval.
_STEADY = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 109, 67, 103, 54, 21, 162, 127, 234, 33, 133, 362,
    263, 168, 6, 197, 195, 5, 4, 1, 98, 327, 2, 70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 116,
    345, 50, 280, 205, 425,
)  # fmt: skip
_SIDE = 16
MIXED_ABOVE = 1.95
"""Separation above which a set is reported as two people; see `separation`."""
_LEAST = 12  # fewer faces of one person fall apart into two groups by chance
SAME_BELOW = 0.7
"""Descriptor distance below which tracks of different shots are taken for one person."""


def describe_face(crop: NDArray[np.uint8], mesh: NDArray[np.float32]) -> NDArray[np.float64]:
    """Describe one aligned face.

    Args:
        crop: (n, n, 3) RGB ``uint8``.
        mesh: (468, 3) points in crop pixels.

    Returns:
        A vector; distances of about 1 and more are between different people.
    """
    points = mesh[list(_STEADY)].astype(np.float64)
    points -= points.mean(0)
    points /= np.sqrt((points**2).sum(1).mean()) + 1e-9
    # Turn the head to the front: the depth axis is that of least width of the steady points.
    across = points[8] - points[16]
    yaw = np.arctan2(across[2], across[0])
    cos, sin = np.cos(yaw), np.sin(yaw)
    front = points @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    low, high = mesh[:, :2].min(0).astype(int), mesh[:, :2].max(0).astype(int)
    low, high = np.clip(low, 0, len(crop) - 2), np.clip(high, 1, len(crop) - 1)
    face = crop[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    small = cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = lab[..., 0] - cv2.GaussianBlur(lab[..., 0], (0, 0), 4)
    light = light / (light.std() + 1.0)
    chroma = lab[..., 1:].reshape(-1, 2).mean(0) / 12.0
    return np.concatenate(
        [front[:, :2].ravel() * 2.0, light.ravel() / _SIDE, chroma]
    )


def separation(descriptors: NDArray[np.float64]) -> tuple[float, NDArray[np.bool_]]:
    """Split faces into two groups and say how far apart they are.

    Args:
        descriptors: (n, d), see `describe_face`.

    Returns:
        Distance of the two means over the mean distance of a face to its own group's mean
        (one person: 1.2 to 1.9 on eleven clips; two people: mostly above 2), and who is in the
        second group.
    """
    n = len(descriptors)
    if n < _LEAST:
        return 0.0, np.zeros(n, bool)
    x = descriptors - descriptors.mean(0)
    first = np.linalg.svd(x, full_matrices=False)[0][:, 0]
    second = first > np.median(first)
    for _ in range(20):  # two-means, started from the widest direction
        if second.all() or not second.any():
            return 0.0, np.zeros(n, bool)
        means = np.stack([x[~second].mean(0), x[second].mean(0)])
        distance = np.linalg.norm(x[:, None] - means, axis=2)
        new = distance[:, 1] < distance[:, 0]
        if (new == second).all():
            break
        second = new
    within = float(np.minimum(distance[:, 0], distance[:, 1]).mean())
    return float(np.linalg.norm(means[1] - means[0])) / max(within, 1e-9), second


@dataclass(slots=True)
class Person:
    """Somebody in a clip: tracks of several shots.

    Attributes:
        tracks: The tracks, longest first.
        weight: Sum over all sightings of the face's area, pixels squared.
    """

    tracks: list[FaceTrack]
    weight: float = 0.0
    descriptor: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def group_tracks(
    tracks: Sequence[FaceTrack], descriptors: dict[int, NDArray[np.float64]]
) -> list[Person]:
    """Join the tracks of each person across cuts; the most prominent person comes first.

    Args:
        tracks: All tracks of a clip.
        descriptors: Mean descriptor of each track's faces by track id.

    Returns:
        People in order of ``weight``. Two tracks that overlap in time are never one person.
    """
    people: list[Person] = []
    for track in sorted(tracks, key=lambda t: -len(t)):
        sides = track.boxes[:, 2:] - track.boxes[:, :2]
        weight = float(sides.prod(axis=1).sum())
        vector = descriptors[track.id]
        home, nearest = None, SAME_BELOW
        for person in people:
            gap = float(np.linalg.norm(person.descriptor - vector))
            if gap < nearest and not any(_overlap(track, other) for other in person.tracks):
                home, nearest = person, gap
        if home is None:
            people.append(Person([track], weight, vector))
        else:
            home.tracks.append(track)
            home.weight += weight
    return sorted(people, key=lambda p: -p.weight)


def _overlap(a: FaceTrack, b: FaceTrack) -> bool:
    return a.span[0] <= b.span[1] and b.span[0] <= a.span[1]
