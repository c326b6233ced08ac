from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.faces import QualityGate, follow_faces
from forensics.types import CropQuality, Frame

Picture = NDArray[np.uint8]

GOOD = CropQuality(60.0, sharpness=1.5, exposure=0.5, yaw=3.0, mesh_confidence=0.99)


def quality_of(image: Picture) -> CropQuality:
    ((_, crops),) = follow_faces([Frame(image, pts=0.0)])
    return crops.quality[0]


def test_a_good_portrait_has_no_codes(astronaut: Picture) -> None:
    quality = quality_of(astronaut)
    assert quality.codes == ()
    assert 30 < quality.inter_ocular < 50
    assert abs(quality.yaw) < 25
    assert quality.occlusion < 0.3


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda x: (x * 0.13).astype(np.uint8), "too_dark"),
        (lambda x: cv2.GaussianBlur(x, (0, 0), 5.0), "too_blurred"),
        (lambda x: np.clip(x + np.random.default_rng(0).normal(0, 25, x.shape), 0, 255),
         "too_noisy"),
        (lambda x: cv2.resize(x, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA),
         "face_too_small"),
    ],
)  # fmt: skip
def test_spoilt_pictures_are_named(
    astronaut: Picture, spoil: Callable[[Picture], Picture], code: str
) -> None:
    assert code in quality_of(np.asarray(spoil(astronaut), np.uint8)).codes


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mesh_confidence": 0.1}, "no_face"),
        ({"inter_ocular": 10.0}, "face_too_small"),
        ({"exposure": 0.01}, "too_dark"),
        ({"exposure": 0.99}, "too_bright"),
        ({"sharpness": 0.1}, "too_blurred"),
        ({"grain": 1.0}, "too_noisy"),
        ({"yaw": -75.0}, "extreme_pose"),
    ],
)
def test_each_limit_has_its_code(change: dict[str, float], code: str) -> None:
    gate = QualityGate()
    assert gate.codes(GOOD) == ()
    assert gate.codes(replace(GOOD, **change)) == (code,)  # type: ignore[arg-type]
