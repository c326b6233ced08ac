"""When the follower looks everywhere: at first, now and then, and where a face went missing."""

from __future__ import annotations

from collections.abc import Sequence
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
    """Finder and mesh in one: shows what the script says and notes how it was asked.

    A whole look sees ``quick`` faces and a sweep all that are there. Looking where faces were sees
    ``near`` of them, those on the left first.
    """

    def __init__(self, quick: list[int], all_there: list[int], near: list[int]) -> None:
        self._quick, self._there, self._near = quick, all_there, near
        self.frame = -1
        self.thorough: list[bool] = []
        self.asked: list[str] = []

    def detect(self, image: NDArray[np.uint8], *, thorough: bool = True) -> list[DetectedFace]:
        self.thorough.append(thorough)
        self.asked.append("sweep" if thorough else "look")
        counts = self._there if thorough else self._quick
        return [_face(100.0 * k) for k in range(counts[self.frame])]

    def refind(
        self, image: NDArray[np.uint8], boxes: Sequence[NDArray[np.float32]]
    ) -> list[DetectedFace]:
        self.asked.append(f"window {len(boxes)}")
        seen = [_face(100.0 * k) for k in range(self._near[self.frame])]
        return [face for face in seen if any(abs(face.box[0] - box[0]) < 50 for box in boxes)]

    def points(
        self, image: NDArray[np.uint8], face: DetectedFace
    ) -> tuple[NDArray[np.float32], float]:
        return np.zeros((468, 3), np.float32), 0.0  # the detector's own points are used then


def _run(
    quick: list[int], there: list[int], shots: list[int], near: list[int], look_every: int
) -> tuple[list[int], _Script]:
    script = _Script(quick, there, near)
    follower = FaceFollower(
        lambda crops: None,
        finder=cast(FaceFinder, script),
        mesh=cast(FaceMesh, script),
        look_every=look_every,
        sweep_every=4,
    )
    counts = []
    for index, shot in enumerate(shots):
        script.frame = index
        image = np.full((120, 320, 3), 128, np.uint8)
        counts.append(follower.push(Frame(image, pts=float(index), shot=shot)))
    follower.close()
    return counts, script


def _follow(quick: list[int], there: list[int], shots: list[int]) -> tuple[list[int], list[bool]]:
    """Follow with a look at every whole frame, and with windows that show nothing."""
    counts, script = _run(quick, there, shots, [0] * len(shots), 1)
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


def test_between_looks_only_the_surroundings_of_known_faces_are_looked_at() -> None:
    counts, script = _run([1] * 6, [1] * 6, [0] * 6, [1] * 6, 3)
    assert counts == [1] * 6
    assert script.asked == ["sweep", "window 1", "window 1", "look", "sweep", "window 1"]


def test_a_face_that_leaves_its_window_is_looked_for_everywhere() -> None:
    counts, script = _run([1] * 3, [1] * 3, [0] * 3, [1, 0, 1], 8)
    assert counts == [1] * 3
    assert script.asked == ["sweep", "window 1", "sweep", "window 1"]


def test_without_a_face_every_frame_is_looked_at() -> None:
    counts, script = _run([0, 0, 1, 1], [0, 0, 1, 1], [0] * 4, [0, 0, 1, 1], 8)
    assert counts == [0, 0, 1, 1]
    assert script.asked == ["sweep", "look", "look", "window 1"]


def test_small_faces_are_refound_in_their_windows_without_a_sweep() -> None:
    counts, script = _run([1] * 4, [2] * 4, [0] * 4, [2] * 4, 2)
    assert counts == [2] * 4
    assert script.asked == ["sweep", "window 2", "look", "window 1", "window 2"]


def test_a_new_face_is_seen_at_the_next_look() -> None:
    counts, script = _run([1, 2, 2, 2], [1, 2, 2, 2], [0] * 4, [1, 2, 2, 2], 3)
    assert counts == [1, 1, 1, 2]
    assert script.asked == ["sweep", "window 1", "window 1", "look"]


def test_many_faces_are_looked_for_all_at_once() -> None:
    counts, script = _run([4] * 2, [4] * 2, [0] * 2, [4] * 2, 8)
    assert counts == [4] * 2
    assert script.asked == ["sweep", "look"]
