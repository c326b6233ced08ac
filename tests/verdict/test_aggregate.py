from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.verdict.aggregate import effective_count, summarise


@settings(deadline=None)
@given(n=st.integers(1, 1000), correlation=st.floats(0, 1))
def test_effective_count_lies_between_one_and_n(n: int, correlation: float) -> None:
    assert 1 - 1e-9 <= effective_count(n, correlation) <= n + 1e-9


def test_effective_count_by_hand() -> None:
    assert effective_count(0, 0.5) == 0
    assert effective_count(10, 0.0) == 10
    assert effective_count(10, 1.0) == pytest.approx(1.0)
    assert effective_count(5, 0.5) == pytest.approx(5 / 3)


def test_spoilt_crops_do_not_move_the_mean_far() -> None:
    logits = np.concatenate([np.linspace(-0.1, 0.1, 20), [40.0]])
    summary = summarise(logits, 0.5)
    assert abs(summary.mean) < 0.05
    assert summary.n == 21


def test_few_crops_are_averaged_plainly() -> None:
    summary = summarise(np.array([0.0, 0.0, 9.0]), 0.0)
    assert summary.mean == pytest.approx(3.0)
    assert summary.effective == 3
    assert summarise(np.array([2.5]), 0.3).spread == 0.0


@pytest.mark.parametrize("logits", [[], [np.nan], [1.0, np.inf]])
def test_nothing_finite_is_refused(logits: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        summarise(np.array(logits), 0.5)
