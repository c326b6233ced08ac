from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from forensics.detectors import create_detector
from forensics.faces.mesh import OVAL
from forensics.testing import check_detector, make_crops
from forensics.types import FaceCrops


def test_geometry_keeps_the_rules() -> None:
    check_detector("geometry")


def test_it_fires_on_an_inner_face_that_does_not_fit(face: FaceCrops) -> None:
    detector = create_detector("geometry")
    mask = np.zeros((256, 256), np.float32)
    outline = face.mesh[0][list(OVAL), :2]
    inner = outline.mean(0) + 0.85 * (outline - outline.mean(0))
    cv2.fillPoly(mask, [inner.round().astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 3.0)[..., None]
    crop = face.data[0].astype(np.float32)
    other = cv2.GaussianBlur(crop, (0, 0), 3.0) * np.array([0.85, 1.0, 1.15]) + 8
    pasted = np.clip(crop * (1 - mask) + other * mask, 0, 255).astype(np.uint8)
    (plain,) = detector.score(face)
    (seam,) = detector.score(replace(face, data=pasted[None]))
    assert seam.artifacts["logits"][0] > plain.artifacts["logits"][0] + 0.5
    assert seam.artifacts["logits"][0] > 0 > plain.artifacts["logits"][0]


def test_without_a_mesh_it_says_nothing() -> None:
    crops = make_crops(3)
    none = replace(crops, mesh=np.full_like(crops.mesh, np.nan))
    detector = create_detector("geometry")
    assert detector.score(none) == []
    some = np.array(crops.mesh)
    some[1] = np.nan
    (item,) = detector.score(replace(crops, mesh=some))
    assert item.artifacts["pts"].tolist() == [crops.pts[0], crops.pts[2]]
