"""A registry that is put back after each test, and a real face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.detectors import _registry, list_detectors
from forensics.faces import FaceFinder, FaceMesh, align_face
from forensics.faces.mesh import five_points, mesh_in_crop
from forensics.testing import make_crops
from forensics.types import FaceCrops


@pytest.fixture
def registry() -> Iterator[None]:
    """Let a test register what it likes."""
    list_detectors()
    classes, defaults = dict(_registry._classes), set(_registry._defaults)
    yield
    _registry._classes.clear()
    _registry._classes.update(classes)
    _registry._defaults.clear()
    _registry._defaults.update(defaults)


@pytest.fixture(scope="session")
def face(models: None, astronaut: NDArray[np.uint8]) -> FaceCrops:
    """The astronaut as a scan cuts her out."""
    mesh, _ = FaceMesh().points(astronaut, FaceFinder().detect(astronaut)[0])
    crop, to_frame = align_face(astronaut, five_points(mesh))
    return replace(
        make_crops(1, data=crop[None]), mesh=mesh_in_crop(mesh, to_frame)[None]
    )
