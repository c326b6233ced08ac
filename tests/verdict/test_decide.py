from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.types import TrackResult, VerdictLabel
from forensics.verdict.calibration import Likelihood
from forensics.verdict.decide import OperatingPoint, combine_tracks, decide, posterior

POINT = OperatingPoint(suspect=2.0, clear=0.0, prior=0.5)

llrs = st.lists(st.floats(-8, 8), min_size=1, max_size=6)


def tracks_of(values: list[float]) -> list[TrackResult]:
    return [TrackResult(i, span=(0.0, 1.0), llr=value) for i, value in enumerate(values)]


def likelihoods_of(values: list[float]) -> list[Likelihood]:
    return [Likelihood(value, 0.3) for value in values]


@settings(deadline=None)
@given(value=st.floats(-8, 8), n=st.integers(1, 9))
def test_equal_tracks_say_what_one_says(value: float, n: int) -> None:
    combined = combine_tracks(likelihoods_of([value] * n))
    assert combined.llr == pytest.approx(value, abs=1e-9)
    assert combined.deviation == pytest.approx(0.3 / math.sqrt(n))


@settings(deadline=None)
@given(values=llrs)
def test_the_clip_lies_between_mean_and_corrected_maximum(values: list[float]) -> None:
    combined = combine_tracks(likelihoods_of(values)).llr
    assert max(values) - math.log(len(values)) - 1e-9 <= combined <= max(values) + 1e-9


def test_combined_ratio_by_hand() -> None:
    combined = combine_tracks(likelihoods_of([math.log(9.0), math.log(1.0)]))
    assert combined.llr == pytest.approx(math.log(5.0))


def test_posterior_by_hand() -> None:
    assert posterior(0.0, 0.5) == 0.5
    assert posterior(math.log(3.0), 0.5) == pytest.approx(0.75)
    assert posterior(math.log(99.0), 0.01) == pytest.approx(0.5)
    assert 0.0 < posterior(-30.0, 0.001) < posterior(30.0, 0.999) <= 1.0


@settings(deadline=None)
@given(values=llrs)
def test_verdict_is_one_of_three_and_never_real(values: list[float]) -> None:
    verdict = decide(tracks_of(values), likelihoods_of(values), POINT)
    assert verdict.label in get_args(VerdictLabel)
    assert "real" not in get_args(VerdictLabel)
    assert verdict.probability is not None and verdict.interval is not None
    assert verdict.interval[0] <= verdict.probability <= verdict.interval[1]


@pytest.mark.parametrize(
    ("value", "label", "reason"),
    [
        (3.0, "suspect", "above_threshold"),
        (2.0, "suspect", "above_threshold"),
        (1.0, "inconclusive", "not_enough_evidence"),
        (-1.0, "no_evidence", "below_threshold"),
    ],
)
def test_labels_turn_at_the_operating_point(value: float, label: str, reason: str) -> None:
    verdict = decide(tracks_of([value]), likelihoods_of([value]), POINT)
    assert (verdict.label, verdict.reasons[0]) == (label, reason)


def test_abstained_faces_are_mentioned() -> None:
    hidden = TrackResult(2, span=(0.0, 1.0), abstained=True, reasons=("too_dark",))
    verdict = decide([*tracks_of([5.0, -3.0]), hidden], likelihoods_of([5.0, -3.0]), POINT)
    assert verdict.label == "suspect"
    assert verdict.reasons == ("above_threshold", "some_faces_not_judged")


def test_nothing_judged_is_inconclusive_with_the_commonest_reason_first() -> None:
    results = [
        TrackResult(0, span=(0.0, 1.0), abstained=True, reasons=("too_dark", "face_too_small")),
        TrackResult(1, span=(0.0, 1.0), abstained=True, reasons=("face_too_small",)),
    ]
    verdict = decide(results, [], POINT)
    assert verdict.label == "inconclusive"
    assert verdict.reasons == ("face_too_small", "too_dark")
    assert verdict.probability is verdict.interval is verdict.llr is None
    assert decide([], [], POINT).reasons == ("no_face",)


def test_operating_point_is_checked() -> None:
    with pytest.raises(ValueError, match="prior"):
        OperatingPoint(suspect=1.0, clear=0.0, prior=1.0)
    with pytest.raises(ValueError, match="exceed"):
        OperatingPoint(suspect=1.0, clear=2.0, prior=0.5)
