"""Faces: find, mesh, align, judge the quality of, and follow them. Loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.faces.align import align_face
    from forensics.faces.detect import DetectedFace, FaceFinder
    from forensics.faces.mesh import FaceMesh
    from forensics.faces.quality import QualityGate, measure_quality
    from forensics.faces.track import FaceFollower, follow_faces

_HOMES = {
    "DetectedFace": "forensics.faces.detect",
    "FaceFinder": "forensics.faces.detect",
    "FaceMesh": "forensics.faces.mesh",
    "align_face": "forensics.faces.align",
    "QualityGate": "forensics.faces.quality",
    "measure_quality": "forensics.faces.quality",
    "FaceFollower": "forensics.faces.track",
    "follow_faces": "forensics.faces.track",
}

__all__ = [
    "DetectedFace",
    "FaceFinder",
    "FaceFollower",
    "FaceMesh",
    "QualityGate",
    "align_face",
    "follow_faces",
    "measure_quality",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.faces' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
