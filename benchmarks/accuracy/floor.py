"""What calibration errors a perfectly calibrated score would show on as few clips.

The expected calibration error over bins is never 0: each bin's share of fakes differs from its mean
probability by chance, and Cllr lies above its least because the best monotone calibration fits that
chance too. A promise below this floor cannot be shown to be kept, however well a scanner states
its probabilities (Bröcker and Smith, Weather and Forecasting 2007, on reliability by resampling).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from forensics.evaluation.summary import row_samples, summarise


def floor(records: Sequence[dict[str, Any]], *, draws: int = 200, seed: int = 0) -> dict[str, Any]:
    """Draw labels from the stated probabilities and measure their calibration errors.

    Args:
        records: Of `forensics evaluate`, with ``llr`` and ``label``.
        draws: Sets of labels.
        seed: Of the draws.

    Returns:
        ``ece`` and ``cllr_gap``: mean and the middle 95 % of what chance alone makes of them.
    """
    fakes = sum(row["label"] == "fake" for row in records)
    odds = math.log(fakes / (len(records) - fakes))
    stated = 1 / (1 + np.exp(-np.array([row["llr"] + odds for row in records])))
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {"ece": [], "cllr_gap": []}
    for _ in range(draws):
        drawn = rng.random(len(records)) < stated
        rows = [
            row | {"label": "fake" if fake else "real"}
            for row, fake in zip(records, drawn, strict=True)
        ]
        block = summarise(row_samples(rows), n_boot=0, seed=0)
        found["ece"].append(block["ece_prior_matched"])
        found["cllr_gap"].append(block["cllr"] - block["cllr_min"])
    return {
        name: {"mean": float(np.mean(values)),
               "interval": [float(v) for v in np.quantile(values, (0.025, 0.975))]}
        for name, values in found.items()
    }  # fmt: skip
