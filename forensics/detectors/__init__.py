"""Detectors: plug-ins that measure one artefact each. Loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.detectors._base import Detector, weights_of
    from forensics.detectors._registry import (
        create_detector,
        detector_info,
        list_detectors,
        register_detector,
    )

_HOMES = {
    "Detector": "forensics.detectors._base",
    "create_detector": "forensics.detectors._registry",
    "detector_info": "forensics.detectors._registry",
    "list_detectors": "forensics.detectors._registry",
    "register_detector": "forensics.detectors._registry",
    "weights_of": "forensics.detectors._base",
}

__all__ = [
    "Detector",
    "create_detector",
    "detector_info",
    "list_detectors",
    "register_detector",
    "weights_of",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.detectors' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
