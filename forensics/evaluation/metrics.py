"""Figures of merit of one set of scores, each a number or a reason why there is none.

``scores``: (n,) higher means more likely fake. ``fake``: (n,) booleans or 0/1. No function here
raises on degenerate data: one class only, no samples or NaN give ``Metric(None, reason)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forensics.evaluation import reliability
from forensics.evaluation.curves import Bools, Curve, Floats, Ranking

FPR_LIMITS = (0.01, 0.05)


@dataclass(frozen=True, slots=True)
class Metric:
    """A number, or None with the reason for its absence."""

    value: float | None
    reason: str | None = None


def why_undefined(values: Floats, fake: Bools) -> str | None:
    """Return the code of what makes two-class figures impossible, or None when they exist."""
    if values.shape != fake.shape or values.ndim != 1:
        raise ValueError(f"expected equal 1-d shapes, got {values.shape} and {fake.shape}")
    if not len(values):
        return "no_samples"
    if np.isnan(values).any():
        return "nan_values"
    if not fake.any():
        return "no_fake_samples"
    if fake.all():
        return "no_real_samples"
    return None


def least_real_samples(fpr: float) -> int:
    """Return the independent reals needed before a claim "FPR <= ``fpr``" can be supported.

    Rule of three: with no error in n samples the one-sided 95 % bound on the rate is about 3 / n.

    Raises:
        ValueError: ``fpr`` is not within 0..1, 0 excluded.
    """
    if not 0.0 < fpr <= 1.0:
        raise ValueError(f"fpr must be above 0 and at most 1, got {fpr}")
    return math.ceil(3.0 / fpr - 1e-9)


def unsupported(fpr: float, n_real: int) -> str | None:
    """Return why ``n_real`` independent reals cannot carry a claim at ``fpr``, or None."""
    need = least_real_samples(fpr)
    if n_real >= need:
        return None
    return f"not supported by n: needs {need} independent real samples, has {n_real}"


def _finite(value: float) -> Metric:
    return Metric(value) if math.isfinite(value) else Metric(None, "not_finite")


def _measure(
    values: ArrayLike, fake: ArrayLike, statistic: Callable[[Floats, Bools], float]
) -> Metric:
    scores, labels = np.asarray(values, dtype=np.float64), np.asarray(fake, dtype=np.bool_)
    reason = why_undefined(scores, labels)
    return Metric(None, reason) if reason else _finite(statistic(scores, labels))


def _on_curve(values: ArrayLike, fake: ArrayLike, statistic: Callable[[Curve], Floats]) -> Metric:
    def at_ones(scores: Floats, labels: Bools) -> float:
        return float(statistic(Ranking(scores, labels).curve(np.ones((1, len(scores)))))[0])

    return _measure(values, fake, at_ones)


def roc_auc(scores: ArrayLike, fake: ArrayLike) -> Metric:
    """Return the area under the ROC curve: P(fake above real), ties one half."""
    return _on_curve(scores, fake, Curve.auc)


def equal_error_rate(scores: ArrayLike, fake: ArrayLike) -> Metric:
    """Return the rate at which false alarms and misses are equal."""
    return _on_curve(scores, fake, Curve.eer)


def average_precision(scores: ArrayLike, fake: ArrayLike) -> Metric:
    """Return the average precision; unlike the AUC it depends on the share of fakes."""
    return _on_curve(scores, fake, Curve.average_precision)


def tpr_at_fpr(
    scores: ArrayLike, fake: ArrayLike, fpr: float, *, n_independent: int | None = None
) -> Metric:
    """Return the best true positive rate at a false positive rate of at most ``fpr``.

    Refused where the reals are too few: see `least_real_samples`.

    Args:
        scores: (n,).
        fake: (n,).
        fpr: Limit, above 0 and at most 1.
        n_independent: Independent reals, when frames of one source are counted once; by default
            every real sample.

    Raises:
        ValueError: ``fpr`` out of range.
    """
    labels = np.asarray(fake, dtype=np.bool_)
    n_real = int(np.sum(~labels)) if n_independent is None else n_independent
    reason = unsupported(fpr, n_real)
    found = _on_curve(scores, labels, lambda curve: curve.tpr_at_fpr(fpr))
    return Metric(None, reason) if reason and found.value is not None else found


def _calibrated(
    values: ArrayLike, fake: ArrayLike, statistic: Callable[[Floats, Bools, Floats], Floats]
) -> Metric:
    def at_ones(numbers: Floats, labels: Bools) -> float:
        return float(statistic(numbers, labels, np.ones((1, len(numbers))))[0])

    return _measure(values, fake, at_ones)


def expected_calibration_error(probability: ArrayLike, fake: ArrayLike) -> Metric:
    """Return the ECE over 15 bins of equal mass; see `reliability`."""
    return _calibrated(probability, fake, reliability.expected_calibration_error)


def brier_score(probability: ArrayLike, fake: ArrayLike) -> Metric:
    """Return the mean squared error of the probabilities."""
    return _calibrated(probability, fake, reliability.brier)


def cllr(llr: ArrayLike, fake: ArrayLike) -> Metric:
    """Return the log-likelihood-ratio cost in bits for natural-log ratios."""
    return _calibrated(llr, fake, reliability.cllr)


def cllr_min(scores: ArrayLike, fake: ArrayLike) -> Metric:
    """Return the Cllr that the best monotone calibration would reach."""
    return _measure(scores, fake, reliability.cllr_min)


def coverage(accepted: ArrayLike) -> Metric:
    """Return the share of inputs that were judged: (n,) booleans over every row asked for."""
    mask = np.asarray(accepted, dtype=np.bool_)
    return Metric(float(mask.mean())) if mask.size else Metric(None, "no_samples")
