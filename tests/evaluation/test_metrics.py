from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.evaluation import metrics, reliability
from forensics.evaluation.curves import Ranking

TWO_CLASS = {
    "auc": metrics.roc_auc,
    "eer": metrics.equal_error_rate,
    "ap": metrics.average_precision,
    "tpr": lambda s, y: metrics.tpr_at_fpr(s, y, 0.05, n_independent=1000),
    "ece": metrics.expected_calibration_error,
    "brier": metrics.brier_score,
    "cllr": metrics.cllr,
    "cllr_min": metrics.cllr_min,
}


def samples() -> st.SearchStrategy[list[tuple[int, bool]]]:
    # Few distinct scores, so that ties are common.
    pairs = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=30)
    return pairs.filter(lambda rows: len({fake for _, fake in rows}) == 2)


def arrays(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s for s, _ in rows], float), np.array([y for _, y in rows])


@pytest.mark.parametrize(
    ("scores", "fake", "auc", "eer", "ap"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75, 0.5, 0.5 + 0.5 * 2 / 3),
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0, 0.0, 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0, 1.0, 0.5 * (1 / 3 + 1 / 2)),
        ([5, 5, 5, 5], [0, 1, 0, 1], 0.5, 0.5, 0.5),
        # Pairs: 2>1, 2=2, 3>1, 3>2 -> 3.5 of 4. EER: between (0, miss 1/2) and (1/2, miss 0).
        ([1, 2, 2, 3], [0, 0, 1, 1], 0.875, 0.25, 0.5 + 0.5 * 2 / 3),
    ],
)
def test_rank_figures_by_hand(
    scores: list[float], fake: list[int], auc: float, eer: float, ap: float
) -> None:
    assert metrics.roc_auc(scores, fake).value == pytest.approx(auc)
    assert metrics.equal_error_rate(scores, fake).value == pytest.approx(eer)
    assert metrics.average_precision(scores, fake).value == pytest.approx(ap)


@given(samples())
@settings(max_examples=80, deadline=None)
def test_auc_is_the_share_of_ordered_pairs(rows: list[tuple[int, bool]]) -> None:
    scores, fake = arrays(rows)
    pairs = [(f > r) + 0.5 * (f == r) for f in scores[fake] for r in scores[~fake]]
    assert metrics.roc_auc(scores, fake).value == pytest.approx(np.mean(pairs))
    assert metrics.roc_auc(-scores, fake).value == pytest.approx(1 - np.mean(pairs))
    assert metrics.roc_auc(np.exp(scores), fake).value == pytest.approx(np.mean(pairs))


@given(samples())
@settings(max_examples=80, deadline=None)
def test_integer_weights_are_repetitions(rows: list[tuple[int, bool]]) -> None:
    scores, fake = arrays(rows)
    times = np.arange(len(rows)) % 3 + 1
    weighted = Ranking(scores, fake).curve(times[None, :].astype(float))
    again, again_fake = np.repeat(scores, times), np.repeat(fake, times)
    plain = Ranking(again, again_fake).curve(np.ones((1, len(again))))
    for name in ("auc", "eer", "average_precision"):
        assert getattr(weighted, name)() == pytest.approx(getattr(plain, name)())
    assert weighted.tpr_at_fpr(0.2) == pytest.approx(plain.tpr_at_fpr(0.2))
    chance = 1 / (1 + np.exp(-scores))
    for measure in (reliability.brier, reliability.expected_calibration_error):
        assert measure(chance, fake, times[None, :].astype(float)) == pytest.approx(
            measure(np.repeat(chance, times), again_fake, np.ones((1, len(again))))
        )


@given(samples())
@settings(max_examples=80, deadline=None)
def test_no_monotone_map_beats_cllr_min(rows: list[tuple[int, bool]]) -> None:
    scores, fake = arrays(rows)
    least = metrics.cllr_min(scores, fake).value
    assert least is not None and -1e-12 <= least <= 1 + 1e-12
    for llr in (scores, 3 * scores + 1, np.zeros_like(scores), np.tanh(scores)):
        found = metrics.cllr(llr, fake).value
        assert found is not None and found >= least - 1e-9


