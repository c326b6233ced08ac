from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from forensics.detectors import Detector, create_detector
from forensics.evaluation.rates import wilson
from forensics.training import fusion as module
from forensics.training.calibrate import state_error_rate
from forensics.training.fusion import (
    Measured,
    calibrate,
    cross_scores,
    intraclass_correlation,
    sets_to_fit,
    singles,
)
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import Calibration, Context

pytestmark = pytest.mark.train


class first(Detector):
    """Stand in for a detector of face crops."""

    name, version = "first", "1"


class temporal(Detector):
    """Stand in for a detector of bursts."""

    name, version = "temporal", "2"


def simulate(
    people: int, gap: float, seed: int = 0, names: Sequence[str] = ("first", "temporal")
) -> list[Measured]:
    """One real and one fake clip a person; crops share half of their variance.

    Half of the people are filmed with little grain, where the gap vanishes.
    """
    rng = np.random.default_rng(seed)
    clips = []
    for n in range(people):
        for fake in (0, 1):
            grain = rng.uniform(-0.1, 0.3) if n % 2 else rng.uniform(-1.0, -0.6)
            reach = gap * fake * (grain > -0.3)
            logits = {
                name: rng.normal(rng.normal(reach, 1.0), 1.0, 12 if name == "first" else 3)
                for name in names
            }
            stills = tuple(logits[names[0]][[0, 6, 11]])
            clips.append(
                Measured(
                    logits, Context(grain), bool(fake), f"person {n}", "made", stills=stills
                )
            )
    return clips


def fit(clips: list[Measured], filmed: Sequence[Measured] = ()) -> Calibration:
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "_BOOTSTRAPS", 10)
    patch.setattr(module, "_STRATA", 2)
    try:
        return calibrate(
            clips, [first(), temporal()], population="simulated", target_fpr=0.05,
            miss_share=0.05, filmed=filmed,
        )
    finally:
        patch.undo()


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    return fit(simulate(200, 4.0))


def llr_of(fitted: Calibration, value: float, crops: int, grain: float = 0.1) -> float:
    summaries = {"first": summarise(np.full(crops, value), fitted.correlation["first"])}
    likelihood = fitted.likelihood(summaries, Context(grain))
    assert likelihood is not None
    return likelihood.llr


def test_ratio_rises_with_the_logits_and_is_bounded(fitted: Calibration) -> None:
    values = [llr_of(fitted, x, 12) for x in (-50.0, 0.0, 2.0, 4.0, 50.0)]
    assert values == sorted(values)
    assert abs(values[0]) <= fitted.bound and values[-1] <= fitted.bound
    assert fitted.bound == pytest.approx(np.log(200 / 3), abs=1e-5)
    assert values[1] < -0.5 and values[3] > 1


def test_quality_alone_moves_no_score(fitted: Calibration) -> None:
    assert llr_of(fitted, 4.0, 12, grain=-0.8) == llr_of(fitted, 4.0, 12, grain=5.0)


def test_a_detector_that_points_the_wrong_way_gets_no_weight() -> None:
    clips = [
        replace(c, logits={"first": c.logits["first"], "temporal": -c.logits["temporal"]})
        for c in simulate(100, 4.0)
    ]
    made = fit(clips)
    assert all(w >= 0 for m in made.models for w in m.coefficients[1:])
    alone = next(m for m in made.models if m.detectors == ("temporal",))
    assert alone.coefficients[1:] == (0.0, 0.0)


def test_recordings_hold_the_thresholds_and_are_not_fitted_on() -> None:
    clips = simulate(100, 4.0)
    filmed = [
        replace(c, logits={n: v + 3.0 for n, v in c.logits.items()}, group="studio")
        for c in simulate(6, 0.0, seed=3)
    ]
    plain, held = fit(clips), fit(clips, filmed)
    for before, after in zip(plain.models, held.models, strict=True):
        assert before.coefficients == after.coefficients
        assert len(after.filmed_scores) == 12 and not before.filmed_scores
    assert held.threshold(0.05) >= max(held.models[0].filmed_scores) > plain.threshold(0.05)
    assert held.error_rates["found"] < plain.error_rates["found"]
    assert held.error_rates["filmed_people"] == 1


def test_stills_are_fitted_on_single_pictures(fitted: Calibration) -> None:
    assert fitted.still is not None and fitted.still.detectors == ("first",)
    picked = singles(simulate(20, 4.0), "first")
    assert {len(c.logits["first"]) for c in picked} == {1} and len(picked) == 3 * 40
    assert len(fitted.still.real_scores) == 3 * 200
    one = fitted.likelihood({"first": summarise(np.array([4.0]), 0.5)}, Context(0.0), still=True)
    assert one is not None and 0.0 < one.llr < llr_of(fitted, 4.0, 12)


