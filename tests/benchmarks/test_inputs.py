"""What usual light, contrast and sharpness buy: ways, bands, and the table in the docs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from benchmarks._results import write_result
from benchmarks.ablation import inputs
from benchmarks.tables import render
from forensics.detectors import create_detector
from forensics.detectors._normalise import STEPS
from forensics.testing import make_crops
from forensics.training.fusion import Measured
from forensics.verdict.calibration import Context


def _known(count: int) -> list[Measured]:
    return [
        Measured({}, Context(math.nan), fake=n % 2 == 1, group=f"p{n // 4}") for n in range(count)
    ]


def test_every_way_but_the_first_leaves_out_one_step_or_all() -> None:
    assert inputs.WAYS["all"] == STEPS and inputs.WAYS["none"] == ()
    for step in STEPS:
        assert set(STEPS) - set(inputs.WAYS[step]) == {step}


def test_the_detector_is_asked_with_and_without_a_step() -> None:
    crops = make_crops(2)
    dark = (crops.data // 6).astype(np.uint8)
    shipped = inputs.logits(create_detector("blend"), dark)
    plain = inputs.logits(create_detector("blend", steps=()), dark)
    assert shipped.shape == plain.shape == (2,)
    assert not np.allclose(shipped, plain)
    (item,) = create_detector("blend").score(make_crops(2, data=dark))
    assert np.allclose(shipped, item.artifacts["logits"])


def test_dark_crops_are_told_apart_from_bright_ones(tmp_path: Path) -> None:
    clips = _known(120)
    fake = np.array([clip.fake for clip in clips])
    light = np.where(np.arange(120) < 40, 20.0, np.where(np.arange(120) < 80, 60.0, 130.0))
    evened = fake * 2.0 + np.linspace(0, 0.5, 120)
    plain = np.where(light < 45, 9.0, evened)  # without, every dark face looks alike, and fake
    scores = {"all": list(evened), "none": list(plain)}
    whole, bare = inputs.rows_of(clips, scores, 50)
    assert whole["auc"] == 1.0 and whole["bought"] is None
    assert bare["bought"]["gain"] == pytest.approx(1.0 - bare["auc"]) and bare["auc"] < 0.9
    bands = inputs.bands_of(clips, list(light), scores, 50)
    assert [band["none"]["n_real"] for band in bands] == [20, 20, 20]
    assert bands[0]["none"]["auc"] == 0.5 and bands[0]["all"]["auc"] == 1.0
    assert sum(band["all"]["false_alarms"] for band in bands) == 3  # a twentieth of 60
    write_result(
        "inputs", {"clips": [whole, bare], "crops": [whole, bare], "bands": bands}, tmp_path
    )
    told = render("<!-- figures: inputs -->\n<!-- /figures -->\n", tmp_path)
    assert "| all of them |" in told and "60 + 60 studied DFDC crops" in told
    assert "| 0 to 45 | 20 + 20 |" in told