@given(samples(), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_is_of_no_account(rows: list[tuple[int, bool]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for measure in TWO_CLASS.values():
        one, two = measure(*arrays(rows)), measure(*arrays(shuffled))
        assert one.value == pytest.approx(two.value)


def test_tpr_needs_enough_real_samples() -> None:
    # D6 and the rule of three: FPR <= 1 % cannot be claimed on 299 reals.
    assert metrics.least_real_samples(0.01) == 300
    assert metrics.least_real_samples(0.05) == 60
    scores = np.r_[np.arange(300.0), [298.5, 297.5, 1e3, 0.5]]
    fake = np.r_[np.zeros(300, bool), np.ones(4, bool)]
    # Three reals of 300 may be above the threshold: 299, 298, 297.
    assert metrics.tpr_at_fpr(scores, fake, 0.01).value == pytest.approx(0.75)
    refused = metrics.tpr_at_fpr(scores[1:], fake[1:], 0.01)
    assert refused.value is None
    assert refused.reason == "not supported by n: needs 300 independent real samples, has 299"
    # 300 frames of 12 clips are 12 independent samples.
    assert metrics.tpr_at_fpr(scores, fake, 0.01, n_independent=12).value is None
    with pytest.raises(ValueError, match="fpr must be"):
        metrics.tpr_at_fpr(scores, fake, 0.0)


def test_a_tie_cannot_be_split_by_a_threshold() -> None:
    scores = np.r_[np.full(30, 1.0), np.zeros(70), np.full(10, 1.0)]
    fake = np.r_[np.zeros(100, bool), np.ones(10, bool)]
    assert metrics.tpr_at_fpr(scores, fake, 0.05).value == 0.0


def test_calibration_by_hand() -> None:
    assert metrics.brier_score([0.9, 0.2], [1, 0]).value == pytest.approx((0.01 + 0.04) / 2)
    # 30 distinct probabilities in bins of two; only the last bin is off, by |p - y|.
    p = np.linspace(0.0, 1.0, 30)
    fake = p > 0.5
    bins = [abs((p[i : i + 2] - fake[i : i + 2]).sum()) for i in range(0, 30, 2)]
    assert metrics.expected_calibration_error(p, fake).value == pytest.approx(sum(bins) / 30)
    # All equal and right on average: calibrated, whatever the order of the rows.
    assert metrics.expected_calibration_error([0.5] * 40, [0] * 20 + [1] * 20).value == 0.0
    assert metrics.expected_calibration_error([0.8] * 4, [0, 1, 1, 0]).value == pytest.approx(0.3)


def test_cllr_by_hand() -> None:
    assert metrics.cllr([0, 0, 0], [0, 1, 1]).value == pytest.approx(1.0)
    llr = [math.log(4), -math.log(4)]
    assert metrics.cllr(llr, [1, 0]).value == pytest.approx(math.log2(1.25))
    assert metrics.cllr(llr, [0, 1]).value == pytest.approx(math.log2(5))
    # The classes count one half each, whatever their sizes.
    assert metrics.cllr([*llr, llr[1]], [1, 0, 0]).value == pytest.approx(math.log2(1.25))
    assert metrics.cllr_min([1, 2, 3, 4], [0, 0, 1, 1]).value == pytest.approx(0.0)
    assert metrics.cllr_min([4, 3, 2, 1], [0, 0, 1, 1]).value == pytest.approx(1.0)
    # One swapped pair in the middle pools to LR 1: half of each class costs one bit.
    assert metrics.cllr_min([1, 2, 3, 4], [0, 1, 0, 1]).value == pytest.approx(0.5)
    assert metrics.cllr([math.inf, -math.inf], [1, 0]).value == 0.0
    assert metrics.cllr([math.inf, -math.inf], [0, 1]).reason == "not_finite"


def test_isotonic_by_hand() -> None:
    fit = reliability.isotonic(np.array([1.0, 3.0, 2.0, 4.0]), np.array([1.0, 1.0, 3.0, 1.0]))
    assert fit == pytest.approx([1.0, 2.25, 2.25, 4.0])


def test_prior_matching_takes_the_prior_out() -> None:
    llr, fake = np.zeros(10), np.arange(10) < 8
    assert reliability.at_base_rate(llr, fake) == pytest.approx(np.full(10, 0.8))


@pytest.mark.parametrize("name", sorted(TWO_CLASS))
def test_degenerate_input_gives_a_reason(name: str) -> None:
    measure = TWO_CLASS[name]
    assert measure([], []) == metrics.Metric(None, "no_samples")
    assert measure([0.5, 0.6], [1, 1]) == metrics.Metric(None, "no_real_samples")
    assert measure([0.5, 0.6], [0, 0]) == metrics.Metric(None, "no_fake_samples")
    assert measure([0.5, math.nan], [0, 1]) == metrics.Metric(None, "nan_values")
    with pytest.raises(ValueError, match="shapes"):
        measure([0.5], [0, 1])


def test_coverage() -> None:
    assert metrics.coverage([True, True, False, True]).value == 0.75
    assert metrics.coverage([]).reason == "no_samples"
