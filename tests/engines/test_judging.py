"""Doubts that turn a verdict into an abstention, on measurements made up for the purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forensics.detectors import Detector
from forensics.engines.judging import Judge
from forensics.engines.ledger import Face, Ledger
from forensics.engines.stability import recode, shifts, without_colour
from forensics.engines.wording import explain
from forensics.testing import make_crops
from forensics.types import CropQuality, Evidence, FaceCrops
from forensics.verdict.calibration import Calibration, Context, Model

QUALITY = CropQuality(
    64.0, sharpness=1.0, exposure=0.5, yaw=0.0, mesh_confidence=1.0, grain=0.0
)


class sturdy(Detector):
    """Score what it is told, whatever the pixels are."""

    name, version, cost = "sturdy", "1", 1
    sign = "a seam"

    def __init__(self, logit: float = 2.0) -> None:
        self.logit = logit

    def score(self, crops: FaceCrops) -> list[Evidence]:
        return [Evidence(self.name, kind="seam", track_id=crops.track_id, artifacts={
            "pts": crops.pts, "logits": np.full(len(crops), self.logit)})]  # fmt: skip


class brittle(sturdy):
    """Score the finest grain, which no encoder keeps."""

    name = "brittle"

    def score(self, crops: FaceCrops) -> list[Evidence]:
        fine = np.abs(np.diff(crops.data.astype(float), axis=2)).mean((1, 2, 3))
        return [Evidence(self.name, kind="grain", track_id=crops.track_id, artifacts={
            "pts": crops.pts, "logits": fine - 8.0})]  # fmt: skip


class colourful(sturdy):
    """Sees nothing but how far the channels lie apart."""

    name = "colourful"

    def score(self, crops: FaceCrops) -> list[Evidence]:
        apart = np.ptp(crops.data.astype(float), axis=3).mean((1, 2))
        return [Evidence(self.name, kind="colour", track_id=crops.track_id, artifacts={
            "pts": crops.pts, "logits": apart - 8.0})]  # fmt: skip


def model_of(*names: str) -> Model:
    k = 2 * len(names)
    return Model(
        detectors=names, mean=(0.0,) * k, scale=(1.0,) * k,
        coefficients=(0.0, *((1.0, 0.0) * len(names))),
        covariance=((0.0,) * (k + 1),) * (k + 1),
        real_scores=tuple(np.linspace(-4, 1, 200)), fake_scores=(tuple(np.linspace(-1, 4, 200)),),
    )  # fmt: skip


def judge_of(*detectors: Detector) -> Judge:
    names = [d.name for d in detectors]
    sets = [tuple(names), *((n,) for n in names)]
    calibration = Calibration(
        detectors=dict.fromkeys(names, "1"), weights_sha256=dict.fromkeys(names, ""),
        correlation=dict.fromkeys(names, 1.0),
        models=tuple(model_of(*s) for s in dict.fromkeys(sets)), still=None, edges=(),
        bound=4.0, n_real=200, n_fake=200, miss_share=0.05, population="made up",
        error_rates={"target_fpr": 0.02},
    )  # fmt: skip
    return Judge(calibration, detectors, 0.05)


def face_of(
    judge: Judge, *detectors: Detector, noise: float = 0.0, red: int = 0
) -> Face:
    rng = np.random.default_rng(0)
    data = np.clip(128 + rng.normal(0, noise, (4, 256, 256, 3)), 0, 255).astype(np.uint8)
    data[..., 0] += np.uint8(red)
    crops = replace(make_crops(4, data=data), quality=(QUALITY,) * 4)
    ledger = Ledger(detectors, leading=judge.leading)
    ledger.take(crops)
    return ledger.faces[3]


def doubts(judge: Judge, face: Face, label: str) -> list[str]:
    likelihood = judge.calibration.likelihood(judge.summaries(face.measured()), face.context())
    assert likelihood is not None
    return judge.doubts(face, likelihood, label, judge.suspect([likelihood]))


@pytest.mark.parametrize(("inside", "hint"), [(2.0, True), (-4.0, False)])
def test_a_part_that_seems_to_stand_out_is_hinted_at(inside: float, hint: bool) -> None:
    """Only where it is suspicious: less harmless than the rest is no reason to look again."""
    judge = judge_of(sturdy())
    times = [0.25 * n for n in range(16)]
    face = face_of(judge, sturdy())
    face.pts["sturdy"], face.usable["sturdy"] = times, [True] * 16
    face.logits["sturdy"] = [inside if 4 <= n < 10 else -6.0 for n in range(16)]
    assert judge.hints_at_part(face) is hint


def test_a_still_has_to_look_more_suspicious_than_one_picture_of_many() -> None:
    judge = judge_of(sturdy())
    judge.calibration = replace(judge.calibration, still=model_of("sturdy"))
    summaries = judge.summaries({"sturdy": np.array([1.0])})
    face = judge.calibration.likelihood(summaries, Context(0.0), still=True)
    assert face is not None and face.still
    assert judge.suspect([face]) == judge.suspect_still() > judge.suspect_alone()


def test_a_steady_score_is_not_doubted() -> None:
    for logit, label in ((2.0, "suspect"), (-2.0, "no_evidence")):
        judge = judge_of(sturdy(logit))
        assert doubts(judge, face_of(judge, sturdy(logit)), label) == []


def test_a_score_that_a_mild_encoder_takes_away_is_doubted() -> None:
    judge = judge_of(brittle())
    face = face_of(judge, brittle(), noise=9.0)
    assert face.logits["brittle"][0] > 1.0
    assert "unstable" in doubts(judge, face, "suspect")


def test_a_verdict_that_a_mild_encoder_turns_over_is_doubted_though_something_is_left() -> None:
    """Colours may carry part of a score; a re-encoding may not take the verdict itself away."""
    judge = judge_of(sturdy(1.0))
    face = face_of(judge, sturdy(1.0))
    likelihood = judge.calibration.likelihood(judge.summaries(face.measured()), face.context())
    assert likelihood is not None
    above, below = likelihood.llr + 0.1, likelihood.llr - 0.1
    assert judge.doubts(face, likelihood, "suspect", above) == ["unstable"]
    assert judge.doubts(face, likelihood, "suspect", below) == []


def test_a_score_that_rests_on_colours_alone_is_doubted() -> None:
    judge = judge_of(colourful())
    face = face_of(judge, colourful(), red=40)
    assert face.logits["colourful"][0] > 1.0
    assert doubts(judge, face, "suspect") == ["colour_alone"]
    # Where nothing was found, the same shift is no reason for doubt.
    assert "colour_alone" not in doubts(judge, face, "no_evidence")
    gray = without_colour(make_crops(2)).data
    assert gray.shape == make_crops(2).data.shape and np.ptp(gray, axis=-1).max() == 0


def test_a_detector_that_is_sure_by_itself_is_a_conflict() -> None:
    detectors = (sturdy(-6.0), brittle())
    judge = judge_of(*detectors)
    face = face_of(judge, *detectors, noise=9.0)
    assert "conflict" in doubts(judge, face, "no_evidence")


def test_shifts_are_measured_by_the_same_detector() -> None:
    crops = make_crops(3)
    moved = shifts([sturdy(1.0), brittle()], crops, {}, recode)
    assert moved["sturdy"] == 0.0
    assert moved["brittle"] < 0
    assert recode(crops).data.shape == crops.data.shape


@pytest.mark.parametrize(
    ("llr", "words"),
    [
        (None, "not calibrated"),
        (3.0, "there is a seam; what was measured is 20.1 times"),
        (0.5, "weak signs of a seam"),
        (-0.5, "nothing stands out that would show a seam"),
    ],
)
def test_every_item_has_its_own_plain_sentence(llr: float | None, words: str) -> None:
    text = explain(sturdy(), llr, 4, suspect=2.0)
    assert words in text and text.startswith(("On 4 pictures", "Looked on 4 pictures"))
    assert "1 picture " in explain(sturdy(), llr, 1, suspect=2.0)
