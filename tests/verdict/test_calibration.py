from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensics.detectors import create_detector
from forensics.errors import ExitCode, UsageError
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import (
    Calibration,
    Context,
    Likelihood,
    Model,
    check_weights,
    read_calibration,
)

PLAIN = Context(grain=0.0)


def model_of(*names: str, gain: float = 0.6) -> Model:
    k = 2 * len(names)
    coefficients = [-0.2] + [gain, 0.4] * len(names)
    return Model(
        detectors=names,
        mean=(0.0,) * k,
        scale=(1.0,) * k,
        coefficients=tuple(coefficients),
        covariance=tuple(tuple(row) for row in np.eye(k + 1) * 0.01),
        real_scores=tuple(np.linspace(-4, 1, 200)),
        fake_scores=(tuple(np.linspace(-3, 4, 20)), tuple(np.linspace(-1, 4, 200))),
    )


FITTED = Calibration(
    detectors={"blend": "1", "frequency": "1"},
    weights_sha256={"blend": "0" * 64, "frequency": "1" * 64},
    correlation={"blend": 0.5, "frequency": 0.5},
    models=(model_of("blend", "frequency"), model_of("blend"), model_of("frequency")),
    still=model_of("blend", gain=1.1),
    edges=(-0.3,),
    bound=3.9,
    n_real=200,
    n_fake=220,
    miss_share=0.05,
    population="made up",
    error_rates={"target_fpr": 0.02},
)


def said(context: Context = PLAIN, **logits: list[float]) -> Likelihood:
    summaries = {name: summarise(np.array(values), 0.5) for name, values in logits.items()}
    likelihood = FITTED.likelihood(summaries, context)
    assert likelihood is not None
    return likelihood


def test_likelihood_by_hand() -> None:
    assert said(blend=[1.0]).llr == pytest.approx(-0.2 + 0.6)
    # Two crops at correlation 0.5 are worth 4/3; the weight is 1 - 3/4.
    assert said(blend=[1.0, 1.0]).llr == pytest.approx(-0.2 + 0.6 + 0.4 * 0.25)
    assert said(blend=[1.0], frequency=[2.0]).llr == pytest.approx(-0.2 + 0.6 + 1.2)


@pytest.mark.parametrize("grain", [-3.0, -0.3, 0.0, 0.31, 0.75, 3.0, float("nan")])
@pytest.mark.parametrize("still", [False, True])
def test_a_more_suspicious_score_never_makes_a_lower_ratio(grain: float, still: bool) -> None:
    """Of the shipped models too: once a sharp, grainy fake looked the more harmless."""
    for calibration in (FITTED, read_calibration()):
        rho = calibration.correlation
        llrs = [
            found.llr for logit in np.linspace(-8, 8, 33)
            if (found := calibration.likelihood(
                {n: summarise(np.array([logit]), rho[n]) for n in rho}, Context(grain),
                bounded=False, still=still,
            )) is not None
        ]  # fmt: skip
        assert len(llrs) == 33
        assert (np.diff(llrs) >= 0).all() and llrs[-1] > llrs[0] + 1.0


def test_a_still_is_judged_by_the_leading_detector_s_own_model() -> None:
    summaries = {n: summarise(np.array([1.0]), 0.5) for n in ("blend", "frequency")}
    still = FITTED.likelihood(summaries, PLAIN, still=True)
    assert still is not None and still.still and still.detectors == ("blend",)
    assert still.llr == pytest.approx(-0.2 + 1.1)
    without = FITTED.likelihood({"frequency": summaries["frequency"]}, PLAIN, still=True)
    assert without is not None and not without.still
    none = replace(FITTED, still=None).likelihood(summaries, PLAIN, still=True)
    assert none is not None and none.detectors == ("blend", "frequency") and not none.still


def test_stills_have_thresholds_of_their_own() -> None:
    assert FITTED.still is not None
    surer = replace(FITTED.still, real_scores=tuple(np.linspace(-4, 2, 200)))
    other = replace(FITTED, still=surer)
    assert other.threshold(0.05, still=True) > other.threshold(0.05)
    assert other.threshold(0.05) == FITTED.threshold(0.05)
    assert replace(FITTED, still=None).threshold(0.05, still=True) == FITTED.threshold(0.05)
    lower = replace(FITTED.still, fake_scores=((), tuple(np.linspace(-2, 4, 200))))
    assert replace(FITTED, still=lower).clear(1, still=True) < FITTED.clear(1)


def test_the_model_of_most_detectors_is_used() -> None:
    assert said(blend=[1.0], frequency=[1.0]).detectors == ("blend", "frequency")
    assert said(frequency=[1.0], other=[1.0]).detectors == ("frequency",)
    assert FITTED.likelihood({"other": summarise(np.ones(3), 0.5)}, PLAIN) is None
    assert FITTED.model(["other"]) is None
    assert FITTED.leading == "blend"


def test_more_agreeing_crops_say_more() -> None:
    assert said(blend=[2.0] * 9).llr > said(blend=[2.0]).llr
    assert said(blend=[-2.0] * 9).llr < said(blend=[-2.0]).llr


