"""One detector of ours by itself, before fusion and calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.peers.scorer import Crop, Peer
from forensics.detectors import create_detector, list_detectors
from forensics.types import CropQuality, FaceCrops

_NO_MESH = np.full((1, 468, 3), np.nan, np.float32)
_UNKNOWN = float("nan")
_QUALITY = CropQuality(
    _UNKNOWN, sharpness=_UNKNOWN, exposure=_UNKNOWN, yaw=_UNKNOWN, mesh_confidence=_UNKNOWN
)


class SingleDetector:
    """The raw logit that one detector gives a crop.

    Args:
        name: Of a registered detector that reads face crops and needs no mesh.
    """

    def __init__(self, name: str) -> None:
        self._detector = create_detector(name)

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        detector = self._detector
        return {
            "detector": detector.name,
            "version": detector.version,
            "sha256": detector.card().get("sha256"),
        }

    def logit(self, crop: Crop) -> float:
        """Score one (h, w, 3) RGB face crop; 0 when the detector measures nothing in it."""
        crops = FaceCrops(
            0, pts=np.zeros(1), data=crop[None], to_frame=np.eye(2, 3)[None], mesh=_NO_MESH,
            quality=(_QUALITY,),
        )
        found = [item.artifacts["logits"] for item in self._detector.score_still(crops)]
        return float(found[0][0]) if found and len(found[0]) else 0.0


def alone(names: tuple[str, ...] = ("blend", "frequency")) -> Iterator[tuple[str, Peer]]:
    """Yield the row's name and a scorer for each of these detectors that a scan uses."""
    for name in names:
        if name in list_detectors(default=True):
            yield f"{name} alone", Peer(SingleDetector(name))
