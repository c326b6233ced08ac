"""From the account of one face to its calibrated ratio, its evidence items and its doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.detectors import Detector
from forensics.engines.ledger import Face
from forensics.engines.stability import recode, shifts, without_colour
from forensics.engines.wording import explain
from forensics.faces.track import join_crops
from forensics.types import Evidence, FaceCrops, FaceTrack, TrackResult
from forensics.verdict.aggregate import TrackSummary, summarise
from forensics.verdict.calibration import Calibration, Context, Likelihood
from forensics.verdict.decide import posterior
from forensics.verdict.timeline import HINT, find_stretch, per_second

Floats = NDArray[np.float64]

STILL_PART = 0.125
"""Part of the accepted false alarms that a still's threshold lets through.

No other picture can speak against a still, and photographs of strangers are more unlike each other
than the calibration's: of the studied real DFDC crops several times the accepted share lay above
its plain threshold.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of one face.

    Attributes:
        result: For the report.
        likelihood: None when the face was not judged.
    """

    result: TrackResult
    likelihood: Likelihood | None


class Judge:
    """Applies a calibration to faces.

    Args:
        calibration: Fitted models.
        detectors: That measured.
        target_fpr: Accepted share of real clips called suspect.
    """

    def __init__(
        self, calibration: Calibration, detectors: Sequence[Detector], target_fpr: float
    ) -> None:
        self.calibration = calibration
        self._detectors = {d.name: d for d in detectors}
        self._target = target_fpr
        names = [d.name for d in detectors]
        model = calibration.model(names)
        self.names: tuple[str, ...] = () if model is None else model.detectors

    def suspect(self, likelihoods: Sequence[Likelihood]) -> float:
        """Return the upper threshold that holds for all of these."""
        sets = {(item.detectors, item.still) for item in likelihoods} or {(self.names, False)}
        return max(
            self.calibration.threshold(
                self._target, names or None, still=still, part=STILL_PART if still else 1.0
            )
            for names, still in sets
        )

    def suspect_alone(self) -> float:
        """Return the upper threshold of one of many pictures, as in the scores over time."""
        return self._of_single(1.0)

    def suspect_still(self) -> float:
        """Return the upper threshold of a still, which no other picture stands beside."""
        return self._of_single(STILL_PART)

    def _of_single(self, part: float) -> float:
        alone = self.calibration.model((self.leading,))
        names = self.names if alone is None else alone.detectors
        return self.calibration.threshold(self._target, names or None, still=True, part=part)

    def clear(self, likelihoods: Sequence[Likelihood]) -> float:
        """Return the lower threshold that holds for all of these."""
        return min(
            (
                self.calibration.clear(item.stratum, item.detectors, still=item.still)
                for item in likelihoods
            ),
            default=0.0,
        )

    def summaries(self, logits: Mapping[str, Floats]) -> dict[str, TrackSummary]:
        """Summarise the logits of every calibrated detector."""
        known = self.calibration.correlation
        return {n: summarise(v, known[n]) for n, v in logits.items() if n in known and len(v)}

    def likelihood(
        self, logits: Mapping[str, Floats], context: Context, *, still: bool, bounded: bool = True
    ) -> Likelihood | None:
        """Return the log likelihood ratio of one face.

        Args:
            logits: By detector.
            context: Picture quality.
            still: Whether there is but one picture.
            bounded: Cut the ratio off where the number of groups supports no more.

        Returns:
            None when no model fits the detectors.
        """
        return self.calibration.likelihood(
            self.summaries(logits), context, bounded=bounded, still=still
        )

    def timed(self, face: Face) -> tuple[Floats, Floats]:
        """Return times and logits of the leading detector on usable crops."""
        name = self.leading
        keep = np.array(face.usable.get(name, []), bool)
        pts = np.array(face.pts.get(name, []), np.float64)
        return pts[keep], np.array(face.logits.get(name, []), np.float64)[keep]

    def hints_at_part(self, face: Face) -> bool:
        """Tell whether a part of a face's time seems to stand out as suspicious."""
        pts, logits = self.timed(face)
        stretch = find_stretch(pts, logits, clear=HINT)
        return stretch is not None and self.score(stretch.inside, face.context()) >= 0.5

    @property
    def leading(self) -> str:
        """The detector whose scores are shown over time."""
        chosen = [n for n in self.calibration.detectors if n in self._detectors]
        crops = [n for n in chosen if self._detectors[n].input == "face_crops"]
        return (crops or chosen or [""])[0]

    def score(self, logit: float, context: Context) -> float:
        """Return the calibrated probability of one crop at even odds, by the leading detector."""
        summaries = self.summaries({self.leading: np.array([logit])})
        likelihood = self.calibration.likelihood(summaries, context, still=True)
        return 0.5 if likelihood is None else posterior(likelihood.llr, 0.5)

    def judge(self, track: FaceTrack, face: Face, least: int) -> Judged:
        """Judge one track or abstain with codes.

        Args:
            track: The track.
            face: Its account.
            least: Judged crops that it needs.
        """
        usable = int(sum(q.usable for q in face.quality))
        logits = face.measured()
        codes: tuple[str, ...] = ()
        if usable < least:
            codes = face.codes() or ("too_few_frames",)
            if usable:
                codes = tuple(dict.fromkeys(("too_few_frames", *codes)))
            # An evaluation measures refused crops too, for a score where a scan abstains.
            logits = face.measured(usable_only=False)
        context = face.context()
        likelihood = self.likelihood(logits, context, still=face.still)
        if not codes and likelihood is None:
            codes = ("not_calibrated",)
        if codes:
            name = self.leading
            times = np.array(face.pts.get(name, []), np.float64)
            values = np.array(face.logits.get(name, []), np.float64)
        else:
            times, values = self.timed(face)
        scores = tuple(
            (float(t), self.score(float(x), context)) for t, x in zip(times, values, strict=True)
        )
        result = TrackResult(
            track.id,
            span=track.span,
            quality=face.medians(),
            boxes=tuple(
                (float(pts), float(left), float(top), float(right), float(bottom))
                for pts, (left, top, right, bottom) in zip(track.pts, track.boxes, strict=True)
            ),
            scores=scores,
            llr=None if codes or likelihood is None else likelihood.llr,
            abstained=bool(codes),
            reasons=codes,
        )
        return Judged(result, None if codes else likelihood)

    def evidence(self, track: FaceTrack, face: Face, judged: Judged) -> list[Evidence]:
        """Return one item for each detector, and one for the times."""
        found = []
        context = face.context()
        for name in face.logits:
            values = np.array(face.logits[name], np.float64)
            llr, suspect = None, 0.0
            if judged.likelihood is not None and name in self.calibration.correlation:
                chosen = face.measured().get(name, np.zeros(0))
                alone = self.calibration.likelihood(
                    self.summaries({name: chosen}), context, still=face.still
                )
                if alone is not None:
                    llr = alone.llr
                    suspect = self.suspect([alone])
            found.append(
                Evidence(
                    name,
                    kind=face.kinds[name],
                    llr=llr,
                    span=(min(face.pts[name]), max(face.pts[name])),
                    track_id=track.id,
                    values={
                        "crops": len(values),
                        "mean_logit": float(values.mean()),
                        "largest_logit": float(values.max()),
                        "spread": float(values.std()),
                        **face.values.get(name, {}),
                    },
                    explanation=explain(self._detectors[name], llr, len(values), suspect),
                )
            )
        if judged.likelihood is not None:
            found += self._timeline(track, face, judged)
        return found

    def _timeline(self, track: FaceTrack, face: Face, judged: Judged) -> list[Evidence]:
        pts, logits = self.timed(face)
        if len(pts) < 2:
            return []
        scores = np.array([score for _, score in judged.result.scores])
        stretch = find_stretch(pts, logits)
        if stretch is not None and self.score(stretch.inside, face.context()) < 0.5:
            stretch = None  # it stands out from the rest, and is still not suspicious
        values: dict[str, object] = {"per_second": per_second(pts, scores), "stretches": []}
        words = "No part of this face's time stands out from the rest as suspicious."
        span = (float(pts[0]), float(pts[-1]))
        if stretch is not None:
            span = (stretch.start, stretch.end)
            values["stretches"] = [
                {"start": round(stretch.start, 3), "end": round(stretch.end, 3),
                 "inside": round(stretch.inside, 3), "outside": round(stretch.outside, 3)}
            ]
            words = (
                f"From {stretch.start:.1f} to {stretch.end:.1f} s the scores of this face stand "
                "out from the rest; a manipulation may be limited to this part."
            )
        return [
            Evidence(
                self.leading, kind="timeline", span=span, track_id=track.id, values=values,
                explanation=words,
            )
        ]

    def doubts(self, face: Face, likelihood: Likelihood, label: str, point: float) -> list[str]:
        """Return codes for what speaks against relying on a verdict that rests on this face.

        Args:
            face: The face that weighs most.
            likelihood: Its ratio.
            label: What the verdict would be.
            point: Log ratio from which a clip is suspect.
        """
        found = []
        logits = face.measured()
        summaries = self.summaries({n: v for n, v in logits.items() if n in likelihood.detectors})
        context = face.context()
        alone = {
            n: self.calibration.likelihood({n: s}, context, still=likelihood.still)
            for n, s in summaries.items()
        }
        against = [
            n
            for n, item in alone.items()
            if item is not None and (
                (label == "no_evidence"
                 and item.llr >= self.suspect([item]))
                or (label == "suspect" and n == self.leading
                    and item.llr <= self.clear([item]))
            )
        ]  # fmt: skip
        if against:
            found.append("conflict")
        if face.pictures:
            pictures = sorted(face.pictures, key=lambda p: p.pts)
            # A still's logits come of a closer look; both must be measured the same way.
            before = {} if face.still else {self.leading: np.array([p.logit for p in pictures])}
            found += self.shaken(
                join_crops([p.crops for p in pictures]), logits, context, likelihood, label, point,
                before=before,
            )
        return found

    def shaken(
        self, crops: FaceCrops, logits: Mapping[str, Floats], context: Context,
        likelihood: Likelihood, label: str, point: float, *,
        before: Mapping[str, Floats] | None = None,
    ) -> list[str]:
        """Return codes for changes of the pictures that a verdict would not outlast.

        Args:
            crops: Pictures of the face.
            logits: Of all its pictures, by detector.
            context: Picture quality.
            likelihood: What was made of them.
            label: What the verdict would be.
            point: Log ratio from which it would be suspect.
            before: Logits of ``crops``, where they were measured as they will be again.
        """
        found = []
        changes: list[tuple[Callable[[FaceCrops], FaceCrops], str, tuple[str, ...], float]]
        changes = [(recode, "unstable", likelihood.detectors, point)]
        if label == "suspect":  # the absence of traces needs no colours to be doubted
            # Colours are evidence too: something has to be left without them, not everything.
            changes.append((without_colour, "colour_alone", (self.leading,), 0.0))
        for change, code, names, least in changes:
            chosen = [
                d for n, d in self._detectors.items()
                if n in names and n in likelihood.detectors and d.input == "face_crops"
            ]
            moved = shifts(chosen, crops, before or {}, change)
            after = self.calibration.likelihood(
                self.summaries({n: v + moved.get(n, 0.0) for n, v in logits.items()
                                if n in likelihood.detectors}),
                context, still=likelihood.still,
            )  # fmt: skip
            if after is None:
                continue
            if after.llr < least if label == "suspect" else after.llr >= point:
                found.append(code)
        return found
