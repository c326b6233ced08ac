from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.verdict.timeline import HINT, find_stretch, per_second


def scores(
    seed: int, start: int, stop: int, gap: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    pts = np.arange(32) * 0.3
    logits = rng.normal(-1.0, 0.5, 32)
    logits[start:stop] += gap
    return pts, logits


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (8, 20), (22, 32)])
def test_a_swapped_part_is_found(start: int, stop: int) -> None:
    pts, logits = scores(0, start, stop, 3.0)
    found = find_stretch(pts, logits)
    assert found is not None
    low, high = pts[start], pts[min(stop, 31)]
    overlap = min(found.end, high) - max(found.start, low)
    assert overlap / (max(found.end, high) - min(found.start, low)) > 0.8
    assert found.inside > found.outside + 2


@pytest.mark.parametrize("seed", range(12))
def test_even_scores_hold_no_stretch(seed: int) -> None:
    pts, logits = scores(seed, 0, 32, 3.0)
    assert find_stretch(pts, logits) is None
    assert find_stretch(pts, logits - 3.0) is None


def test_a_faint_part_is_worth_a_closer_look_and_no_claim() -> None:
    pts, logits = scores(4, 10, 20, 0.0)
    logits[10:20] += 1.0
    logits[10:20:3] -= 1.0
    assert find_stretch(pts, logits) is None
    assert find_stretch(pts, logits, clear=HINT) is not None


def test_one_bad_picture_is_no_stretch() -> None:
    pts, logits = scores(1, 12, 13, 9.0)
    assert find_stretch(pts, logits) is None


def test_too_few_pictures_hold_no_stretch() -> None:
    assert find_stretch(np.arange(5.0), np.array([0.0, 0, 9, 9, 9])) is None
    assert find_stretch(np.zeros(0), np.zeros(0)) is None


def test_scores_by_second() -> None:
    rows = per_second(np.array([0.0, 0.5, 2.9]), np.array([0.2, 0.4, 0.9]))
    assert rows == [
        {"second": 0, "mean": pytest.approx(0.3), "largest": 0.4, "pictures": 2},
        {"second": 2, "mean": 0.9, "largest": 0.9, "pictures": 1},
    ]
