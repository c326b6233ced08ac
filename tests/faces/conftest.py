"""Face models, loaded once."""

from __future__ import annotations

import pytest

from forensics.faces import FaceFinder, FaceMesh


@pytest.fixture(scope="session")
def finder(models: None) -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="session")
def mesh_model(models: None) -> FaceMesh:
    return FaceMesh()
