"""Deepfake forensics on a laptop CPU: evidence, calibrated verdicts and provenance, offline.

The names below are loaded on first use, so that ``import forensics`` stays fast and light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Clip": "forensics.types",
    "CropQuality": "forensics.types",
    "Declaration": "forensics.types",
    "Evidence": "forensics.types",
    "FaceCrops": "forensics.types",
    "FaceTrack": "forensics.types",
    "Finding": "forensics.types",
    "Frame": "forensics.types",
    "FrameBatch": "forensics.types",
    "Report": "forensics.types",
    "TrackResult": "forensics.types",
    "Verdict": "forensics.types",
    "ForensicsError": "forensics.errors",
    "UnreadableInputError": "forensics.errors",
    "Limits": "forensics.media",
    "SamplingPlan": "forensics.media",
    "open_clip": "forensics.media",
    "stream_frames": "forensics.media",
    "Detector": "forensics.detectors",
    "create_detector": "forensics.detectors",
    "list_detectors": "forensics.detectors",
    "register_detector": "forensics.detectors",
    "follow_faces": "forensics.faces",
    "scan": "forensics.engines",
    "ScanOptions": "forensics.engines",
    "save_report": "forensics.report.custody",
}

if TYPE_CHECKING:
    from forensics.detectors import (
        Detector,
        create_detector,
        list_detectors,
        register_detector,
    )
    from forensics.engines import ScanOptions, scan
    from forensics.errors import ForensicsError, UnreadableInputError
    from forensics.faces import follow_faces
    from forensics.media import Limits, SamplingPlan, open_clip, stream_frames
    from forensics.report.custody import save_report
    from forensics.types import (
        Clip,
        CropQuality,
        Declaration,
        Evidence,
        FaceCrops,
        FaceTrack,
        Finding,
        Frame,
        FrameBatch,
        Report,
        TrackResult,
        Verdict,
    )

__all__ = [
    "Clip",
    "CropQuality",
    "Declaration",
    "Detector",
    "Evidence",
    "FaceCrops",
    "FaceTrack",
    "Finding",
    "ForensicsError",
    "Frame",
    "FrameBatch",
    "Limits",
    "Report",
    "SamplingPlan",
    "ScanOptions",
    "TrackResult",
    "UnreadableInputError",
    "Verdict",
    "__version__",
    "create_detector",
    "follow_faces",
    "list_detectors",
    "open_clip",
    "register_detector",
    "save_report",
    "scan",
    "stream_frames",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home module on first use."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'forensics' has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
