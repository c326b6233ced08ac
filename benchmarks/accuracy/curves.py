"""Curves of one scorer on one set, thinned to what a plot needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.curves import Ranking
from forensics.evaluation.summary import row_samples

POINTS = 120
BINS = 10
Record = Mapping[str, Any]
Points = list[list[float]]


def curve_block(records: Sequence[Record]) -> dict[str, Any] | None:
    """Return ROC, reliability and risk-coverage of scored rows; None without both classes.

    Returns:
        ``roc``: points (FPR, TPR), from (0, 0) to (1, 1). ``reliability``: for each bin of equal
        mass (mean probability, share of fakes, n); empty where there are no probabilities.
        ``risk_coverage``: points (coverage, share of wrong calls among the rows kept), the surest
        first; rows without a score are never kept. ``aurc``: the area below the latter.
    """
    samples = row_samples(records)
    if len(set(samples.fake.tolist())) < 2:
        return None
    curve = Ranking(samples.score, samples.fake).curve(np.ones((1, len(samples))))
    roc = np.c_[curve.fp[0] / curve.fp[0, -1], curve.tp[0] / curve.tp[0, -1]]
    known = np.isfinite(samples.probability)
    p, fake = samples.probability[known], samples.fake[known]
    risk = _risk_coverage(p, fake, len(records)) if len(p) else []
    coverage, wrong = np.array(risk).T if risk else (np.zeros(0), np.zeros(0))
    return {
        "roc": _thinned(roc),
        "reliability": _reliability(p, fake) if len(p) else [],
        "risk_coverage": _thinned(np.array(risk)) if risk else [],
        "aurc": float(np.trapezoid(wrong, coverage)) if risk else None,
    }


def _thinned(points: NDArray[np.float64]) -> Points:
    if len(points) > POINTS:
        # Even steps along the curve, not along the samples: flat parts need few points.
        steps = np.abs(np.diff(points, axis=0)).sum(1)
        along = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = np.linspace(0, along[-1], POINTS)
        points = points[np.unique(np.searchsorted(along, wanted).clip(0, len(points) - 1))]
    return [[round(float(x), 5), round(float(y), 5)] for x, y in points]


def _reliability(p: NDArray[np.float64], fake: NDArray[np.bool_]) -> Points:
    order = np.argsort(p, kind="stable")
    return [
        [round(float(p[part].mean()), 5), round(float(fake[part].mean()), 5), float(len(part))]
        for part in np.array_split(order, min(BINS, len(order)))
    ]


def _risk_coverage(p: NDArray[np.float64], fake: NDArray[np.bool_], n: int) -> Points:
    order = np.argsort(-np.abs(p - 0.5), kind="stable")
    wrong = (p[order] >= 0.5) != fake[order]
    kept = np.arange(1, len(order) + 1)
    return [[float(k / n), float(w / k)] for k, w in zip(kept, np.cumsum(wrong), strict=True)]
