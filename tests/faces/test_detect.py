from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.faces import FaceFinder, FaceMesh
from forensics.faces.mesh import five_points
from forensics.testing import draw_frames

Picture = NDArray[np.uint8]


def scaled(picture: Picture, factor: float) -> Picture:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def test_portrait_has_one_face_with_sensible_points(astronaut: Picture, finder: FaceFinder) -> None:
    (face,) = finder.detect(astronaut)
    left, right, nose, mouth_left, mouth_right = face.landmarks
    assert face.confidence > 0.8
    assert 60 < face.side < 180
    assert left[0] < nose[0] < right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    # The eyes of this picture, read off by hand.
    assert np.abs(left - [204, 107]).max() < 12
    assert np.abs(right - [243, 107]).max() < 12


def test_mesh_agrees_with_the_detector(
    astronaut: Picture, finder: FaceFinder, mesh_model: FaceMesh
) -> None:
    (face,) = finder.detect(astronaut)
    mesh, presence = mesh_model.points(astronaut, face)
    assert presence > 0.9
    assert mesh.shape == (468, 3)
    assert np.abs(five_points(mesh)[:3] - face.landmarks[:3]).max() < 0.15 * face.side


def test_small_face_beside_a_large_one_is_found_in_tiles(head: Picture, finder: FaceFinder) -> None:
    (frame,) = draw_frames(count=1, size=(1280, 720), seed=4)
    frame[100:540, 60:420] = scaled(head, 2.0)
    tiny = scaled(head, 0.3)
    frame[600:666, 1100:1154] = tiny
    quick = finder.detect(frame, thorough=False)
    found = finder.detect(frame)
    assert len(quick) == 1
    assert len(found) == 2
    small = found[1]
    centre = (small.box[:2] + small.box[2:]) / 2
    assert np.abs(centre - [1127, 633]).max() < 20
    assert small.side < 45


@pytest.mark.parametrize("factor", [0.3, 0.8, 2.0])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.7, -0.4), (-0.5, 0.8)])
def test_a_known_face_is_found_again_after_a_move(
    factor: float, shift: tuple[float, float], head: Picture, finder: FaceFinder
) -> None:
    (frame,) = draw_frames(count=1, size=(1280, 720), seed=4)
    small = scaled(head, factor)
    h, w = small.shape[:2]
    frame[140 : 140 + h, 500 : 500 + w] = small
    (face,) = finder.detect(frame)
    before = face.box + np.tile(np.float32(shift), 2) * face.side
    (again,) = finder.refind(frame, [before])
    assert np.abs(again.box - face.box).max() < 0.25 * face.side
    assert finder.refind(frame, [face.box + 500 * np.float32([1, 0, 1, 0])]) == []


def test_two_windows_that_show_one_face_give_one(head: Picture, finder: FaceFinder) -> None:
    (frame,) = draw_frames([head], count=1, size=(640, 360))
    (face,) = finder.detect(frame)
    assert len(finder.refind(frame, [face.box, face.box + 10])) == 1
    assert finder.refind(frame, []) == []
    assert finder.refind(frame, [face.box + 5000]) == []


@pytest.mark.parametrize("seed", [0, 1])
def test_no_face_no_find(seed: int, finder: FaceFinder) -> None:
    (noise,) = draw_frames(count=1, size=(640, 360), seed=seed)
    assert finder.detect(noise) == []


def test_black_and_extreme_shapes_give_nothing(finder: FaceFinder) -> None:
    for shape in ((360, 640), (1, 1), (4, 900), (900, 3)):
        assert finder.detect(np.zeros((*shape, 3), np.uint8)) == []


def test_upside_down_is_not_taken_for_a_face(head: Picture, finder: FaceFinder) -> None:
    assert finder.detect(np.ascontiguousarray(head[::-1, ::-1])) == []


def test_at_most_max_faces_the_largest_first(head: Picture, models: None) -> None:
    (frame,) = draw_frames([head, scaled(head, 0.7)], count=1, size=(640, 360))
    (only,) = FaceFinder(max_faces=1).detect(frame)
    assert only.box[2] < 340


def test_threshold_is_checked(models: None) -> None:
    with pytest.raises(ValueError, match="threshold"):
        FaceFinder(threshold=1.0)
