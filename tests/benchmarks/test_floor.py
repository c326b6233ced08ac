"""The calibration error that chance alone makes shrinks with n, and is not the scorer's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.accuracy.floor import floor


def _records(n: int, scale: float = 1.0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    llr = rng.normal(0, 2, n)
    fake = rng.random(n) < 1 / (1 + np.exp(-llr))
    return [
        {"score": x * scale, "llr": x * scale, "probability": 1 / (1 + np.exp(-x * scale)),
         "label": "fake" if y else "real", "group": f"g{i}", "method": None}
        for i, (x, y) in enumerate(zip(llr.tolist(), fake, strict=True))
    ]  # fmt: skip


def test_the_floor_falls_with_the_number_of_clips() -> None:
    few, many = (floor(_records(n), draws=20) for n in (200, 3200))
    assert few["ece"]["mean"] > 2 * many["ece"]["mean"] > 0
    assert few["cllr_gap"]["mean"] > 2 * many["cllr_gap"]["mean"] > 0
    low, high = few["ece"]["interval"]
    assert low <= few["ece"]["mean"] <= high


def test_the_floor_is_that_of_chance_and_not_of_a_badly_calibrated_score() -> None:
    from forensics.evaluation.summary import row_samples, summarise

    loud = _records(800, scale=3.0)
    shown = summarise(row_samples(loud), n_boot=0, seed=0)["ece_prior_matched"]
    assert shown > 2 * floor(loud, draws=20)["ece"]["mean"]


def test_the_same_seed_gives_the_same_floor() -> None:
    rows = _records(100)
    assert floor(rows, draws=5) == floor(rows, draws=5)
    assert floor(rows, draws=5) != floor(rows, draws=5, seed=1)
