"""A registry that is put back after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forensics.detectors import _registry, list_detectors


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
