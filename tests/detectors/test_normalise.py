"""Light and focus of a crop are no traces of a fake."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.detectors import create_detector
from forensics.detectors._normalise import normalise
from forensics.testing import make_crops


@pytest.fixture
def crop(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A well lit, sharp face."""
    return np.asarray(cv2.resize(astronaut[0:256, 100:356], (192, 192)), np.uint8)


def luma(crop: NDArray[np.uint8]) -> float:
    return float(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[48:144, 48:144].mean())


def detail(crop: NDArray[np.uint8]) -> float:
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[48:144, 48:144]
    return float(cv2.Laplacian(gray, cv2.CV_32F).std() / gray.std())


def test_a_bright_sharp_crop_passes_unchanged(crop: NDArray[np.uint8]) -> None:
    assert luma(crop) > 75 and detail(crop) > 0.25
    assert np.array_equal(normalise(crop), crop)


def test_a_dark_crop_is_brightened_with_its_colours_kept(crop: NDArray[np.uint8]) -> None:
    dark = (crop * 0.2).astype(np.uint8)
    found = normalise(dark)
    assert luma(dark) < 40 and luma(found) == pytest.approx(75, abs=1.5)
    before, after = (x[48:144, 48:144].reshape(-1, 3).mean(0) for x in (dark, found))
    assert np.allclose(before / before.sum(), after / after.sum(), atol=0.01)


def test_a_pale_crop_gets_more_contrast_about_its_own_middle(crop: NDArray[np.uint8]) -> None:
    pale = (120 + (crop.astype(float) - 120) * 0.2).astype(np.uint8)
    found = normalise(pale)

    def spread(x: NDArray[np.uint8]) -> float:
        return float(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[48:144, 48:144].std())

    assert spread(pale) < 15 < 22 < spread(found) < 32
    assert luma(found) == pytest.approx(luma(pale), abs=1.5)


def test_a_soft_crop_is_sharpened_within_bounds(crop: NDArray[np.uint8]) -> None:
    soft = np.asarray(cv2.GaussianBlur(crop, (0, 0), 2.0), np.uint8)
    found = normalise(soft)
    assert detail(soft) < detail(found) < 2.1 * detail(soft)


def test_a_softer_face_stays_softer_than_its_surroundings(crop: NDArray[np.uint8]) -> None:
    pasted = cv2.GaussianBlur(crop, (0, 0), 1.5)
    pasted[:, :96] = cv2.GaussianBlur(crop, (0, 0), 4.0)[:, :96]
    found = normalise(np.asarray(pasted, np.uint8))

    def halves(x: NDArray[np.uint8]) -> NDArray[np.float64]:
        fine = np.abs(cv2.Laplacian(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
        return np.array([fine[48:144, 48:92].mean(), fine[48:144, 100:144].mean()])

    assert (halves(found) > halves(pasted)).all()
    assert halves(found)[0] < 0.7 * halves(found)[1]


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_crop_is_no_trouble(level: int) -> None:
    flat = np.full((192, 192, 3), level, np.uint8)
    found = normalise(flat)
    assert found.shape == flat.shape and found.dtype == np.uint8
    assert np.ptp(found) == 0


def test_less_light_moves_the_score_little(crop: NDArray[np.uint8]) -> None:
    lit = np.asarray(cv2.convertScaleAbs(crop, alpha=75 / luma(crop)), np.uint8)
    dark = (lit * 0.5).astype(np.uint8)
    (item,) = create_detector("blend").score(make_crops(2, data=np.stack([lit, dark])))
    bright, dim = item.artifacts["logits"]
    assert abs(bright - dim) < 0.5
