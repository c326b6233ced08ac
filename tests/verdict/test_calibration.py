from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forensics.errors import ExitCode, UsageError
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import Calibration, read_calibration

FITTED = Calibration(
    detector="blend",
    weights_sha256="0" * 64,
    coefficients=(-0.2, 0.6, 0.4),
    covariance=((0.01, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 0.01)),
    correlation=0.5,
    bound=4.0,
    real_scores=tuple(np.linspace(-4, 1, 200)),
    n_real=200,
    n_fake=300,
    population="made up",
    error_rates={"target_fpr": 0.02},
)


def llr_of(*logits: float) -> float:
    return FITTED.likelihood(summarise(np.array(logits), FITTED.correlation)).llr


def test_likelihood_by_hand() -> None:
    assert llr_of(1.0) == pytest.approx(-0.2 + 0.6)
    # Two crops at correlation 0.5 are worth 4/3; the weight is 1 - 3/4.
    assert llr_of(1.0, 1.0) == pytest.approx(-0.2 + 0.6 + 0.4 * 0.25)


def test_more_agreeing_crops_say_more() -> None:
    assert llr_of(*[2.0] * 9) > llr_of(2.0)
    assert llr_of(*[-2.0] * 9) < llr_of(-2.0)


def test_ratio_stays_within_its_bound() -> None:
    assert llr_of(500.0) == 4.0
    assert llr_of(-500.0) == -4.0


def test_scattered_crops_are_less_sure() -> None:
    calm = FITTED.likelihood(summarise(np.array([1.0, 1.0, 1.0]), 0.5))
    wild = FITTED.likelihood(summarise(np.array([-2.0, 1.0, 4.0]), 0.5))
    assert wild.llr == pytest.approx(calm.llr)
    assert wild.deviation > calm.deviation > 0


@pytest.mark.parametrize("target", [0.015, 0.02, 0.05, 0.1, 0.5])
def test_threshold_keeps_the_target_on_what_it_saw(target: float) -> None:
    scores = np.array(FITTED.real_scores)
    assert (scores > FITTED.threshold(target)).mean() <= target


def test_stricter_targets_raise_the_threshold() -> None:
    thresholds = [FITTED.threshold(target) for target in (0.5, 0.1, 0.05, 0.02)]
    assert thresholds == sorted(thresholds)


def test_threshold_refuses_what_n_cannot_carry() -> None:
    with pytest.raises(UsageError, match="not supported by n") as caught:
        FITTED.threshold(0.01)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "300" in str(caught.value) and "200" in str(caught.value)
    assert replace(FITTED, n_real=300).threshold(0.01) <= 1.0


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, float("nan")])
def test_threshold_refuses_nonsense(target: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        FITTED.threshold(target)


def test_json_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(FITTED.to_json(), encoding="utf-8")
    assert read_calibration(path) == FITTED


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"coefficients": ["x"]}', "null"])
def test_other_files_are_refused_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="not a calibration file") as caught:
        read_calibration(path)
    assert "\n" not in str(caught.value)


def test_shipped_calibration_is_sound() -> None:
    shipped = read_calibration()
    assert shipped.detector == "blend"
    assert shipped.bound > 0
    assert list(shipped.real_scores) == sorted(shipped.real_scores)
    assert len(shipped.coefficients) == len(shipped.covariance) == 3
    shipped.threshold(float(shipped.error_rates["target_fpr"]))
    json.dumps(shipped.error_rates, allow_nan=False)
