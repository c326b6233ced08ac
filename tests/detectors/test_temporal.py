from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.detectors import create_detector
from forensics.detectors._flicker import burst_features, drift
from forensics.faces import FaceFinder, FaceMesh, align_face
from forensics.faces.mesh import OVAL, five_points, mesh_in_crop
from forensics.testing import check_detector, make_crops
from forensics.types import FaceCrops


@pytest.fixture(scope="module")
def calm(models: None, astronaut: NDArray[np.uint8]) -> FaceCrops:
    """Two bursts of one face in which only the sensor's noise changes."""
    rng = np.random.default_rng(0)
    mesh, _ = FaceMesh().points(astronaut, FaceFinder().detect(astronaut)[0])
    crop, to_frame = align_face(astronaut, five_points(mesh))
    data = np.clip(crop + rng.normal(0, 2, (6, 256, 256, 3)), 0, 255).astype(np.uint8)
    still = np.repeat(mesh_in_crop(mesh, to_frame)[None], 6, axis=0)
    still = still + rng.normal(0, 0.05, still.shape).astype(np.float32)
    pts = np.array([0.0, 0.04, 0.08, 2.0, 2.04, 2.08])
    return replace(make_crops(6, data=data), mesh=still, pts=pts)


def flickering(calm: FaceCrops) -> FaceCrops:
    """The same with an inner face whose colour and place change from picture to picture."""
    rng = np.random.default_rng(1)
    data = np.array(calm.data)
    for index, mesh in enumerate(calm.mesh):
        mask = np.zeros((256, 256), np.float32)
        cv2.fillPoly(mask, [mesh[list(OVAL), :2].round().astype(np.int32)], 1.0)
        mask = cv2.GaussianBlur(mask, (0, 0), 3.0)[..., None]
        moved = np.roll(data[index], rng.integers(-2, 3, 2), (0, 1)) + rng.normal(0, 8, 3)
        data[index] = np.clip(data[index] * (1 - mask) + moved * mask, 0, 255)
    return replace(calm, data=data)


def test_temporal_keeps_the_rules() -> None:
    check_detector("temporal")


def test_it_fires_on_flicker_and_not_on_noise(calm: FaceCrops) -> None:
    detector = create_detector("temporal")
    (quiet,) = detector.score(calm)
    (wild,) = detector.score(flickering(calm))
    assert quiet.artifacts["pts"].tolist() == [0.0, 2.0]
    assert quiet.values["bursts"] == 2
    assert (wild.artifacts["logits"] > quiet.artifacts["logits"] + 0.5).all()
    assert wild.artifacts["logits"].mean() > 0


def test_uniform_movement_is_no_jitter(calm: FaceCrops) -> None:
    base = burst_features(calm.data[:3], calm.mesh[:3])
    shift = np.arange(3)[:, None, None] * np.array([3.0, 1.0, 0.0])
    moved = burst_features(
        np.stack([np.roll(c, (k, 3 * k), (0, 1)) for k, c in enumerate(calm.data[:3])]),
        calm.mesh[:3] + shift,
    )
    assert base is not None and moved is not None
    assert np.abs(moved[0][:4] - base[0][:4]).max() < 0.1


def test_bursts_without_a_mesh_say_nothing(calm: FaceCrops) -> None:
    detector = create_detector("temporal")
    assert detector.score(replace(calm, mesh=np.full_like(calm.mesh, np.nan))) == []
    assert detector.score(make_crops(2)) == []


def test_drift_needs_two_bursts() -> None:
    row = np.arange(10.0)
    assert np.allclose(drift(row[None]), np.log(1e-3))
    three = np.stack([row, row, row + 1.0])
    assert (drift(three)[2] > drift(three)[0]).all()
