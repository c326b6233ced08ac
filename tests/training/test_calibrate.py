from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from forensics.evaluation.rates import wilson
from forensics.training import calibrate as module
from forensics.training.calibrate import Measured, calibrate, intraclass_correlation
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import Calibration

pytestmark = pytest.mark.train


def simulate(people: int, gap: float, seed: int = 0) -> list[Measured]:
    """One real and one fake clip a person; crops share half of their variance."""
    rng = np.random.default_rng(seed)
    return [
        Measured(rng.normal(rng.normal(gap * fake, 1.0), 1.0, 12), bool(fake), f"person {n}")
        for n in range(people)
        for fake in (0, 1)
    ]


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "_BOOTSTRAPS", 20)
    try:
        return calibrate(
            simulate(100, 3.0),
            detector="blend",
            sha256="0" * 64,
            population="simulated",
            target_fpr=0.05,
        )
    finally:
        patch.undo()


def llr_of(fitted: Calibration, value: float, crops: int) -> float:
    return fitted.likelihood(summarise(np.full(crops, value), fitted.correlation)).llr


def test_ratio_rises_with_the_logits_and_is_bounded(fitted: Calibration) -> None:
    values = [llr_of(fitted, x, 12) for x in (-50.0, 0.0, 1.5, 3.0, 50.0)]
    assert values == sorted(values)
    assert values[0] == -fitted.bound and values[-1] == fitted.bound
    assert fitted.bound == pytest.approx(np.log(100 / 3))
    # Half-way between the two populations nothing is said.
    assert abs(values[2]) < 0.5
    assert values[1] < -1 and values[3] > 1


def test_one_crop_says_less_than_twelve(fitted: Calibration) -> None:
    assert abs(llr_of(fitted, 2.5, 1)) < abs(llr_of(fitted, 2.5, 12))


def test_correlation_is_recovered(fitted: Calibration) -> None:
    assert fitted.correlation == pytest.approx(0.5, abs=0.12)
    assert intraclass_correlation(simulate(300, 0.0, seed=5)) == pytest.approx(0.5, abs=0.08)


def test_threshold_honours_its_target_on_new_people(fitted: Calibration) -> None:
    new = simulate(400, 3.0, seed=9)
    threshold = fitted.threshold(0.05)
    scores = np.array([fitted.likelihood(summarise(c.logits, fitted.correlation)).llr for c in new])
    fake = np.array([c.fake for c in new])
    assert (scores[~fake] > threshold).mean() < 0.10
    assert (scores[fake] > threshold).mean() > 0.6


def test_error_rates_are_told_with_n_and_interval(fitted: Calibration) -> None:
    rates = fitted.error_rates
    assert rates["real_clips"] == rates["fake_clips"] == 100
    assert rates["false_alarms"] <= 0.05 * 100 + 1
    low, high = rates["fpr_interval"]
    assert 0 <= low <= rates["false_alarms"] / 100 <= high <= 0.2
    assert rates["auc"] > 0.9


def test_useless_logits_say_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BOOTSTRAPS", 5)
    blind = calibrate(
        simulate(80, 0.0),
        detector="blend",
        sha256="0" * 64,
        population="simulated",
        target_fpr=0.05,
    )
    assert abs(llr_of(blind, 1.0, 12)) < 0.7
    assert blind.error_rates["auc"] < 0.65


def test_wilson_by_hand() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(5, 100)
    assert (low, high) == (pytest.approx(0.0215, abs=1e-3), pytest.approx(0.1118, abs=1e-3))
    assert wilson(0, 50)[0] == 0.0
