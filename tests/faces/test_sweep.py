"""When the follower looks thoroughly: at first, now and then, and where a face went missing."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from forensics.faces import DetectedFace, FaceFinder, FaceFollower, FaceMesh
from forensics.types import Frame

_POINTS = np.array([[50, 50], [80, 50], [65, 68], [54, 82], [76, 82]], np.float32)


def _face(left: float) -> DetectedFace:
    box = np.array([left + 40, 35, left + 90, 95], np.float32)
    return DetectedFace(box, _POINTS + np.float32([left, 0]), 0.9)


class _Script:
    """Finder and mesh in one: shows what the script says and notes how it was asked."""

    def __init__(self, quick: list[int], all_there: list[int]) -> None:
        self._quick, self._there = quick, all_there
        self.frame = -1
        self.thorough: list[bool] = []

    def detect(self, image: NDArray[np.uint8], *, thorough: bool = True) -> list[DetectedFace]:
        self.thorough.append(thorough)
        counts = self._there if thorough else self._quick
        return [_face(100.0 * k) for k in range(counts[self.frame])]

    def points(
        self, image: NDArray[np.uint8], face: DetectedFace
    ) -> tuple[NDArray[np.float32], float]:
        return np.zeros((468, 3), np.float32), 0.0  # the detector's own points are used then


def _follow(quick: list[int], there: list[int], shots: list[int]) -> tuple[list[int], list[bool]]:
    script = _Script(quick, there)
    follower = FaceFollower(
        lambda crops: None,
        finder=cast(FaceFinder, script),
        mesh=cast(FaceMesh, script),
        sweep_every=4,
    )
    counts = []
    for index, shot in enumerate(shots):
        script.frame = index
        image = np.full((120, 320, 3), 128, np.uint8)
        counts.append(follower.push(Frame(image, pts=float(index), shot=shot)))
    follower.close()
    return counts, script.thorough


def test_quick_looks_between_sweeps() -> None:
    counts, thorough = _follow([1] * 6, [1] * 6, [0] * 6)
    assert counts == [1] * 6
    assert thorough == [True, False, False, False, True, False]


def test_every_shot_begins_with_a_sweep() -> None:
    _, thorough = _follow([1] * 4, [1] * 4, [0, 0, 1, 1])
    assert thorough == [True, False, True, False]


def test_a_face_that_goes_missing_is_looked_for() -> None:
    counts, thorough = _follow([1, 1, 0, 1], [1, 1, 1, 1], [0] * 4)
    assert counts == [1, 1, 1, 1]
    assert thorough == [True, False, False, True, False]


def test_small_faces_are_kept_when_only_a_sweep_sees_them() -> None:
    counts, _ = _follow([1] * 4, [3] * 4, [0] * 4)
    assert counts == [3] * 4


def test_a_face_that_left_costs_one_sweep() -> None:
    counts, thorough = _follow([2, 1, 1, 1], [2, 1, 1, 1], [0] * 4)
    assert counts == [2, 1, 1, 1]
    assert thorough == [True, False, True, False, False]
