"""The examination of one file, from bytes to report. Built once, used for many files."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2

from forensics import __version__
from forensics.detectors import Detector, create_detector, list_detectors, weights_of
from forensics.engines.background import Background
from forensics.engines.identify import identify
from forensics.engines.judging import Judge, Judged
from forensics.engines.ledger import Face, Ledger
from forensics.engines.localise import Thumbnails
from forensics.engines.options import ScanOptions
from forensics.engines.origin import read_origin, with_origin
from forensics.errors import UnreadableInputError
from forensics.faces import FaceFinder, FaceFollower, FaceMesh
from forensics.media import open_clip, stream_frames
from forensics.provenance.facts import TrustAnchors
from forensics.types import (
    Clip,
    FaceCrops,
    FaceTrack,
    Frame,
    Illustration,
    Report,
    Verdict,
)
from forensics.verdict.calibration import (
    Calibration,
    Likelihood,
    check_weights,
    read_calibration,
)
from forensics.verdict.decide import OperatingPoint, decide, posterior

Progress = Callable[[int, int | None], None]
"""Called with the number of pictures seen and, when known, of pictures planned."""

OnFrame = Callable[[Frame, int, int | None], None]
"""Called with each picture, its number from 0 and, when known, the number planned."""

_CHUNK = 4  # crops of one face that are scored together, while the next pictures are looked at
_LEAST_CROPS = 3  # judged crops that a track of a video needs
_FEW = 8  # crops of which all are looked at whatever the first half says
_NEAR = 0.7  # log ratio within which a second look may turn the verdict
_BURSTS = 4  # times at which directly following pictures are looked at


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
        given = None if options.calibration is None else Path(options.calibration)
        self.calibration: Calibration = read_calibration(given)
        if given is not None:
            check_weights(self.calibration, self.detectors, given)
        target = options.target_fpr
        if target is None:
            target = float(self.calibration.error_rates["target_fpr"])
        self.judge = Judge(self.calibration, self.detectors, target)
        self.threshold = self.judge.suspect([])
        self._finder, self._mesh = FaceFinder(), FaceMesh()

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
            environment = self._environment({"pictures": 0})
            if clip is None:
                with suppress(UnreadableInputError):
                    environment["file"] = identify(path, self.options.limits.max_bytes)
            return Report(
                path,
                clip=clip,
                verdict=Verdict("inconclusive", prior=self.options.prior, reasons=reasons),
                environment=environment,
                error=str(error),
            )

    def _examine(
        self,
        clip: Clip,
        path: Path,
        on_progress: Progress | None,
        on_frame: OnFrame | None,
    ) -> Report:
        ledger = self._ledger(clip.kind)
        plan = self.options.plan()
        moving = clip.kind == "video" and any(d.input == "track" for d in self.detectors)
        plan = replace(plan, bursts=_BURSTS if moving else 0)
        frames = Thumbnails()
        planned = None if plan.mode == "all" else len(plan.target_times(clip.duration))
        seen, with_face = 0, 0
        with (
            _one_picture_thread(),
            Background(ledger.take) as scoring,
            stream_frames(clip, plan, limits=self.options.limits) as stream,
        ):
            follower = FaceFollower(
                scoring.put, finder=self._finder, mesh=self._mesh, chunk=_CHUNK,
                bursts=ledger.take_burst,
            )
            for frame in stream:
                found = follower.push(frame)
                if frame.extra:
                    continue
                if found:
                    frames.keep(frame)
                with_face += found > 0
                if on_frame:
                    on_frame(frame, seen, planned)
                seen += 1
                if on_progress:
                    on_progress(seen, planned)
            warnings = stream.warnings
            tracks = follower.close()
        ledger.finish()
        judged, evidence, pictures = [], [], []
        for track in tracks:
            face = ledger.faces[track.id]
            said = self._judge_track(track, face, ledger, clip.kind)
            judged.append((said, face))
            evidence += self.judge.evidence(track, face, said)
            pictures += self._illustrate(track, face, clip, frames)
        verdict = self._conclude(judged)
        sampling = {
            "mode": plan.mode, "pictures": seen, "pictures_with_face": with_face,
            "bursts": plan.bursts, "warnings": list(warnings),
        }
        pictures.sort(key=lambda item: -item.score)
        return Report(
            path,
            clip=clip,
            verdict=verdict,
            tracks=tuple(said.result for said, _ in judged),
            evidence=tuple(evidence),
            environment=self._environment(sampling),
            illustrations=tuple(pictures[:6]),
        )

    def say(
        self, faces: Iterable[tuple[FaceTrack, FaceCrops]], kind: str = "video"
    ) -> tuple[Verdict, list[tuple[Judged, Face]]]:
        """Say of faces that were cut out before what a scan of their file would.

        The crops count as their quality says, abstention codes included, so that whoever changes
        pixels and measures the quality anew has the gate decide anew. Bursts are not among them:
        detectors of whole tracks have nothing to look at.

        Args:
            faces: Tracks with all their crops, as `forensics.faces.follow_faces` gives them.
            kind: ``video`` or ``image``.

        Returns:
            The verdict, and what it rests on: each face with its account.
        """
        ledger = self._ledger(kind)
        tracks = []
        for track, crops in faces:
            ledger.take(crops)
            tracks.append(track)
        judged = [
            (self._judge_track(track, ledger.faces[track.id], ledger, kind), ledger.faces[track.id])
            for track in tracks
        ]
        return self._conclude(judged), judged

    def _ledger(self, kind: str) -> Ledger:
        return Ledger(
            self.detectors, leading=self.judge.leading, keep_unusable=self._keep_unusable,
            still=kind == "image",
        )

    def _judge_track(self, track: FaceTrack, face: Face, ledger: Ledger, kind: str) -> Judged:
        """Judge one track; heavy detectors look again unless it is clearly not suspicious.

        A swap of a few seconds hardly moves the ratio of the whole, so a stretch that seems to
        stand out is looked at closely too.
        """
        least = 1 if kind == "image" else min(_LEAST_CROPS, self.options.frames)
        said = self.judge.judge(track, face, least)
        likelihood = said.likelihood
        few = len(face.quality) <= _FEW
        closer = few or self._worth_it(likelihood) or self.judge.hints_at_part(face)
        if closer and ledger.second_look(track.id):
            said = self.judge.judge(track, face, least)
        return said

    def _worth_it(self, likelihood: Likelihood | None) -> bool:
        """Tell whether further crops may decide, or are wanted for the times of a suspicious face.

        Crops of one face are so alike that a second look moves the ratio little.
        """
        if likelihood is None:
            return True
        suspect, clear = self.judge.suspect([likelihood]), self.judge.clear([likelihood])
        return likelihood.llr > suspect - _NEAR or abs(likelihood.llr - clear) < _NEAR

    def _conclude(self, judged: Sequence[tuple[Judged, Face]]) -> Verdict:
        """Decide, and abstain where a mild re-encoding or another detector speaks against it."""
        results = [said.result for said, _ in judged]
        kept = [(said.likelihood, face) for said, face in judged if said.likelihood is not None]
        likelihoods = [likelihood for likelihood, _ in kept]
        suspect = self.judge.suspect(likelihoods)
        clear = min(self.judge.clear(likelihoods), suspect)
        point = OperatingPoint(suspect=suspect, clear=clear, prior=self.options.prior)
        verdict = decide(results, likelihoods, point)
        if verdict.label == "inconclusive":
            return verdict
        likelihood, face = max(kept, key=lambda item: item[0].llr)
        doubts = self.judge.doubts(face, likelihood, verdict.label, suspect)
        if not doubts:
            return verdict
        rest = tuple(r for r in verdict.reasons if not r.endswith("_threshold"))
        return replace(verdict, label="inconclusive", reasons=(*doubts, *rest))

    def _illustrate(
        self, track: FaceTrack, face: Face, clip: Clip, frames: Thumbnails
    ) -> list[Illustration]:
        context = face.context()
        return [
            Illustration(
                track.id, pts=item.pts, score=self.judge.score(item.logit, context),
                crop=item.crops.data[0], heat=item.region, to_frame=item.crops.to_frame[0],
                frame_size=clip.size, frame=frames.at(item.pts),
            )
            for item in sorted(face.pictures, reverse=True)
        ]

    def _environment(self, sampling: dict[str, Any]) -> dict[str, Any]:
        config = self.options.resolved() | {
            "detectors": [d.name for d in self.detectors],
            "threshold_llr": self.threshold,
            "still_threshold_llr": self.judge.suspect_still(),
            "score_threshold": posterior(self.judge.suspect_alone(), 0.5),
            "calibration_sha256": self.calibration.sha256,
        }
        if self._anchors is not None:
            config["trust_anchors_sha256"] = self._anchors.sha256
        return {
            "versions": _versions() | {f"detector {d.name}": d.version for d in self.detectors},
            "weights_sha256": weights_of(self.detectors),
            "calibration": "shipped" if self.options.calibration is None else "given",
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


def _versions() -> dict[str, str]:
    packages: Sequence[str] = ("av", "numpy", "onnxruntime", "opencv-python-headless")
    found = {"deepfake-forensics": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