def test_ratio_stays_within_its_bound() -> None:
    many = {"blend": [500.0] * 9, "frequency": [500.0] * 9}
    assert said(**many).llr == 3.9
    assert said(**{name: [-v for v in values] for name, values in many.items()}).llr == -3.9
    summaries = {name: summarise(np.array(values), 0.5) for name, values in many.items()}
    free = FITTED.likelihood(summaries, PLAIN, bounded=False)
    assert free is not None and free.llr > 3.9


def test_scattered_crops_are_less_sure() -> None:
    calm, wild = said(blend=[1.0, 1.0, 1.0]), said(blend=[-2.0, 1.0, 4.0])
    assert wild.llr == pytest.approx(calm.llr)
    assert wild.deviation > calm.deviation > 0


def test_unknown_quality_counts_as_the_poorest_and_stays_finite() -> None:
    unknown = Context(grain=float("nan"))
    assert math.isfinite(said(unknown, blend=[1.0]).llr)
    assert FITTED.stratum(unknown) == FITTED.stratum(Context(-2.0)) == 0
    assert FITTED.stratum(PLAIN) == 1


@pytest.mark.parametrize("target", [0.015, 0.02, 0.05, 0.1, 0.5])
def test_threshold_keeps_the_target_on_what_it_saw(target: float) -> None:
    scores = np.array(FITTED.models[0].real_scores)
    assert (scores > FITTED.threshold(target)).mean() <= target


def test_stricter_targets_raise_the_threshold() -> None:
    thresholds = [FITTED.threshold(target) for target in (0.5, 0.1, 0.05, 0.02)]
    assert thresholds == sorted(thresholds)


def test_a_part_of_the_target_is_stricter_and_claims_no_more() -> None:
    scores = np.array(FITTED.models[0].real_scores)
    strict = FITTED.threshold(0.1, part=0.125)
    assert strict > FITTED.threshold(0.1) and (scores > strict).mean() <= 0.0125
    assert FITTED.threshold(0.02, part=0.01) >= scores.max(), "no claim, and so no refusal"


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


def test_few_fakes_clear_nothing_and_many_keep_the_share() -> None:
    # 20 fakes cannot show that at most one in twenty is missed.
    assert FITTED.clear(0) == -math.inf
    scores = np.array(FITTED.models[0].fake_scores[1])
    assert (scores < FITTED.clear(1)).mean() <= FITTED.miss_share
    assert FITTED.clear(1) < 0
    looser = replace(FITTED, miss_share=0.5)
    assert looser.clear(1) == 0.0  # what speaks for a manipulation is never cleared
    at_the_bound = replace(
        FITTED, models=(replace(FITTED.models[0], fake_scores=((), (-3.9,) * 100)),)
    )
    assert at_the_bound.clear(1) == -math.inf


def test_json_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(FITTED.to_json(), encoding="utf-8")
    again = read_calibration(path)
    assert again == FITTED
    assert list(again.detectors) == ["blend", "frequency"]
    assert again.sha256 == FITTED.sha256
    assert replace(FITTED, bound=1.0).sha256 != FITTED.sha256


def broken(**changes: Any) -> str:
    data = json.loads(FITTED.to_json())
    data["models"][0] |= changes
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"coefficients": ["x"]}', "null", '{"format": 1}',
        broken(mean=[0.0]), broken(scale=[0.0] * 4), broken(real_scores=[]),
        broken(coefficients=[float("nan")] * 5), broken(fake_scores=[[]]),
        broken(coefficients=[0.0, 1.0, -0.1, 1.0, 1.0]),
    ],
)  # fmt: skip
def test_other_files_are_refused_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="not a calibration file") as caught:
        read_calibration(path)
    assert "\n" not in str(caught.value)


def test_absent_binary_and_huge_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"absent.json: no such file"):
        read_calibration(tmp_path / "absent.json")
    path = tmp_path / "blob.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no text"):
        read_calibration(path)
    monkeypatch.setattr("forensics.verdict.calibration._MOST_BYTES", 2)
    with pytest.raises(UsageError, match="over 2 bytes"):
        read_calibration(path)


def test_a_calibration_of_other_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="other weights of 'blend'"):
        check_weights(FITTED, [create_detector("blend")], Path("mine.json"))


def test_shipped_calibration_is_sound() -> None:
    shipped = read_calibration()
    assert shipped.leading == "blend"
    assert shipped.bound > 0
    for model in shipped.models:
        assert list(model.real_scores) == sorted(model.real_scores)
        shipped.threshold(float(shipped.error_rates["target_fpr"]), model.detectors)
        for stratum in range(len(shipped.edges) + 1):
            assert shipped.clear(stratum, model.detectors) <= 0.0
    assert shipped.still is not None and shipped.still.detectors == ("blend",)
    json.dumps(shipped.error_rates, allow_nan=False)
    used = [create_detector(name) for name in shipped.detectors]
    check_weights(shipped, used, Path("calibration.json"))


def test_the_threshold_holds_on_recordings_too() -> None:
    harder = replace(FITTED.models[0], filmed_scores=(-1.0, 0.5, 1.8))
    other = replace(FITTED, models=(harder, *FITTED.models[1:]))
    assert other.threshold(0.05) == 1.8  # three recordings allow no error
    assert other.threshold(0.5) == 0.5 > FITTED.threshold(0.5)
    easier = replace(FITTED.models[0], filmed_scores=(-3.0,))
    assert replace(FITTED, models=(easier,)).threshold(0.05) == FITTED.threshold(0.05)
