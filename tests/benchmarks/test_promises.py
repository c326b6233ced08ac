"""The table of promises, and the figures of the own test, on made-up measurements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("torch")

from benchmarks import limits, tables
from benchmarks.accuracy.compare import stills_called
from benchmarks.accuracy.held_out import FAILURES, bars_of, failures, records_of
from benchmarks.accuracy.promises import Promise, from_folder, main
from benchmarks.limits import Limit
from forensics.evaluation.rates import wilson
from forensics.training.fusion import Measured, calibrate
from forensics.verdict.calibration import Context
from tests.training.test_calibrate import first

pytestmark = pytest.mark.train


def clips(people: int, gap: float) -> list[Measured]:
    rng = np.random.default_rng(0)
    made = []
    for n in range(people):
        for method in ("real", "swapped"):
            fake = method != "real"
            logits = {"first": rng.normal(gap * fake, 1.0, 8)}
            made.append(Measured(logits, Context(0.0), fake, f"p{n}", method, f"{n}plain_x"))
    return made


def test_records_carry_what_the_shipped_calibration_says() -> None:
    measured = clips(40, 2.0)
    fitted = calibrate(measured, [first()], population="made up", target_fpr=0.1, miss_share=0.1)
    rows = records_of(measured, fitted)
    assert len(rows) == 80 and {row["group"] for row in rows} == {f"p{n}" for n in range(40)}
    for row in rows:
        assert row["probability"] == pytest.approx(1 / (1 + np.exp(-row["llr"])))
    real, fake = (
        np.mean([row["llr"] for row in rows if row["label"] == label]) for label in ("real", "fake")
    )
    assert fake > 1 > -1 > real
    nothing = Measured({}, Context(0.0), True, "p", "swapped", "x")
    assert records_of([nothing], fitted) == []


def test_failures_are_set_against_the_same_things_kept() -> None:
    made = []
    for n in range(12):
        for method, level in (("real", 0.0), ("around", 0.1), (FAILURES[n % 2], 1.0)):
            logits = {"occlusion": np.full(3, level + n / 100)}
            made.append(Measured(logits, Context(0.0), method != "real", f"p{n}", method,
                                 f"{n}covered_{method}"))  # fmt: skip
    made.append(Measured({"occlusion": np.full(3, 9.0)}, Context(0.0), False, "q", "real",
                         "0plain_real"))  # fmt: skip
    found = failures(made, 50)
    assert found["auc"] == 1.0
    assert (found["n_real"], found["n_fake"], found["swapped_around"]) == (24, 12, 12)


def block(auc: float | None, **more: Any) -> dict[str, Any]:
    return {"auc": auc, "auc_interval": [0.5, 1.0], "n_real": 3, "n_fake": 4, **more}


def results(folder: Path) -> None:
    own = {
        "name": "held-out", "date": "2026-01-01", "group": block(0.98),
        "clips": block(
            0.9, ece_prior_matched=0.02, ece_prior_matched_interval=[0.01, 0.04], cllr=0.5,
            cllr_min=0.4,
        ),
        "found": {"fpr": 0.01, "tpr": 0.55, "interval": [0.4, 0.7], "n_real": 3, "n_fake": 4,
                  "real_groups": 2, "claim": False},
        "families": [{"family": "a", "left_out": block(0.9)},
                     {"family": "b", "left_out": block(0.8)}],
        "occlusion": block(0.93), "occlusion_pixels": {"n": 5, "ap": 0.7, "interval": [0.6, 0.8]},
    }  # fmt: skip
    (folder / "held-out-x.json").write_text(json.dumps(own))
    accuracy = {
        "name": "accuracy", "date": "2026-01-01",
        "results": [{"set": "DFDC crops, look", "scorer": "ours", "frame": block(0.7)}],
    }
    (folder / "accuracy-x.json").write_text(json.dumps(accuracy))


def test_each_promise_is_met_missed_or_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results(tmp_path)
    told = {promise.limit.on: promise for promise in from_folder(tmp_path)}
    assert told["own test, AUC by group"].outcome == "met"
    worst = told["own test, worst family left out of the fit, AUC"]
    assert worst.outcome == "missed by 0.080" and worst.n == "3 + 4 (b)"
    found = told["own test, TPR at FPR 1 %"]
    assert found.outcome == "missed by 0.250"
    assert found.n == "3 + 4 of 2 people, too few for a claim"
    assert told["own test, Cllr above its least"].outcome == "missed by 0.070"
    assert told["own test, ECE at its share of fakes"].outcome == "met"
    assert "sealed" in told["DFDC crops of split once, AUC"].outcome
    assert told["own swaps, pixel average precision"].outcome == "not run"
    assert main(["--results", str(tmp_path)]) == 1
    assert "missed by 0.080" in capsys.readouterr().out


def test_real_crops_called_count_once_the_split_is_opened(tmp_path: Path) -> None:
    results(tmp_path)
    name = "real DFDC crops of split once called suspect"
    assert "sealed" in {p.limit.on: p for p in from_folder(tmp_path)}[name].outcome
    rows = [{"llr": llr, "label": label} for llr, label in
            ((2.0, "real"), (0.5, "real"), (-1.0, "real"), (None, "real"), (1.0, "fake"))]
    rows.append({"llr": 3.0, "label": "fake", "reasons": ["colour_alone"]})
    assert stills_called(rows, 1.0)["fake"] == {
        "n": 2, "suspect": 1, "rate": 0.5, "interval": list(wilson(1, 2)), "doubted": 1,
    }
    found = stills_called(rows[:-1], 1.0)
    assert (found["real"]["suspect"], found["real"]["n"]) == (1, 3)
    assert found["fake"]["rate"] == 1.0
    assert found["real"]["interval"][0] < 1 / 3 < found["real"]["interval"][1]
    opened = {
        "name": "once", "date": "2026-01-01", "results": [{"scorer": "ours", "frame": block(0.7)}],
        "stills_called": [{"set": "DFDC crops, once", **found}],
    }  # fmt: skip
    (tmp_path / "once-x.json").write_text(json.dumps(opened))
    told = {p.limit.on: p for p in from_folder(tmp_path)}[name]
    assert told.outcome == "missed by 0.313" and told.n == "3"


def test_the_table_in_the_docs_names_every_results_file(tmp_path: Path) -> None:
    results(tmp_path)
    made = tables.render("<!-- figures: promises -->\n<!-- /figures -->", tmp_path)
    assert "missed by 0.080" in made
    assert "results/accuracy-x.json`, `benchmarks/results/held-out-x.json`" in made


def test_bars_of_the_own_test_leave_out_what_has_no_figure(tmp_path: Path) -> None:
    results(tmp_path)
    result = json.loads((tmp_path / "held-out-x.json").read_text())
    bars = bars_of(result)
    assert {bar.name: bar.met for bar in bars}["own test, TPR at FPR 1 %"] is False
    result["found"]["tpr"] = None
    assert not any("FPR 1 %" in bar.name for bar in bars_of(result))
    assert {bar.name: bar.met for bar in bars}["occlusion failures, pixel average precision"]


def test_nothing_measured_is_never_taken_for_met(tmp_path: Path) -> None:
    assert all(promise.outcome != "met" for promise in from_folder(tmp_path))
    assert Promise(Limit("x", 1.0), 1.0).outcome == "met"


def test_robustness_names_its_worst_cell_and_counts_flips(tmp_path: Path) -> None:
    cells = [{"kind": "blur", "level": level, **block(auc), "real_to_suspect": flips}
             for level, auc, flips in ((1, 0.9, 0), (2, 0.7, 2))]  # fmt: skip
    (tmp_path / "robustness-x.json").write_text(json.dumps({
        "name": "robustness", "date": "2026-01-01", "n_real": 3, "n_fake": 4, "cells": cells,
        "mean_drop": {"value": 0.03, "interval": [0.01, 0.05]},
    }))  # fmt: skip
    told = {promise.limit: promise for promise in from_folder(tmp_path)}
    assert told[limits.DROP].outcome == "met"
    assert told[limits.WORST].n == "3 + 4 (blur, level 2)"
    assert told[limits.WORST].outcome == "missed by 0.080"
    assert told[limits.FLIPS].cells() == (
        "real clips that distortion made suspect", "at most 0", "2 flips", "3 in 2 cells",
        "missed by 2 flips",
    )  # fmt: skip


def test_a_benchmark_and_the_list_of_promises_share_one_limit(tmp_path: Path) -> None:
    results(tmp_path)
    listed = {(p.limit.on, p.limit.value, p.limit.at_most) for p in from_folder(tmp_path)}
    bars = bars_of(json.loads((tmp_path / "held-out-x.json").read_text()))
    assert {(bar.name, bar.limit, bar.at_most) for bar in bars} <= listed
