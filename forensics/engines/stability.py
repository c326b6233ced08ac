"""Would the same picture, coded again or without its colours, be measured otherwise?

A verdict that a mild re-encoding turns over is none, and neither is one that rests on colours
alone: a lamp of another colour than the wall behind looks to a detector like a face from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def without_colour(crops: FaceCrops) -> FaceCrops:
    """Return the same crops in black and white."""
    gray = [cv2.cvtColor(np.ascontiguousarray(c), cv2.COLOR_RGB2GRAY) for c in crops.data]
    return replace(crops, data=np.repeat(np.stack(gray)[..., None], 3, axis=-1))


def shifts(
    detectors: Sequence[Detector], crops: FaceCrops, before: Mapping[str, NDArray[np.float64]],
    change: Callable[[FaceCrops], FaceCrops],
) -> dict[str, float]:
    """Return by how much a change moves each detector's logits, in the median.

    Args:
        detectors: Detectors of face crops.
        crops: The crops to change.
        before: Their logits by detector; a detector that is not in it is measured twice.
        change: What is done to them.
    """
    again = change(crops)
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
