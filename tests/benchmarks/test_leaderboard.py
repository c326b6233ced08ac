"""The page: one file, nothing from elsewhere, names escaped, missing results left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.leaderboard.page import main, render
from benchmarks.leaderboard.plots import Axis, Line, heat_map, probit, square_plot

ENVIRONMENT = {"cpu": "x", "cores": 2, "versions": {"deepfake-forensics": "0"}}


def accuracy(**changes: Any) -> dict[str, Any]:
    block = {
        "auc": 0.7, "auc_interval": [0.6, 0.8], "eer": 0.3, "ece": None, "cllr": 0.9,
        "tpr_at_fpr": {"0.01": None, "0.05": 0.2},
    }  # fmt: skip
    curves = {
        "roc": [[0, 0], [0.2, 0.6], [1, 1]], "reliability": [[0.2, 0.1, 5], [0.8, 0.7, 5]],
        "risk_coverage": [[0.1, 0], [1, 0.3]], "aurc": 0.1,
    }  # fmt: skip
    rows = [
        {"set": "set <b>", "scorer": who, "n_real": 5, "n_fake": 5, "groups": 5, "coverage": 1.0,
         "frame": block, "group": block, "curves": curves}
        for who in ("ours", "<script>alert(1)</script>")
    ]  # fmt: skip
    return {
        "name": "accuracy", "date": "2026-01-01", "results": rows, "environment": ENVIRONMENT,
        "bars": [], **changes,
    }  # fmt: skip


def put(folder: Path, content: dict[str, Any]) -> None:
    (folder / f"{content['name']}-x.json").write_text(json.dumps(content))


def test_the_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    said = {label: {"suspect": 1, "not_judged": 2} for label in ("real", "fake")}
    cells = [{"kind": "blur", "level": n, "auc": 0.5 + n / 10, "auc_interval": None,
              "verdicts": said, "real_to_suspect": 1} for n in (1, 2)]  # fmt: skip
    put(tmp_path, accuracy(
        cross_auc={"sets": ["a", "b"], "auc": [[0.9, 0.6], [None, 0.8]],
                   "interval": [[None] * 2] * 2, "within": 0.85, "across": 0.6},
        at_threshold=[{"set": "a", "groups": 9, "hits": 1, "fpr": 0.1, "interval": [0, 0.4],
                       "supported": False}],
        subgroups=[{"set": "a", "by": "sex", "gap": 0.1, "gap_interval": None, "rows": [
            {"name": "f", "groups": 4, "fpr": 0.0, "interval": [0, 0.5], "fakes": 3, "tpr": None,
             "auc": None, "auc_interval": None}]}],
    ))  # fmt: skip
    put(tmp_path, {
        "name": "robustness", "date": "2026-01-01", "cells": cells, "environment": ENVIRONMENT,
        "clean": {"auc": 0.9, "auc_interval": None}, "n_real": 4, "n_fake": 4,
        "mean_drop": {"value": 0.25, "interval": [0.2, 0.3]}, "ladder": [],
    })  # fmt: skip
    part = {"n": 3, "ap": 0.9, "share": 0.5, "f1": 0.7, "interval": [0.1, 1.0]}
    put(tmp_path, {
        "name": "localisation", "date": "2026-01-01", "clips": 3, "environment": ENVIRONMENT,
        **dict.fromkeys(("pixel", "pixel_of_a_guess", "person", "seconds"), part),
    })  # fmt: skip
    text = render(tmp_path)
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import|https?://", text)
    assert "&lt;script&gt;" in text and "set &lt;b&gt;" in text
    for title in ("ROC,", "DET,", "Reliability,", "Risk over coverage,", "Cross-AUC",
                  "AUC under distortion", "1 + 1 (1)", "by sex", "not supported by n",
                  "swapped person of two right", "missed by 0.210", "not run"):  # fmt: skip
        assert title in text, title
    assert "From benchmarks/results/robustness-x.json:" in text
    names = ", ".join(f"benchmarks/results/{n}-x.json" for n in
                      ("accuracy", "localisation", "robustness"))  # fmt: skip
    assert f"From {names}." in text  # the promises
    body = re.sub(r"<!doctype html>|<meta[^>]*>", "", text)
    ElementTree.fromstring(body)  # every element is closed


def test_old_results_without_curves_still_give_a_table(tmp_path: Path) -> None:
    old = accuracy()
    for row in old["results"]:
        del row["curves"]
    put(tmp_path, old)
    text = render(tmp_path)
    assert "0.700<small>0.600 to 0.800</small>" in text and "ROC," not in text


def test_without_results_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--results", str(tmp_path), "--out", str(tmp_path / "page.html")])
    put(tmp_path, accuracy())
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_axes_and_colours() -> None:
    assert probit(0.005) == 0 and probit(0.9) == 1 and probit(0.0) == 0
    assert 0 < probit(0.05) < probit(0.2) < 1
    plot = square_plot("t", Axis("x", (0, 1)), Axis("y", (0, 1)), [Line("a", [[0, 0], [1, 1]])])
    # From the lower left to the upper right.
    assert 'points="52.0,312.0 352.0,12.0"' in plot
    assert "0.900" in heat_map("t", ["c"], [("r", [0.9])], low=0.5, high=1.0)
