from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces import FaceFinder, FaceMesh, align_face
from forensics.faces.align import similarity, template
from forensics.faces.mesh import five_points, mesh_in_crop

Picture = NDArray[np.uint8]


def test_similarity_recovers_a_known_move() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (5, 2))
    angle, scale, shift = 0.6, 1.7, np.array([12.0, -30.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(points, scale * points @ turn.T + shift)
    assert np.allclose(found, np.column_stack([scale * turn, shift]))


def test_similarity_never_mirrors() -> None:
    points = template()
    mirrored = points * [-1.0, 1.0]
    assert np.linalg.det(similarity(points, mirrored)[:, :2]) > 0


def test_eyes_come_to_lie_where_the_template_says(
    astronaut: Picture, finder: FaceFinder, mesh_model: FaceMesh
) -> None:
    (face,) = finder.detect(astronaut)
    mesh, _ = mesh_model.points(astronaut, face)
    crop, to_frame = align_face(astronaut, five_points(mesh))
    assert crop.shape == (256, 256, 3)
    assert np.abs(five_points(mesh_in_crop(mesh, to_frame)) - template())[:2].max() < 8
    # And the pixels moved along with the numbers: the finder sees the eyes there, too.
    seen = finder.detect(crop)[0].landmarks[:2]
    assert np.abs(seen - template()[:2]).max() < 14


def test_crop_matrix_leads_back_to_the_frame() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    points = (template(120) @ np.array([[0.96, -0.28], [0.28, 0.96]]) + [100, 60]).astype(
        np.float32
    )
    image[
        int(points[0, 1]) - 1 : int(points[0, 1]) + 3, int(points[0, 0]) - 1 : int(points[0, 0]) + 3
    ] = 255
    crop, to_frame = align_face(image, points)
    at = np.array(np.unravel_index(int(crop[..., 0].argmax()), (256, 256)))[::-1]
    assert np.linalg.norm(to_frame[:, :2] @ at + to_frame[:, 2] - points[0]) < 4
    assert np.linalg.norm(at - template()[0]) < 8


def test_large_face_gives_the_same_crop_without_aliasing(head: Picture, finder: FaceFinder) -> None:
    points = finder.detect(head)[0].landmarks
    direct, _ = align_face(head, points, size=64)
    grown = np.asarray(cv2.resize(head, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC), np.uint8)
    reduced, _ = align_face(grown, 6.0 * points + 2.5, size=64)
    assert np.abs(direct.astype(int) - reduced.astype(int)).mean() < 6
