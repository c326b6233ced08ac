"""Turn scored rows into the figures of a result: for rows and for groups, with intervals.

A *frame* sample is a row. A *group* sample is the mean over the rows of one group that share label
and method: rows of different methods are never averaged, because that hides the weak method and
lifts the AUC. Rows without a method cannot be told apart and share one sample per label.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forensics.evaluation import reliability
from forensics.evaluation.bootstrap import CURVE_STATISTICS, Interval, Statistics, bootstrap
from forensics.evaluation.curves import Bools, Floats, Ranking
from forensics.evaluation.metrics import FPR_LIMITS, unsupported, why_undefined

Record = Mapping[str, Any]
Block = dict[str, Any]
MEASURES = ("score", "probability", "llr")

Calibration = Callable[[Floats, Bools, Floats], Floats]
PROBABILITY_STATISTICS: dict[str, Calibration] = {
    "ece": reliability.expected_calibration_error,
    "brier": reliability.brier,
}
LLR_STATISTICS: dict[str, Calibration] = {
    "cllr": reliability.cllr,
    "ece_prior_matched": reliability.expected_calibration_error,
    "brier_prior_matched": reliability.brier,
}


@dataclass(frozen=True, slots=True)
class Samples:
    """Scored samples as parallel arrays.

    Attributes:
        score: (n,) numbers.
        probability: (n,) 0..1, NaN where the scorer gave none.
        llr: (n,) natural-log likelihood ratios, NaN where the scorer gave none.
        fake: (n,) booleans.
        groups: n group names.
    """

    score: Floats = field(kw_only=True)
    probability: Floats = field(kw_only=True)
    llr: Floats = field(kw_only=True)
    fake: Bools = field(kw_only=True)
    groups: tuple[str, ...] = field(kw_only=True)

    def __len__(self) -> int:
        return len(self.score)


def row_samples(records: Sequence[Record]) -> Samples:
    """Return one sample for each record that has a score."""
    return _samples([[record] for record in records if record["score"] is not None])


def group_samples(records: Sequence[Record]) -> Samples:
    """Return one sample for each group, label and method with at least one score."""
    cells: dict[tuple[str, str, str | None], list[Record]] = {}
    for record in records:
        if record["score"] is not None:
            key = (record["group"], record["label"], record.get("method"))
            cells.setdefault(key, []).append(record)
    return _samples(list(cells.values()))


def _samples(cells: Sequence[Sequence[Record]]) -> Samples:
    columns = {
        name: np.array([_mean([row.get(name) for row in cell]) for cell in cells], np.float64)
        for name in MEASURES
    }
    return Samples(
        fake=np.array([cell[0]["label"] == "fake" for cell in cells], np.bool_),
        groups=tuple(cell[0]["group"] for cell in cells),
        **columns,
    )


def _mean(values: Sequence[float | None]) -> float:
    given = [value for value in values if value is not None]
    return math.fsum(given) / len(given) if given else math.nan


def summarise(samples: Samples, *, n_boot: int, seed: int) -> Block:
    """Return every figure of one kind of sample, JSON-ready.

    A figure that cannot be given is None, and ``unavailable`` holds the reason under its name.
    ``tpr_at_fpr`` counts independent reals by group, since frames of one source say the same thing
    again. ``ece`` and ``brier`` judge the probabilities at the scorer's own prior; the
    ``_prior_matched`` ones judge its likelihood ratios at this set's share of fakes.
    """
    reals = {group for group, fake in zip(samples.groups, samples.fake, strict=True) if not fake}
    real_groups = len(reals)
    block: Block = {
        "n": len(samples),
        "n_real": int(np.sum(~samples.fake)),
        "n_fake": int(np.sum(samples.fake)),
        "groups": len(set(samples.groups)),
        "real_groups": real_groups,
        "n_probability": int(np.sum(np.isfinite(samples.probability))),
        "n_llr": int(np.sum(np.isfinite(samples.llr))),
    }
    statistics, missing = _statistics(samples)
    values = statistics(np.ones((1, len(samples)))) if len(samples) else {}
    intervals = bootstrap(statistics, samples.groups, n_boot=n_boot, seed=seed)
    names = [*CURVE_STATISTICS, *PROBABILITY_STATISTICS, *LLR_STATISTICS]
    unavailable: dict[str, str] = {}
    for name in names:
        block[name], block[f"{name}_interval"] = _report(
            name, values, intervals, missing.get(name), unavailable
        )
    block["tpr_at_fpr"], block["tpr_at_fpr_interval"] = {}, {}
    for limit in FPR_LIMITS:
        name = f"tpr_at_fpr.{limit}"
        why = missing.get(name) or unsupported(limit, real_groups)
        value, bounds = _report(name, values, intervals, why, unavailable)
        block["tpr_at_fpr"][str(limit)], block["tpr_at_fpr_interval"][str(limit)] = value, bounds
    block["cllr_min"] = _cllr_min(samples, unavailable)
    block["unavailable"] = unavailable
    return block


def _report(
    name: str,
    values: Mapping[str, Floats],
    intervals: Mapping[str, Interval],
    missing: str | None,
    unavailable: dict[str, str],
) -> tuple[float | None, list[float] | None]:
    if missing is not None:
        unavailable[name] = missing
        return None, None
    value = float(values[name][0])
    if not math.isfinite(value):
        unavailable[name] = "not_finite"
        return None, None
    interval = intervals[name]
    if interval.reason is not None:
        unavailable[f"{name}_interval"] = interval.reason
    return value, None if interval.bounds is None else list(interval.bounds)


def _statistics(samples: Samples) -> tuple[Statistics, dict[str, str]]:
    """Return the weighted statistics that exist for these samples, and why the others do not."""
    missing: dict[str, str] = {}
    fake = samples.fake
    curve_names = [*CURVE_STATISTICS, *(f"tpr_at_fpr.{limit}" for limit in FPR_LIMITS)]
    no_curve = why_undefined(samples.score, fake)
    if no_curve:
        missing.update(dict.fromkeys(curve_names, no_curve))
    ranking = None if no_curve else Ranking(samples.score, fake)

    has_p, has_llr = np.isfinite(samples.probability), np.isfinite(samples.llr)
    no_p = _why_missing(has_p, fake, "no_probability")
    no_llr = _why_missing(has_llr, fake, "no_llr")
    missing.update(dict.fromkeys(PROBABILITY_STATISTICS, no_p) if no_p else {})
    missing.update(dict.fromkeys(LLR_STATISTICS, no_llr) if no_llr else {})
    llr, llr_fake = samples.llr[has_llr], fake[has_llr]
    inputs = dict.fromkeys(PROBABILITY_STATISTICS, (samples.probability[has_p], fake[has_p], has_p))
    if not no_llr:
        matched = reliability.at_base_rate(llr, llr_fake)
        inputs |= dict.fromkeys(LLR_STATISTICS, (matched, llr_fake, has_llr))
        inputs["cllr"] = (llr, llr_fake, has_llr)
    measures = [
        (name, measure, *inputs[name])
        for name, measure in (PROBABILITY_STATISTICS | LLR_STATISTICS).items()
        if name not in missing
    ]

    def statistics(weights: Floats) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        if ranking is not None:
            curve = ranking.curve(weights)
            found |= {name: measure(curve) for name, measure in CURVE_STATISTICS.items()}
            found |= {f"tpr_at_fpr.{limit}": curve.tpr_at_fpr(limit) for limit in FPR_LIMITS}
        for name, measure, numbers, labels, has in measures:
            found[name] = measure(numbers, labels, weights[:, has])
        return found

    return statistics, missing


def _why_missing(has: Bools, fake: Bools, absent: str) -> str | None:
    return why_undefined(np.zeros(int(has.sum())), fake[has]) if has.any() else absent


def _cllr_min(samples: Samples, unavailable: dict[str, str]) -> float | None:
    """Return Cllr-min of the likelihood ratios, or of the scores when there are none."""
    has = np.isfinite(samples.llr)
    values, fake = (
        (samples.llr[has], samples.fake[has]) if has.any() else (samples.score, samples.fake)
    )
    reason = why_undefined(values, fake)
    if reason:
        unavailable["cllr_min"] = reason
        return None
    return reliability.cllr_min(values, fake)


def worst_case_auc(records: Sequence[Record]) -> float | None:
    """Return the row AUC if every row without a score had been scored as wrongly as possible.

    What a scorer skips is often what it would get wrong; this bounds what skipping may hide.
    """
    fake = np.array([record["label"] == "fake" for record in records], np.bool_)
    score = np.array(
        [np.nan if record["score"] is None else record["score"] for record in records], np.float64
    )
    score = np.where(np.isnan(score), np.where(fake, -np.inf, np.inf), score)
    if why_undefined(score, fake):
        return None
    return float(Ranking(score, fake).curve(np.ones((1, len(score)))).auc()[0])


def coverage_block(records: Sequence[Record], *, n_boot: int, seed: int) -> Block:
    """Return the share of rows that were scored and not declined, with its interval."""
    accepted = np.array([is_accepted(record) for record in records], np.float64)
    groups = tuple(record["group"] for record in records)

    def share(weights: Floats) -> dict[str, Floats]:
        return {"coverage": (weights @ accepted) / weights.sum(axis=1)}

    interval = bootstrap(share, groups, n_boot=n_boot, seed=seed)["coverage"]
    return {
        "coverage": float(accepted.mean()),
        "coverage_interval": None if interval.bounds is None else list(interval.bounds),
    }


def is_accepted(record: Record) -> bool:
    """Whether the row has a score that a scan would act on."""
    return record["score"] is not None and not record["abstained"]
