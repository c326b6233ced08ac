"""What is remembered of each face while a clip streams by: numbers always, few pictures."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors import Detector
from forensics.faces.track import join_crops
from forensics.types import CropQuality, Evidence, FaceCrops
from forensics.verdict.calibration import Context

_PICTURES = 3  # most suspicious crops kept of each track
_HEAVY = 1  # detectors of this cost and more look at every other crop first
_HEAVIEST = 3  # and of this, at every fourth
_HELD = 96  # crops of all tracks together that wait for a second look
_BURSTS = 64  # bursts of all tracks together that are kept


@dataclass(order=True)
class Picture:
    """One crop that is kept, with what the leading detector drew on it."""

    logit: float
    pts: float
    crops: FaceCrops = field(compare=False)
    region: NDArray[np.float32] | None = field(compare=False)


@dataclass
class Face:
    """The account of one track.

    Attributes:
        quality: Of every crop.
        logits: By detector, of the measured crops.
        pts: Times of the measured crops.
        usable: Whether the quality gate let each of them pass.
        kinds: What each detector measured.
        values: Further numbers that a detector told of the track.
        pictures: The most suspicious crops by the leading detector.
        still: Whether the face was seen in a still picture.
    """

    quality: list[CropQuality] = field(default_factory=list)
    logits: dict[str, list[float]] = field(default_factory=dict)
    pts: dict[str, list[float]] = field(default_factory=dict)
    usable: dict[str, list[bool]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    values: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)
    held: list[FaceCrops] = field(default_factory=list, repr=False)
    bursts: list[FaceCrops] = field(default_factory=list, repr=False)
    seen: int = 0
    still: bool = False

    def codes(self) -> tuple[str, ...]:
        """Return the abstention codes of the crops, commonest first."""
        counts = Counter(code for q in self.quality for code in q.codes)
        return tuple(code for code, _ in counts.most_common())

    def medians(self) -> dict[str, float]:
        """Return the median of each quality value and the share of usable crops."""
        names = (
            "inter_ocular", "sharpness", "grain", "exposure", "yaw", "mesh_confidence", "occlusion",
        )
        values = {n: float(np.median([getattr(q, n) for q in self.quality])) for n in names}
        values["usable_share"] = float(np.mean([q.usable for q in self.quality]))
        values["crops"] = float(len(self.quality))
        return values

    def context(self) -> Context:
        """Return the picture quality of the crops that can be judged, or of all if none can."""
        chosen = [q for q in self.quality if q.usable] or self.quality
        return Context(grain=float(np.median([q.grain for q in chosen])))

    def measured(self, *, usable_only: bool = True) -> dict[str, NDArray[np.float64]]:
        """Return the logits by detector, in time order."""
        found = {}
        for name, logits in self.logits.items():
            values = np.array(logits, np.float64)
            if usable_only:
                values = values[np.array(self.usable[name], bool)]
            if len(values):
                found[name] = values
        return found

    def sort(self) -> None:
        """Put the measurements into time order: a second look comes after the first."""
        for name, pts in list(self.pts.items()):
            order = [int(i) for i in np.argsort(np.array(pts), kind="stable")]
            self.logits[name] = [self.logits[name][i] for i in order]
            self.usable[name] = [self.usable[name][i] for i in order]
            self.pts[name] = [pts[i] for i in order]


class Ledger:
    """Run the detectors over chunks of crops and keep the account.

    Detectors that cost nothing look at every crop. The others look at every other crop, the most
    expensive at every fourth, and at those between only when `second_look` is asked for: while that
    may decide, or to tell when a face is suspicious.

    Args:
        detectors: In the order in which they run.
        leading: Name of the detector that chooses the pictures; the last one when None.
        keep_unusable: Also measure crops that the quality gate refuses (for evaluation).
        whole: Let heavy detectors look at every crop at once.
        still: The faces come out of still pictures.
    """

    def __init__(
        self, detectors: Sequence[Detector], *, leading: str | None = None,
        keep_unusable: bool = False, whole: bool = False, still: bool = False,
    ) -> None:
        self._crop_detectors = [d for d in detectors if d.input == "face_crops"]
        self._track_detectors = [d for d in detectors if d.input == "track"]
        names = [d.name for d in self._crop_detectors]
        self._leading = leading if leading in names else (names[-1] if names else "")
        self._keep_unusable, self._whole, self._still = keep_unusable, whole, still
        self._held = 0
        self._bursts = 0
        self.faces: dict[int, Face] = {}

    def take(self, crops: FaceCrops) -> None:
        """Measure one chunk of one track."""
        face = self.faces.setdefault(crops.track_id, Face(still=self._still))
        face.quality += crops.quality
        usable = np.array([q.usable for q in crops.quality], bool)
        if not self._keep_unusable:
            crops = crops.select(usable)
        if not len(crops):
            return
        # Counted over usable crops, so that an evaluation chooses the same ones as a scan.
        passed = np.array([q.usable for q in crops.quality], bool)
        place = np.cumsum(passed) - 1 + face.seen
        every_other = ~passed | (place % 2 == 0)
        face.seen += int(passed.sum())
        later = np.flatnonzero(~every_other)
        if self._whole or self._held + len(later) > _HELD:
            now, few, later = crops, crops, later[:0]
        else:
            now, few = crops.select(every_other), crops.select(~passed | (place % 4 == 0))
        for detector in self._crop_detectors:
            heavy, heaviest = detector.cost >= _HEAVY, detector.cost >= _HEAVIEST
            self._run(detector, few if heaviest else now if heavy else crops, face)
        if len(later) and any(d.cost >= _HEAVY for d in self._crop_detectors):
            face.held.append(crops.select(later))
            self._held += len(later)

    def take_burst(self, crops: FaceCrops) -> None:
        """Keep the crops of one burst; all bursts of a track are measured together at the end."""
        if self._track_detectors and self._bursts < _BURSTS:
            face = self.faces.setdefault(crops.track_id, Face(still=self._still))
            face.bursts.append(crops)
            self._bursts += 1

    def finish(self) -> None:
        """Measure what can be measured of whole tracks only."""
        for face in self.faces.values():
            for detector in self._track_detectors:
                if face.bursts:
                    self._run(detector, join_crops(face.bursts), face)
            face.bursts = []

    def second_look(self, track_id: int) -> bool:
        """Let the heavy detectors look at the crops that were put off; tell whether there were."""
        face = self.faces[track_id]
        held, face.held = face.held, []
        if not held:
            return False
        crops = join_crops(held)
        self._held -= len(crops)
        for detector in self._crop_detectors:
            if detector.cost >= _HEAVY:
                self._run(detector, crops, face)
        face.sort()
        return True

    def _run(self, detector: Detector, crops: FaceCrops, face: Face) -> None:
        if not len(crops):
            return
        for item in (detector.score_still if face.still else detector.score)(crops):
            self._note(face, item, crops, leading=item.source == self._leading)

    def _note(self, face: Face, item: Evidence, crops: FaceCrops, *, leading: bool) -> None:
        logits = item.artifacts.get("logits")
        if logits is None or item.source == "":
            return
        face.kinds[item.source] = item.kind
        face.values[item.source] = item.values
        face.logits.setdefault(item.source, []).extend(float(x) for x in logits)
        times = [float(x) for x in item.artifacts["pts"]]
        passed = {float(t) for t, q in zip(crops.pts, crops.quality, strict=True) if q.usable}
        face.pts.setdefault(item.source, []).extend(times)
        face.usable.setdefault(item.source, []).extend(t in passed for t in times)
        if not leading:
            return
        region = item.artifacts.get("region")
        for index in np.argsort(-np.asarray(logits))[:_PICTURES]:
            at = int(np.searchsorted(crops.pts, times[index]))
            heat = None if region is None else np.asarray(region[index], np.float32)
            picture = Picture(float(logits[index]), times[index], crops.select([at]), heat)
            if len(face.pictures) < _PICTURES:
                heapq.heappush(face.pictures, picture)
            else:
                heapq.heappushpop(face.pictures, picture)
