from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.detectors import create_detector
from forensics.detectors._bands import azimuthal_spectrum, crop_features
from forensics.testing import check_detector
from forensics.types import FaceCrops


def repainted(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pass the inner face through a small square, as a swapper's decoder does."""
    changed = np.array(pictures)
    for picture in changed:
        inner = np.ascontiguousarray(picture[40:216, 48:208])
        small = cv2.resize(inner, (40, 44), interpolation=cv2.INTER_AREA)
        picture[40:216, 48:208] = cv2.resize(small, (160, 176), interpolation=cv2.INTER_CUBIC)
    return changed


def test_frequency_keeps_the_rules() -> None:
    check_detector("frequency")


def test_it_fires_on_a_repainted_face_and_not_on_the_recording(face: FaceCrops) -> None:
    detector = create_detector("frequency")
    (even,) = detector.score(face)
    (painted,) = detector.score(replace(face, data=repainted(face.data)))
    assert painted.artifacts["logits"][0] > 0 > even.artifacts["logits"][0]
    assert painted.artifacts["logits"][0] > even.artifacts["logits"][0] + 1.0


def test_the_spectrum_sees_where_power_lies() -> None:
    x = np.arange(64, dtype=np.float32)
    slow, fast = (100 * np.sin(2 * np.pi * x / period) for period in (24, 3))
    rows = [azimuthal_spectrum(np.tile(w, (64, 1)).astype(np.float32)) for w in (slow, fast)]
    assert rows[0].argmax() < rows[1].argmax()


def test_features_are_finite_at_any_size() -> None:
    for size in (1, 40, 256, 300):
        crop = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
        assert np.isfinite(crop_features(crop)).all()
        assert np.isfinite(crop_features(np.zeros_like(crop))).all()
