from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.detectors import create_detector
from forensics.detectors.occlusion import map_statistics, smoothed
from forensics.testing import check_detector
from forensics.types import FaceCrops


def mask_before(face: FaceCrops) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Put a plain pleated mask before mouth and chin; return the crop and the mask's opacity."""
    mesh = face.mesh[0][:, :2]
    corners = mesh[[234, 6, 454, 365, 152, 136]]
    cover = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(cover, [cv2.convexHull(corners.round().astype(np.int32))], 255)
    alpha = cv2.GaussianBlur(cover, (0, 0), 1.0).astype(np.float32)[..., None] / 255
    cloth = np.full((256, 256, 3), (120, 170, 200), np.float32)
    cloth[::24] -= 40
    worn = face.data[0] * (1 - alpha) + cloth * alpha
    return np.clip(worn, 0, 255).astype(np.uint8), alpha


def test_occlusion_keeps_the_rules() -> None:
    check_detector("occlusion")


def test_shipped_weights_are_those_of_the_card() -> None:
    data = (files("forensics") / "weights" / "occlusion.onnx").read_bytes()
    assert hashlib.sha256(data).hexdigest() == create_detector("occlusion").card()["sha256"]


def test_it_fires_where_a_mask_was_painted_over_and_not_on_a_worn_one(face: FaceCrops) -> None:
    detector = create_detector("occlusion")
    worn, alpha = mask_before(face)
    mouth = np.zeros((256, 256), np.float32)
    centre = face.mesh[0][13, :2]
    cv2.ellipse(mouth, tuple(int(v) for v in centre), (58, 44), 0, 0, 360, 1.0, -1)
    hole = cv2.GaussianBlur(mouth, (0, 0), 3.0)[..., None]
    bare = cv2.GaussianBlur(face.data[0], (0, 0), 1.5)
    over = np.clip(worn * (1 - hole) + bare * hole, 0, 255).astype(np.uint8)
    (kept,) = detector.score(replace(face, data=worn[None]))
    (failed,) = detector.score(replace(face, data=over[None]))
    (plain,) = detector.score(face)
    assert failed.artifacts["logits"][0] > kept.artifacts["logits"][0] + 0.5
    assert failed.artifacts["logits"][0] > 0 > plain.artifacts["logits"][0]
    drawn = failed.artifacts["region"][0]
    inside = cv2.resize((hole * alpha)[..., 0], (24, 24), interpolation=cv2.INTER_AREA) > 0.5
    assert drawn[inside].mean() > 3 * drawn[~inside].mean()


def test_statistics_rise_with_the_map() -> None:
    low, high = (map_statistics(np.full((24, 24), v, np.float32)) for v in (0.01, 0.9))
    assert (high > low).all()
    assert np.isfinite(map_statistics(np.zeros((24, 24), np.float32))).all()


def test_a_lone_cell_fades_from_the_shown_map_and_a_filled_place_stays() -> None:
    region = np.zeros((2, 24, 24), np.float32)
    region[0, 3, 3] = 1.0
    region[1, 8:18, 8:18] = 1.0
    shown = smoothed(region)
    assert shown.shape == region.shape and shown.dtype == np.float32
    assert shown.min() >= 0.0 and shown.max() <= 1.0
    assert shown[0].max() < 0.1 and shown[1, 12, 12] > 0.9
    assert region[0, 3, 3] == 1.0  # the score is read off what was handed in
