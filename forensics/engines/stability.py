"""Would a mild re-encoding change what was measured? A verdict that it turns over is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.detectors import Detector
from forensics.types import FaceCrops

_QUALITY = 80  # of the JPEG that stands for an upload; a messenger is rougher


def recode(crops: FaceCrops, quality: int = _QUALITY) -> FaceCrops:
    """Return the same crops after a mild JPEG round trip."""
    data = []
    for crop in crops.data:
        _, packed = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
        data.append(decoded[..., ::-1])
    return replace(crops, data=np.stack(data))


def shifts(
    detectors: Sequence[Detector], crops: FaceCrops, before: Mapping[str, NDArray[np.float64]]
) -> dict[str, float]:
    """Return by how much re-encoding moves each detector's logits, in the median.

    Args:
        detectors: Detectors of face crops.
        crops: The crops to re-encode.
        before: Their logits by detector; a detector that is not in it is measured twice.
    """
    again = recode(crops)
    moved = {}
    for detector in detectors:
        old = before.get(detector.name)
        if old is None:
            old = _logits(detector, crops)
        new = _logits(detector, again)
        if len(new) and len(new) == len(old):
            moved[detector.name] = float(np.median(new - old))
    return moved


def _logits(detector: Detector, crops: FaceCrops) -> NDArray[np.float64]:
    parts = [
        np.asarray(item.artifacts["logits"], np.float64)
        for item in detector.score(crops)
        if "logits" in item.artifacts
    ]
    return np.concatenate(parts) if parts else np.zeros(0)
