"""Cluster bootstrap: intervals that respect that samples of one group are not independent.

Whole groups are drawn with replacement (Field & Welsh, JRSS-B 69, 2007). A draw is kept as the
number of times each group came up, so that a replicate is a re-weighting of samples that were
sorted once, and many replicates are computed in one go.

Limits to know: percentile intervals are somewhat narrow for few groups, an estimate at the edge of
its range (an AUC of exactly 1) has no spread at all, and the ECE, which is never negative, is
pushed upwards in replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forensics.evaluation.curves import Curve, Floats, Ranking
from forensics.evaluation.metrics import why_undefined

REPLICATES = 2000
LEVEL = 0.95
Statistics = Callable[[Floats], Mapping[str, Floats]]

CURVE_STATISTICS: dict[str, Callable[[Curve], Floats]] = {
    "auc": Curve.auc,
    "eer": Curve.eer,
    "average_precision": Curve.average_precision,
}

# Cells of weight matrix handled at once: small enough to stay near the processor.
_CELLS = 400_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval, or the reason for its absence.

    Attributes:
        bounds: Lower and upper end, or None.
        reason: Why there is none, or None.
        replicates: Replicates in which the statistic was defined.
    """

    bounds: tuple[float, float] | None
    reason: str | None = None
    replicates: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """How two score sets on the same samples differ.

    Attributes:
        value: First minus second, or None.
        interval: Interval of the difference.
        reason: Why there is no value, or None.
    """

    value: float | None
    interval: Interval
    reason: str | None = None


def group_weights(
    groups: Sequence[str], *, n_boot: int = REPLICATES, seed: int = 0
) -> Iterator[Floats]:
    """Yield (b, n) matrices, ``n_boot`` rows in all: how often each sample's group was drawn.

    The draws depend on ``seed`` and the order in which groups first appear.
    """
    # A dictionary and not an array of texts: one long name would widen every cell of the array.
    codes: dict[str, int] = {}
    place = np.array([codes.setdefault(group, len(codes)) for group in groups], np.int64)
    count = len(codes)
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // max(1, len(place)))
    for start in range(0, n_boot if count else 0, step):
        rows = min(step, n_boot - start)
        drawn = rng.integers(0, count, size=(rows, count))
        drawn += count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        yield times.astype(np.float64)[:, place]


def bootstrap(
    statistics: Statistics,
    groups: Sequence[str],
    *,
    n_boot: int = REPLICATES,
    seed: int = 0,
    level: float = LEVEL,
) -> dict[str, Interval]:
    """Return an interval for each statistic.

    Args:
        statistics: Takes (b, n) weights, gives (b,) values by name; NaN where undefined.
        groups: (n,) group names.
        n_boot: Replicates; 0 gives no intervals.
        seed: Seed of the draws.
        level: Coverage of the interval, 0..1.

    Returns:
        Named intervals. Without bounds when there are fewer than two groups, no replicates, or
        the statistic is undefined in more than half of them.
    """
    n = len(groups)
    few = len(set(groups)) < 2
    if few or n_boot < 1:
        reason = "fewer_than_two_groups" if few else "bootstrap_switched_off"
        return dict.fromkeys(statistics(np.ones((1, n))) if n else (), Interval(None, reason))
    collected: dict[str, list[Floats]] = {}
    for weights in group_weights(groups, n_boot=n_boot, seed=seed):
        for name, values in statistics(weights).items():
            collected.setdefault(name, []).append(values)
    return {name: _percentiles(np.concatenate(parts), level) for name, parts in collected.items()}


def auc_interval(
    scores: ArrayLike,
    fake: ArrayLike,
    groups: Sequence[str],
    *,
    n_boot: int = REPLICATES,
    seed: int = 0,
) -> Interval:
    """Return the cluster bootstrap interval of the ROC AUC."""
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(fake, dtype=np.bool_)
    reason = why_undefined(values, labels)
    if reason:
        return Interval(None, reason)
    ranking = Ranking(values, labels)
    found = bootstrap(lambda w: {"auc": ranking.curve(w).auc()}, groups, n_boot=n_boot, seed=seed)
    return found["auc"]


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    fake: ArrayLike,
    groups: Sequence[str],
    *,
    statistic: str = "auc",
    n_boot: int = REPLICATES,
    seed: int = 0,
) -> Difference:
    """Return ``statistic(first) - statistic(second)`` with both computed on the same draws.

    Args:
        first: (n,) scores of one detector.
        second: (n,) scores of another on the same samples, in the same order.
        fake: (n,) which samples are fake.
        groups: (n,) group names.
        statistic: A name in ``CURVE_STATISTICS``.
        n_boot: Replicates.
        seed: Seed of the draws.

    Raises:
        ValueError: The statistic is not known or the shapes differ.
    """
    if statistic not in CURVE_STATISTICS:
        raise ValueError(f"statistic must be one of {sorted(CURVE_STATISTICS)}, got {statistic!r}")
    labels = np.asarray(fake, dtype=np.bool_)
    sets = [np.asarray(scores, dtype=np.float64) for scores in (first, second)]
    for values in sets:
        reason = why_undefined(values, labels)
        if reason:
            return Difference(None, Interval(None, reason), reason)
    one, two = (Ranking(values, labels) for values in sets)
    measure = CURVE_STATISTICS[statistic]

    def difference(weights: Floats) -> dict[str, Floats]:
        return {"difference": measure(one.curve(weights)) - measure(two.curve(weights))}

    value = float(difference(np.ones((1, len(labels))))["difference"][0])
    found = bootstrap(difference, groups, n_boot=n_boot, seed=seed)
    return Difference(value, found["difference"])


def _percentiles(values: Floats, level: float) -> Interval:
    defined = values[np.isfinite(values)]
    if len(defined) * 2 < len(values):
        return Interval(None, "undefined_in_most_replicates", len(defined))
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(defined, [tail, 100.0 - tail])
    return Interval((float(low), float(high)), None, len(defined))
