"""The examination of one file, from bytes to report. Built once, used for many files."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from forensics import __version__
from forensics.detectors import Detector, create_detector, list_detectors
from forensics.engines.background import Background
from forensics.engines.ledger import Face, Ledger
from forensics.engines.options import ScanOptions
from forensics.engines.origin import read_origin, with_origin
from forensics.errors import UnreadableInputError
from forensics.faces import FaceFinder, FaceFollower, FaceMesh
from forensics.media import open_clip, stream_frames
from forensics.provenance.facts import TrustAnchors
from forensics.types import (
    Clip,
    Evidence,
    FaceTrack,
    Frame,
    Illustration,
    Report,
    TrackResult,
    Verdict,
)
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import Calibration, Likelihood, read_calibration
from forensics.verdict.decide import OperatingPoint, decide, posterior

Progress = Callable[[int, int | None], None]
"""Called with the number of pictures seen and, when known, of pictures planned."""

OnFrame = Callable[[Frame, int, int | None], None]
"""Called with each picture, its number from 0 and, when known, the number planned."""

_CHUNK = 4  # crops of one face that are scored together, while the next pictures are looked at
_LEAST_CROPS = 3  # judged crops that a track of a video needs
_NO_EVIDENCE_LLR = 0.0  # the material does not speak for a manipulation


class Scanner:
    """Models, detectors and calibration, loaded once.

    Args:
        options: What to do.
        keep_unusable: Measure also what the quality gate refuses (for evaluation).
        anchors: Certificates that the user trusts, for C2PA signatures.

    Raises:
        UsageError: An unknown detector, or a false-alarm target that n cannot carry.
        ModelMissingError: A model or weights file is missing; the message says what to run.
    """

    def __init__(
        self,
        options: ScanOptions,
        *,
        keep_unusable: bool = False,
        anchors: TrustAnchors | None = None,
    ) -> None:
        self.options = options
        self._anchors = anchors
        self._keep_unusable = keep_unusable
        names = options.detectors or tuple(list_detectors(default=True))
        self.detectors: list[Detector] = [create_detector(name) for name in names]
        self.calibration: Calibration = read_calibration()
        self.point = self._operating_point()
        self._finder, self._mesh = FaceFinder(), FaceMesh()

    def _operating_point(self) -> OperatingPoint:
        target = self.options.target_fpr
        if target is None:
            target = float(self.calibration.error_rates["target_fpr"])
        suspect = self.calibration.threshold(target)
        return OperatingPoint(
            suspect=suspect, clear=min(_NO_EVIDENCE_LLR, suspect), prior=self.options.prior
        )

    def scan(
        self,
        path: Path,
        on_progress: Progress | None = None,
        on_frame: OnFrame | None = None,
    ) -> Report:
        """Examine one file. A file that cannot be examined becomes a report that says so."""
        report = self._look(path, on_progress, on_frame)
        origin = read_origin(path, self.options, self._anchors)
        return with_origin(
            report, origin, self.options, error_rate=self.calibration.error_rates
        )

    def _look(
        self, path: Path, on_progress: Progress | None, on_frame: OnFrame | None
    ) -> Report:
        clip: Clip | None = None
        try:
            clip = open_clip(path, limits=self.options.limits)
            return self._examine(clip, path, on_progress, on_frame)
        except UnreadableInputError as error:
            reasons = tuple(dict.fromkeys(("unreadable", error.reason)))
            return Report(
                path,
                clip=clip,
                verdict=Verdict("inconclusive", prior=self.options.prior, reasons=reasons),
                environment=self._environment({"pictures": 0}),
                error=str(error),
            )

    def _examine(
        self,
        clip: Clip,
        path: Path,
        on_progress: Progress | None,
        on_frame: OnFrame | None,
    ) -> Report:
        ledger = Ledger(self.detectors, keep_unusable=self._keep_unusable)
        plan = self.options.plan()
        planned = None if plan.mode == "all" else len(plan.target_times(clip.duration))
        seen, with_face = 0, 0
        with (
            _one_picture_thread(),
            Background(ledger.take) as scoring,
            stream_frames(clip, plan, limits=self.options.limits) as stream,
        ):
            follower = FaceFollower(
                scoring.put, finder=self._finder, mesh=self._mesh, chunk=_CHUNK
            )
            for frame in stream:
                with_face += follower.push(frame) > 0
                if on_frame:
                    on_frame(frame, seen, planned)
                seen += 1
                if on_progress:
                    on_progress(seen, planned)
            warnings = stream.warnings
            tracks = follower.close()
        results, likelihoods, evidence, pictures = [], [], [], []
        for track in tracks:
            face = ledger.faces[track.id]
            result, likelihood = self._judge(track, face, clip)
            results.append(result)
            if likelihood is not None:
                likelihoods.append(likelihood)
            evidence += self._evidence(track, face, likelihood)
            pictures += self._illustrate(track, face)
        verdict = decide(results, likelihoods, self.point)
        sampling = {
            "mode": plan.mode, "pictures": seen, "pictures_with_face": with_face,
            "warnings": list(warnings),
        }
        pictures.sort(key=lambda item: -item.score)
        return Report(
            path,
            clip=clip,
            verdict=verdict,
            tracks=tuple(results),
            evidence=tuple(evidence),
            environment=self._environment(sampling),
            illustrations=tuple(pictures[:6]),
        )

    def _judge(
        self, track: FaceTrack, face: Face, clip: Clip
    ) -> tuple[TrackResult, Likelihood | None]:
        """Judge one track or abstain with codes."""
        name = self.calibration.detector
        logits = np.array(face.logits.get(name, []), np.float64)
        usable = int(sum(q.usable for q in face.quality))
        least = 1 if clip.kind == "image" else min(_LEAST_CROPS, self.options.frames)
        codes: tuple[str, ...] = ()
        if usable < least:
            codes = face.codes() or ("too_few_frames",)
            if usable:
                codes = tuple(dict.fromkeys(("too_few_frames", *codes)))
        elif not len(logits):
            codes = ("not_calibrated",)
        times = np.array(face.pts.get(name, []), np.float64)
        if not codes:
            # An evaluation measures refused crops too, for a score where a scan abstains; where
            # it does not abstain, they must not count.
            passed = np.array(face.usable[name], bool)
            logits, times = logits[passed], times[passed]
        likelihood = None
        if len(logits):
            likelihood = self.calibration.likelihood(
                summarise(logits, self.calibration.correlation)
            )
        result = TrackResult(
            track.id,
            span=track.span,
            quality=face.medians(),
            boxes=tuple(
                (float(pts), float(left), float(top), float(right), float(bottom))
                for pts, (left, top, right, bottom) in zip(track.pts, track.boxes, strict=True)
            ),
            scores=tuple((float(t), self._score(x)) for t, x in zip(times, logits, strict=True)),
            llr=None if codes or likelihood is None else likelihood.llr,
            abstained=bool(codes),
            reasons=codes,
        )
        return result, None if codes else likelihood

    def _score(self, logit: float) -> float:
        """Return the calibrated probability of one crop at even odds."""
        summary = summarise(np.array([logit]), self.calibration.correlation)
        return posterior(self.calibration.likelihood(summary).llr, 0.5)

    def _evidence(
        self, track: FaceTrack, face: Face, likelihood: Likelihood | None
    ) -> list[Evidence]:
        found = []
        for name, logits in face.logits.items():
            values = np.array(logits)
            calibrated = likelihood is not None and name == self.calibration.detector
            llr = likelihood.llr if likelihood is not None and calibrated else None
            found.append(
                Evidence(
                    name,
                    kind=face.kinds[name],
                    llr=llr,
                    span=(min(face.pts[name]), max(face.pts[name])),
                    track_id=track.id,
                    values={
                        "crops": len(logits),
                        "mean_logit": float(values.mean()),
                        "largest_logit": float(values.max()),
                        "spread": float(values.std()),
                    },
                    explanation=_explain(llr, len(logits), self.point),
                )
            )
        return found

    def _illustrate(self, track: FaceTrack, face: Face) -> list[Illustration]:
        return [
            Illustration(
                track.id, pts=item.pts, score=self._score(item.logit), crop=item.crop,
                heat=item.region,
            )
            for item in sorted(face.pictures, reverse=True)
        ]

    def _environment(self, sampling: dict[str, Any]) -> dict[str, Any]:
        config = self.options.resolved() | {
            "detectors": [d.name for d in self.detectors],
            "threshold_llr": self.point.suspect,
            "score_threshold": posterior(self.point.suspect, 0.5),
        }
        if self._anchors is not None:
            config["trust_anchors_sha256"] = self._anchors.sha256
        return {
            "versions": _versions() | {f"detector {d.name}": d.version for d in self.detectors},
            "weights_sha256": {d.name: d.card()["sha256"] for d in self.detectors if d.card()},
            "config": config,
            "config_sha256": self.options.digest(),
            "sampling": sampling,
            "error_rate": self.calibration.error_rates,
        }


@contextmanager
def _one_picture_thread() -> Iterator[None]:
    """Let OpenCV use one thread while decoding and scoring keep the other cores busy.

    Its threads wait for each other in every small layer, which costs more than it gains as soon
    as another process wants a core.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _explain(llr: float | None, crops: int, point: OperatingPoint) -> str:
    """One sentence for a person."""
    if llr is None:
        return f"Measured on {crops} pictures of this face, but no calibrated judgement is made."
    times = np.exp(abs(llr))
    if llr >= point.suspect:
        return (
            f"On {crops} pictures the inner face differs from its surroundings as pasted or "
            f"repainted faces do; this is {times:.1f} times as likely for a manipulated face."
        )
    if llr > 0:
        return (
            f"On {crops} pictures there are weak signs of blending, {times:.1f} times as likely "
            "for a manipulated face; too weak to call the face suspect."
        )
    return (
        f"On {crops} pictures no blend boundary stands out; this is {times:.1f} times as likely "
        "for a face that was not blended in."
    )


def _versions() -> dict[str, str]:
    packages: Sequence[str] = ("av", "numpy", "onnxruntime", "opencv-python-headless")
    found = {"deepfake-forensics": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
