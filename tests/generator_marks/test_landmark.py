"""The feature-point swap on drawn faces: geometry, colour and seam."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.errors import UsageError
from forensics.faces.mesh import OVAL
from generator.methods import AlignedFace, create_method
from generator.methods.landmark import membrane, triangulate, warp_triangles

RNG = np.random.default_rng(0)
DIRECTION = RNG.uniform(0, 2 * np.pi, 468)
REACH = np.sqrt(RNG.uniform(0.01, 0.9, 468))
for _i, _v in enumerate(OVAL):
    DIRECTION[_v], REACH[_v] = 2 * np.pi * _i / len(OVAL), 1.0


def drawn_face(colour: tuple[int, int, int], stretch: float = 1.0) -> AlignedFace:
    """A disc of one colour with a dark spot where the nose is."""
    mesh = np.zeros((468, 3), np.float32)
    mesh[:, 0] = 128 + 60 * REACH * np.cos(DIRECTION)
    mesh[:, 1] = 128 + 75 * stretch * REACH * np.sin(DIRECTION)
    crop = np.full((256, 256, 3), 90, np.uint8)
    cv2.ellipse(crop, (128, 128), (66, int(82 * stretch)), 0, 0, 360, colour, -1)
    cv2.circle(crop, (128, 128), 12, (20, 20, 20), -1)
    return AlignedFace(crop, mesh=mesh)


def test_triangles_join_every_point_and_cover_the_hull() -> None:
    points = np.ascontiguousarray(drawn_face((1, 1, 1)).mesh[:, :2])
    triangles = triangulate(points)
    assert set(triangles.ravel()) == set(range(468))
    a, b, c = (points[triangles[:, i]] for i in range(3))
    area = np.abs(_cross(b - a, c - a)).sum() / 2
    assert area == pytest.approx(cv2.contourArea(cv2.convexHull(points)), rel=0.01)


def _cross(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def test_warp_moves_pixels_with_the_points() -> None:
    face = drawn_face((200, 150, 120))
    points = face.mesh[:, :2]
    triangles = triangulate(points)
    same = warp_triangles(face.crop, points, points, triangles)
    inside = cv2.fillConvexPoly(
        np.zeros((256, 256), np.uint8), cv2.convexHull(points[list(OVAL)]).astype(np.int32), 1
    )
    assert np.abs(same.astype(int) - face.crop)[inside > 0].mean() < 1.0
    moved = warp_triangles(face.crop, points, points + np.float32([10, -6]), triangles)
    dark = np.argwhere((moved[..., 0] < 60) & (moved[..., 0] > 5)).mean(axis=0)
    assert dark == pytest.approx([122, 138], abs=1.0)


@pytest.mark.parametrize("blend", ["poisson", "feather"])
def test_swap_takes_features_of_the_source_and_light_of_the_target(blend: str) -> None:
    method = create_method("landmark", options={"blend": blend})
    method.prepare([drawn_face((120, 200, 160))])
    target = drawn_face((210, 150, 110), stretch=1.1)
    target.crop[110:146, 110:146] = (210, 150, 110)  # the target has no dark spot
    out = method.swap_face(target)
    assert out.finished and out.mask.max() <= 1.0 and out.mask.min() >= 0.0
    assert out.mask[128, 128] == 1.0 and out.mask[2, 2] == 0.0
    assert out.face[128, 128].max() < 110
    skin = out.face[90, 100].astype(int)
    assert np.abs(skin - (210, 150, 110)).max() < 30
    again = method.swap_face(target)
    assert np.array_equal(out.face, again.face)


def test_nearest_source_is_chosen() -> None:
    method = create_method("landmark", options={"colour": 0.0})
    method.prepare([drawn_face((255, 0, 0)), drawn_face((0, 255, 0), stretch=1.25)])
    assert method.swap_face(drawn_face((9, 9, 9), stretch=1.2)).face[90, 100].argmax() == 1
    assert method.swap_face(drawn_face((9, 9, 9))).face[90, 100].argmax() == 0


def test_membrane_keeps_what_is_known_and_is_smooth_between() -> None:
    y, x = np.indices((64, 64), np.float32)
    plane = np.stack([2 * x + y, x, np.full_like(x, 7)], axis=-1)
    known = np.zeros((64, 64), bool)
    known[:3] = known[-3:] = True
    known[:, :3] = known[:, -3:] = True
    field = membrane(plane, known)
    assert np.array_equal(field[known], plane[known])
    assert field[..., 2] == pytest.approx(7, abs=1e-3)
    # A plane is harmonic; the coarse levels know the seam only to within a cell.
    assert np.abs(field - plane).mean(axis=(0, 1)) == pytest.approx([0, 0, 0], abs=189 * 0.06)
    assert np.all(np.diff(field[32, :, 1]) > -0.5)


def test_refusals() -> None:
    with pytest.raises(UsageError, match="'glue'"):
        create_method("landmark", options={"blend": "glue"})
    with pytest.raises(UsageError, match="colour"):
        create_method("landmark", options={"colour": 2})
    method = create_method("landmark")
    with pytest.raises(UsageError, match="at least one"):
        method.prepare([])
    with pytest.raises(UsageError, match="not given"):
        method.swap_face(drawn_face((1, 1, 1)))
