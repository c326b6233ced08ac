"""What is remembered of each face while a clip streams by: numbers always, few pictures."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forensics.detectors import Detector
from forensics.types import CropQuality, Evidence, FaceCrops

_PICTURES = 3  # most suspicious crops kept of each track


@dataclass(order=True)
class _Picture:
    logit: float
    pts: float
    crop: NDArray[np.uint8] = field(compare=False)
    region: NDArray[np.float32] | None = field(compare=False)


@dataclass
class Face:
    """The account of one track.

    Attributes:
        quality: Of every crop.
        logits: By detector, of the judged crops.
        pts: Times of the judged crops.
        usable: Whether the quality gate let each of them pass.
        pictures: The most suspicious crops by the leading detector.
    """

    quality: list[CropQuality] = field(default_factory=list)
    logits: dict[str, list[float]] = field(default_factory=dict)
    pts: dict[str, list[float]] = field(default_factory=dict)
    usable: dict[str, list[bool]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    pictures: list[_Picture] = field(default_factory=list)

    def codes(self) -> tuple[str, ...]:
        """Return the abstention codes of the crops, commonest first."""
        counts = Counter(code for q in self.quality for code in q.codes)
        return tuple(code for code, _ in counts.most_common())

    def medians(self) -> dict[str, float]:
        """Return the median of each quality value and the share of usable crops."""
        names = ("inter_ocular", "sharpness", "exposure", "yaw", "mesh_confidence", "occlusion")
        values = {n: float(np.median([getattr(q, n) for q in self.quality])) for n in names}
        values["usable_share"] = float(np.mean([q.usable for q in self.quality]))
        values["crops"] = float(len(self.quality))
        return values


class Ledger:
    """Run the detectors over chunks of crops and keep the account.

    Args:
        detectors: In the order in which they run; the first one chooses the pictures.
        keep_unusable: Also measure crops that the quality gate refuses (for evaluation).
    """

    def __init__(self, detectors: Sequence[Detector], *, keep_unusable: bool = False) -> None:
        self._detectors = detectors
        self._keep_unusable = keep_unusable
        self.faces: dict[int, Face] = {}

    def take(self, crops: FaceCrops) -> None:
        """Measure one chunk of one track."""
        face = self.faces.setdefault(crops.track_id, Face())
        face.quality += crops.quality
        usable = np.array([q.usable for q in crops.quality], bool)
        if not self._keep_unusable:
            crops = crops.select(usable)
        if not len(crops):
            return
        for position, detector in enumerate(self._detectors):
            for item in detector.score(crops):
                self._note(face, item, crops, leading=position == 0)

    def _note(self, face: Face, item: Evidence, crops: FaceCrops, *, leading: bool) -> None:
        logits = item.artifacts.get("logits")
        if logits is None or item.source == "":
            return
        face.kinds[item.source] = item.kind
        face.logits.setdefault(item.source, []).extend(float(x) for x in logits)
        times = [float(x) for x in item.artifacts["pts"]]
        passed = {float(t) for t, q in zip(crops.pts, crops.quality, strict=True) if q.usable}
        face.pts.setdefault(item.source, []).extend(times)
        face.usable.setdefault(item.source, []).extend(t in passed for t in times)
        if not leading:
            return
        region = item.artifacts.get("region")
        for index in np.argsort(-np.asarray(logits))[:_PICTURES]:
            heat = None if region is None else np.asarray(region[index], np.float32)
            picture = _Picture(
                float(logits[index]), float(crops.pts[index]), crops.data[index].copy(), heat
            )
            if len(face.pictures) < _PICTURES:
                heapq.heappush(face.pictures, picture)
            else:
                heapq.heappushpop(face.pictures, picture)