def test_nothing_is_cleared_where_fakes_look_real(fitted: Calibration) -> None:
    poor, good = (fitted.clear(s) for s in (0, 1))
    rates = fitted.error_rates
    assert rates["cleared_real"] > 20
    assert rates["cleared_fake"] <= 0.05 * rates["fake_clips"] + 1
    assert poor < good <= 0.0
    strata = rates["strata"]
    assert strata[0]["cleared_real"] < strata[1]["cleared_real"]


def test_correlation_is_recovered() -> None:
    flat = simulate(300, 0.0, seed=5)
    assert intraclass_correlation(flat, "first") == pytest.approx(0.5, abs=0.08)
    assert intraclass_correlation(flat, "absent") == 1.0


def test_threshold_honours_its_target_on_new_people(fitted: Calibration) -> None:
    new = simulate(400, 4.0, seed=9)
    threshold = fitted.threshold(0.05)
    scores = []
    for clip in new:
        summaries = {
            n: summarise(v, fitted.correlation[n]) for n, v in clip.logits.items()
        }
        likelihood = fitted.likelihood(summaries, clip.context)
        assert likelihood is not None and likelihood.detectors == ("first", "temporal")
        scores.append(likelihood.llr)
    fake = np.array([c.fake for c in new])
    assert (np.array(scores)[~fake] > threshold).mean() < 0.10
    assert (np.array(scores)[fake] > threshold).mean() > 0.4


def test_error_rates_are_told_with_n_and_interval(fitted: Calibration) -> None:
    rates = fitted.error_rates
    assert rates["real_clips"] == rates["fake_clips"] == 200
    assert rates["false_alarms"] <= 0.05 * 200 + 1
    low, high = rates["fpr_interval"]
    assert 0 <= low <= rates["false_alarms"] / 200 <= high <= 0.2
    assert sum(part["real"] for part in rates["strata"]) == 200
    json.dumps(rates, allow_nan=False)


def test_a_missing_detector_has_a_model_of_its_own(fitted: Calibration) -> None:
    assert sets_to_fit(["first", "temporal"]) == [("first", "temporal"), ("first",), ("temporal",)]
    assert [m.detectors for m in fitted.models] == sets_to_fit(["first", "temporal"])
    assert fitted.detectors == {"first": "1", "temporal": "2"}


def test_useless_logits_say_little() -> None:
    blind = fit(simulate(80, 0.0))
    assert abs(llr_of(blind, 1.0, 12)) < 0.7
    assert blind.error_rates["auc"] < 0.65


def test_a_method_can_be_left_out_of_the_fit() -> None:
    clips = simulate(60, 4.0)
    odd = [replace(c, method="odd") if c.fake and i % 4 == 1 else c for i, c in enumerate(clips)]
    rho = {"first": 0.5, "temporal": 0.5}
    whole = cross_scores(odd, ("first",), rho)
    without = cross_scores(odd, ("first",), rho, left_out="odd")
    assert np.isfinite(without).all()
    assert not np.allclose(whole, without)
    partial = [replace(c, logits={"temporal": c.logits["temporal"]}) for c in clips[:2]]
    assert np.isnan(cross_scores([*partial, *clips[2:]], ("first",), rho)[:2]).all()


def test_too_few_people_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 10 groups"):
        fit(simulate(4, 3.0))


def test_the_card_of_the_leading_weights_tells_the_error_rate(
    tmp_path: Path, fitted: Calibration
) -> None:
    card = tmp_path / "blend.json"
    sha = create_detector("blend").card()["sha256"]
    card.write_text(json.dumps({"sha256": sha}), encoding="utf-8")
    state_error_rate(card, fitted)  # of other weights: left alone
    assert "error_rates" not in json.loads(card.read_text(encoding="utf-8"))
    mine = replace(fitted, detectors={"blend": "1"}, weights_sha256={"blend": sha})
    state_error_rate(card, mine)
    assert json.loads(card.read_text(encoding="utf-8"))["error_rates"] == fitted.error_rates


def test_wilson_by_hand() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(5, 100)
    assert (low, high) == (pytest.approx(0.0215, abs=1e-3), pytest.approx(0.1118, abs=1e-3))
    assert wilson(0, 50)[0] == 0.0
