"""The real models and the two public samples, shared by the tests that look at faces."""

from __future__ import annotations

import os

# Before anything loads BLAS or torch: the tests' arrays are small, threads only cost time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.errors import ForensicsError


@pytest.fixture(scope="session")
def models() -> None:
    """Bring the face models and samples into the cache; skip when that is impossible."""
    from forensics.models import pull

    try:
        pull()
    except ForensicsError as error:
        pytest.skip(f"the models cannot be pulled: {error}")


@pytest.fixture(scope="session")
def astronaut(models: None) -> NDArray[np.uint8]:
    """A (512, 512, 3) RGB portrait with one face about 100 px wide."""
    import cv2

    from forensics.models import model_path

    image = cv2.imread(str(model_path("astronaut")))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1])


@pytest.fixture(scope="session")
def head(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The astronaut's head alone, (220, 180, 3)."""
    return astronaut[10:230, 130:310]


@pytest.fixture(scope="session")
def carphone(models: None) -> Path:
    """A real talking head of 176x144 pixels."""
    from forensics.models import model_path

    return model_path("carphone")
