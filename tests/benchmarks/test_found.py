"""Fakes found at a rate of false alarms, as a description of a set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy.found import found_at


def _records(people: int, clips: int) -> list[dict[str, Any]]:
    """Of each person ``clips`` real clips that score 0 to 1, and as many fakes of 0.5 to 1.5."""
    rng = np.random.default_rng(0)
    return [
        {"score": float(rng.random() + 0.5 * fake), "label": "fake" if fake else "real",
         "group": f"g{person}"}
        for person in range(people) for _ in range(clips) for fake in (False, True)
    ]  # fmt: skip


def test_half_of_the_fakes_lie_above_every_real() -> None:
    found = found_at(_records(200, 2), 0.01, replicates=200)
    assert found["tpr"] == pytest.approx(0.5, abs=0.08)
    low, high = found["interval"]
    assert low < found["tpr"] < high
    assert (found["n_real"], found["n_fake"], found["real_groups"]) == (400, 400, 200)


def test_a_claim_needs_people_and_not_clips() -> None:
    assert not found_at(_records(200, 2), 0.01, replicates=10)["claim"]
    assert found_at(_records(300, 1), 0.01, replicates=10)["claim"]


def test_one_label_alone_has_no_rate() -> None:
    rows = [row for row in _records(20, 1) if row["label"] == "fake"]
    found = found_at(rows, 0.01, replicates=10)
    assert found["tpr"] is None and found["interval"] is None and found["n_real"] == 0
