"""Weighted calibration statistics: ECE, Brier, Cllr, and Cllr after the best monotone map.

As in `curves`, each row of a (b, n) weight matrix is one re-weighting of the same samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.curves import Bools, Floats

ECE_BINS = 15


def brier(probability: Floats, fake: Bools, weights: Floats) -> Floats:
    """Return (b,) mean squared errors of the probabilities."""
    return _mean((probability - fake) ** 2, weights)


def expected_calibration_error(
    probability: Floats, fake: Bools, weights: Floats, *, bins: int = ECE_BINS
) -> Floats:
    """Return (b,) expected calibration errors over ``bins`` bins of equal mass.

    Samples of equal probability always share a bin (that of the middle of their mass): were a tie
    cut, the result would depend on the order of the rows.
    """
    order = np.argsort(probability, kind="stable")
    ranked = probability[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    sorted_weights = weights[:, order]
    mass = np.add.reduceat(sorted_weights, starts, axis=1)
    fakes = np.add.reduceat(sorted_weights * fake[order], starts, axis=1)
    total = np.sum(mass, axis=1, keepdims=True)
    safe = np.where(total > 0, total, 1.0)
    middle = (np.cumsum(mass, axis=1) - mass / 2) / safe
    place = np.minimum((middle * bins).astype(np.int64), bins - 1)
    flat = (place + bins * np.arange(len(weights))[:, None]).ravel()
    excess = (mass * ranked[starts] - fakes).ravel()
    gap = np.bincount(flat, excess, minlength=bins * len(weights)).reshape(-1, bins)
    error = np.sum(np.abs(gap), axis=1) / safe[:, 0]
    return np.where(total[:, 0] > 0, error, np.nan)


def cllr(llr: Floats, fake: Bools, weights: Floats) -> Floats:
    """Return (b,) log-likelihood-ratio costs in bits; 1 is the cost of knowing nothing.

    The cost of Brümmer and du Preez (Computer Speech & Language 20, 2006). Both classes count one
    half, whatever their sizes.

    Args:
        llr: (n,) natural-log likelihood ratios, fake over real.
        fake: (n,) which samples are fake.
        weights: (b, n).
    """
    cost = np.logaddexp(0.0, np.where(fake, -llr, llr)) / np.log(2.0)
    return (_mean(cost, weights * fake) + _mean(cost, weights * ~fake)) / 2


def isotonic(values: Floats, weights: Floats) -> Floats:
    """Return the (n,) non-decreasing sequence nearest to ``values`` in weighted squares.

    Pool-adjacent-violators: blocks that fall are merged into their mean until none does.

    Args:
        values: (n,) in the order in which the fit may not fall.
        weights: (n,) positive.
    """
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, size = value, weight, 1
        while means and means[-1] >= mean:
            last = masses.pop()
            mean = (means.pop() * last + mean * mass) / (last + mass)
            mass += last
            size += sizes.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)
    return np.repeat(np.asarray(means), sizes)


def cllr_min(scores: Floats, fake: Bools) -> float:
    """Return Cllr after the best monotone map from score to likelihood ratio, fitted on the set.

    What is left is a want of discrimination; ``cllr - cllr_min`` is the cost of bad calibration.

    Args:
        scores: (n,) scores or likelihood ratios, both classes present.
        fake: (n,) which samples are fake.
    """
    _, place = np.unique(scores, return_inverse=True)
    total = np.bincount(place).astype(np.float64)
    fakes = np.bincount(place, weights=fake)
    rate = isotonic(fakes / total, total)
    with np.errstate(divide="ignore"):
        llr = np.log(rate) - np.log1p(-rate) + np.log(np.sum(~fake)) - np.log(np.sum(fake))
    costs = []
    for share, sign in ((fakes, -1.0), (total - fakes, 1.0)):
        seen = share > 0
        bits = np.logaddexp(0.0, sign * llr[seen]) / np.log(2.0)
        costs.append(float(np.sum(bits * share[seen]) / np.sum(share)))
    return sum(costs) / 2


def at_base_rate(llr: Floats, fake: Bools) -> Floats:
    """Return the probabilities that follow from ``llr`` when the prior is this set's own rate.

    A probability at another prior is wrong on this set however good the likelihood ratios are;
    this takes the prior out of the question.
    """
    odds = np.log(np.sum(fake)) - np.log(np.sum(~fake))
    return np.asarray(np.exp(-np.logaddexp(0.0, -(llr + odds))), dtype=np.float64)


def _mean(values: Floats, weights: NDArray[np.float64]) -> Floats:
    # Never 0 x inf: a sample without weight is left out.
    finite = np.isfinite(values)
    above = weights @ np.where(finite, values, 0.0)
    if not finite.all():
        above = np.where(np.any(weights[:, ~finite] > 0, axis=1), np.inf, above)
    below = np.sum(weights, axis=1)
    out: Floats = np.full(len(weights), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
