from __future__ import annotations

import numpy as np
import pytest

from forensics.evaluation.bootstrap import (
    auc_interval,
    bootstrap,
    group_weights,
    paired_difference,
)

RNG = np.random.default_rng(7)


def width(bounds: tuple[float, float] | None) -> float:
    assert bounds is not None
    return bounds[1] - bounds[0]


def test_weights_are_draws_of_whole_groups() -> None:
    groups = ["b", "a", "b", "c"]
    weights = np.concatenate(list(group_weights(groups, n_boot=50, seed=1)))
    assert weights.shape == (50, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    again = np.concatenate(list(group_weights(groups, n_boot=50, seed=1)))
    assert (weights == again).all()
    other = np.concatenate(list(group_weights(groups, n_boot=50, seed=2)))
    assert (weights != other).any()


def test_interval_of_a_mean_agrees_with_theory() -> None:
    values = RNG.normal(size=400)
    groups = [str(i) for i in range(400)]
    found = bootstrap(
        lambda w: {"mean": (w @ values) / w.sum(axis=1)}, groups, n_boot=2000, seed=0
    )["mean"]
    assert width(found.bounds) == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.08)


def test_auc_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Two unit normals one apart: AUC = Phi(1 / sqrt 2).
    truth, hits = 0.7602499, 0
    fake = np.arange(200) % 2 == 0
    groups = [str(i) for i in range(200)]
    for trial in range(60):
        scores = np.random.default_rng(trial).normal(size=200) + fake
        bounds = auc_interval(scores, fake, groups, n_boot=300, seed=trial).bounds
        assert bounds is not None
        hits += bounds[0] <= truth <= bounds[1]
    assert 51 <= hits <= 60


def test_frames_of_one_clip_are_not_independent() -> None:
    # D6: 40 clips of 25 frames that share the clip's score almost entirely.
    clips, frames = 40, 25
    fake = np.repeat(np.arange(clips) % 2 == 0, frames)
    level = np.repeat(RNG.normal(size=clips), frames)
    scores = level + 0.1 * RNG.normal(size=clips * frames) + fake
    by_clip = [str(i // frames) for i in range(clips * frames)]
    by_frame = [str(i) for i in range(clips * frames)]
    honest = auc_interval(scores, fake, by_clip, n_boot=500)
    naive = auc_interval(scores, fake, by_frame, n_boot=500)
    assert width(honest.bounds) > 3 * width(naive.bounds)


def test_copying_every_frame_leaves_the_interval_as_it_was() -> None:
    scores, fake = RNG.normal(size=60), np.arange(60) % 2 == 0
    groups = [str(i // 2) for i in range(60)]
    once = auc_interval(scores, fake, groups, n_boot=300)
    twice = auc_interval(np.tile(scores, 2), np.tile(fake, 2), groups * 2, n_boot=300)
    assert once.bounds == pytest.approx(twice.bounds)


def test_pairing_narrows_the_difference() -> None:
    fake = np.arange(300) % 2 == 0
    groups = [str(i) for i in range(300)]
    one = RNG.normal(size=300) + fake
    near = one + 0.05 * RNG.normal(size=300)
    apart = width(auc_interval(one, fake, groups, n_boot=500).bounds)
    found = paired_difference(one, near, fake, groups, n_boot=500)
    assert found.value == pytest.approx(0.0, abs=0.02)
    assert width(found.interval.bounds) < apart / 3
    worse = paired_difference(one, RNG.normal(size=300), fake, groups, n_boot=500)
    assert worse.interval.bounds is not None and worse.interval.bounds[0] > 0
    same = paired_difference(one, one, fake, groups, n_boot=50)
    assert (same.value, same.interval.bounds) == (0.0, (0.0, 0.0))
    with pytest.raises(ValueError, match="statistic must be one of"):
        paired_difference(one, near, fake, groups, statistic="luck")


def test_degenerate_input_gives_a_reason() -> None:
    assert auc_interval([1, 2], [0, 1], ["a", "a"]).reason == "fewer_than_two_groups"
    assert auc_interval([1, 2], [0, 1], ["a", "b"], n_boot=0).reason == "bootstrap_switched_off"
    assert auc_interval([1, 2], [1, 1], ["a", "b"]).reason == "no_real_samples"
    assert paired_difference([1, 2], [np.nan, 1], [0, 1], ["a", "b"]).reason == "nan_values"
    # One real among many fakes: a third of the draws miss it, the rest still count.
    many = auc_interval([0, 1, 2, 3], [0, 1, 1, 1], list("abcd"), n_boot=400)
    assert many.bounds == (1.0, 1.0)
    assert 200 < many.replicates < 350


def test_a_long_group_name_costs_no_memory() -> None:
    groups = ["x" * 1_000_000, *(str(i) for i in range(999))]
    assert next(group_weights(groups, n_boot=2)).shape == (2, 1000)
