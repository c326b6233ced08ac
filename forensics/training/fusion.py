"""Fit the calibrated fusion of detectors: logistic models with intervals, strata and error rates.

Every number that is reported comes from models that did not see the person it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from forensics.detectors import Detector
from forensics.evaluation.metrics import roc_auc
from forensics.evaluation.rates import wilson
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import Calibration, Context, Model, features

Floats = NDArray[np.float64]

_FOLDS = 5
_BOOTSTRAPS = 100
_SIZES = (1, 3, 32)  # numbers of crops that the model must serve
_STRENGTH = 0.3  # inverse strength of the penalty; it holds where few people leave doubt
_STRATA = 3
_TRACK = frozenset({"temporal"})


@dataclass(frozen=True, slots=True)
class Measured:
    """One clip: what was measured of its most visible face, and the truth.

    Attributes:
        logits: By detector.
        context: Picture quality.
        fake: The truth.
        group: Person or source.
        method: ``real`` or how the fake was made.
        path: As in the manifest.
        stills: Logits of the leading detector on single pictures, measured as stills are.
    """

    logits: dict[str, Floats]
    context: Context
    fake: bool
    group: str
    method: str = ""
    path: str = ""
    stills: tuple[float, ...] = ()


def intraclass_correlation(clips: Sequence[Measured], name: str) -> float:
    """Return the share of the logits' variance within a label that lies between clips."""
    shares = []
    for fake in (False, True):
        groups = [
            c.logits[name] for c in clips if c.fake == fake and len(c.logits.get(name, ())) > 1
        ]
        if len(groups) < 2:
            continue
        within = float(np.mean([g.var(ddof=1) for g in groups]))
        means = np.array([g.mean() for g in groups])
        size = float(np.mean([len(g) for g in groups]))
        between = max(float(means.var(ddof=1)) - within / size, 0.0)
        shares.append(between / max(between + within, 1e-9))
    return float(np.mean(shares)) if shares else 1.0


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of inputs at several numbers of crops, labels, and the clip of each row."""

    x: Floats
    fake: NDArray[np.bool_]
    owner: NDArray[np.int64]


def correlations(clips: Sequence[Measured], names: Sequence[str]) -> dict[str, float]:
    """Return `intraclass_correlation` by detector, rounded as it is stored."""
    return {name: round(intraclass_correlation(clips, name), 4) for name in names}


def _row(clip: Measured, names: Sequence[str], rho: dict[str, float], pick: Any) -> Floats:
    return features({n: summarise(pick(clip.logits[n], n), rho[n]) for n in names}, names)


def _table(clips: Sequence[Measured], names: Sequence[str], rho: dict[str, float]) -> _Table:
    rng = np.random.default_rng(0)
    rows, labels, owners = [], [], []
    for index, clip in enumerate(clips):
        if not set(names) <= clip.logits.keys():
            continue
        most = max(len(clip.logits[n]) for n in names)
        for size in _SIZES:
            if size > most and size != _SIZES[-1]:
                continue

            def pick(values: Floats, name: str, size: int = size) -> Floats:
                if name in _TRACK:
                    return values
                chosen = rng.permutation(len(values))[:size]
                return values[np.sort(chosen)]

            rows.append(_row(clip, names, rho, pick))
            labels.append(clip.fake)
            owners.append(index)
    return _Table(np.array(rows), np.array(labels, bool), np.array(owners))


def _fit(z: Floats, fake: NDArray[np.bool_], weight: Floats) -> Floats:
    """Logistic regression at even odds, without a weight below 0.

    Inputs whose weight comes out below 0 are left out and the rest is fitted again: a detector
    that finds more may not make a face look less suspicious.
    """
    weight = weight.copy()
    for label in (False, True):
        weight[fake == label] /= max(weight[fake == label].sum(), 1e-9)
    weight *= len(fake) / 2
    w = np.zeros(1 + z.shape[1])
    kept = np.arange(z.shape[1])
    while len(kept):
        model = LogisticRegression(C=_STRENGTH, max_iter=500)
        model.fit(z[:, kept], fake, sample_weight=weight)
        found = model.coef_[0]
        if (found >= 0).all():
            w[0], w[1 + kept] = model.intercept_[0], found
            break
        kept = kept[found >= 0]
    return w


def _whole(clips: Sequence[Measured], names: Sequence[str], rho: dict[str, float]) -> Floats:
    """Inputs of every clip with all its crops; NaN rows where a detector is missing."""
    rows = np.full((len(clips), 2 * len(names)), np.nan)
    for index, clip in enumerate(clips):
        if set(names) <= clip.logits.keys():
            rows[index] = _row(clip, names, rho, lambda values, name: values)
    return rows


def singles(clips: Sequence[Measured], name: str) -> list[Measured]:
    """Return the clips' single pictures, each as a clip of its own."""
    return [
        replace(clip, logits={name: np.array([value])}) for clip in clips for value in clip.stills
    ]


def cross_scores(
    clips: Sequence[Measured], names: Sequence[str], rho: dict[str, float],
    left_out: str | None = None,
) -> Floats:
    """Return (clips,) unbounded log ratios by models that saw no clip of the same group.

    Args:
        clips: Measured clips.
        names: Detectors to use.
        rho: Correlation between crops, by detector.
        left_out: Method whose fakes no model is fitted on.

    Returns:
        NaN where a detector did not measure.
    """
    table = _table(clips, names, rho)
    groups = sorted({c.group for c in clips})
    fold_of = {name: i % _FOLDS for i, name in enumerate(groups)}
    fold = np.array([fold_of[c.group] for c in clips])
    seen = np.array([c.method != left_out or not c.fake for c in clips])
    whole = _whole(clips, names, rho)
    mean, scale = np.nanmean(table.x, 0), np.maximum(np.nanstd(table.x, 0), 1e-6)
    scores = np.full(len(clips), np.nan)
    for number in range(_FOLDS):
        chosen = (fold[table.owner] != number) & seen[table.owner]
        z = _standardised(table.x[chosen], mean, scale)
        w = _fit(z, table.fake[chosen], np.ones(int(chosen.sum())))
        mine = (fold == number) & np.isfinite(whole[:, 0])
        scores[mine] = w[0] + _standardised(whole[mine], mean, scale) @ w[1:]
    return scores


def transfer_scores(
    fitted_on: Sequence[Measured], clips: Sequence[Measured], names: Sequence[str],
    rho: dict[str, float],
) -> Floats:
    """Return (clips,) unbounded log ratios by one model fitted on other clips.

    Args:
        fitted_on: Clips to fit on.
        clips: Clips to score.
        names: Detectors to use.
        rho: Correlation between crops, by detector.

    Returns:
        NaN where a detector did not measure.
    """
    table, whole = _table(fitted_on, names, rho), _whole(clips, names, rho)
    mean, scale = np.nanmean(table.x, 0), np.maximum(np.nanstd(table.x, 0), 1e-6)
    w = _fit(_standardised(table.x, mean, scale), table.fake, np.ones(len(table.x)))
    scores = w[0] + _standardised(whole, mean, scale) @ w[1:]
    return np.where(np.isfinite(whole[:, 0]), scores, np.nan)


def _standardised(x: Floats, mean: Floats, scale: Floats) -> Floats:
    return np.clip(np.nan_to_num((x - mean) / scale, nan=0.0), -4.0, 4.0)


def fit_model(
    clips: Sequence[Measured], names: Sequence[str], rho: dict[str, float],
    edges: tuple[float, ...], bound: float, filmed: Sequence[Measured] = (),
) -> Model:
    """Fit one set of detectors with its uncertainty and out-of-group scores.

    ``filmed`` are real recordings that nothing is fitted on; their scores are kept.
    """
    table = _table(clips, names, rho)
    mean, scale = np.nanmean(table.x, 0), np.maximum(np.nanstd(table.x, 0), 1e-6)
    z = _standardised(table.x, mean, scale)
    ones = np.ones(len(z))
    w = _fit(z, table.fake, ones)
    rng = np.random.default_rng(0)
    groups = sorted({c.group for c in clips})
    number = {name: i for i, name in enumerate(groups)}
    of_row = np.array([number[clips[i].group] for i in table.owner])
    draws = []
    for _ in range(_BOOTSTRAPS):
        times = np.bincount(rng.integers(len(groups), size=len(groups)), minlength=len(groups))
        chosen = times[of_row] > 0
        draws.append(_fit(z[chosen], table.fake[chosen], times[of_row][chosen].astype(float)))
    scores = np.clip(cross_scores(clips, names, rho), -bound, bound)
    real: list[float] = []
    fakes: list[list[float]] = [[] for _ in range(len(edges) + 1)]
    for clip, score in zip(clips, scores, strict=True):
        if not np.isfinite(score):
            continue
        if clip.fake:
            fakes[int(np.searchsorted(np.array(edges), clip.context.grain))].append(float(score))
        else:
            real.append(float(score))

    whole = _whole(filmed, names, rho)
    kept = w[0] + _standardised(whole[np.isfinite(whole[:, 0])], mean, scale) @ w[1:]

    def rounded(values: Any) -> tuple[float, ...]:
        return tuple(round(float(v), 6) for v in values)

    return Model(
        detectors=tuple(names),
        mean=rounded(mean),
        scale=rounded(scale),
        coefficients=rounded(w),
        covariance=tuple(rounded(row) for row in np.cov(np.array(draws).T)),
        real_scores=rounded(sorted(real)),
        fake_scores=tuple(rounded(sorted(part)) for part in fakes),
        filmed_scores=rounded(sorted(np.clip(kept, -bound, bound))),
    )


def sets_to_fit(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the sets of detectors that need a model: all, all of single pictures, and each."""
    whole = tuple(names)
    still = tuple(n for n in names if n not in _TRACK)
    return list(dict.fromkeys([whole, still, *((n,) for n in names)]))


def calibrate(
    clips: Sequence[Measured],
    detectors: Sequence[Detector],
    *,
    population: str,
    target_fpr: float,
    miss_share: float,
    filmed: Sequence[Measured] = (),
) -> Calibration:
    """Fit every model with its uncertainty and its error rates by cross-validation over groups.

    Args:
        clips: Measured clips.
        detectors: Whose measurements to fuse, the leading one first.
        population: What the clips are, in words.
        target_fpr: Default share of real clips that may be called suspect.
        miss_share: Share of a stratum's fakes that may be told to show no evidence.
        filmed: Real recordings on which the thresholds have to hold too; not fitted on.

    Raises:
        ValueError: Too few real or fake groups to fit anything.
    """
    names = [d.name for d in detectors]
    n_real = len({c.group for c in clips if not c.fake})
    n_fake = sum(c.fake for c in clips)
    if n_real < 2 * _FOLDS or len({c.group for c in clips if c.fake}) < 2 * _FOLDS:
        raise ValueError(f"needs at least {2 * _FOLDS} groups of either label, got {n_real} real")
    rho = correlations(clips, names)
    alone = singles(clips, names[0])
    grains = np.array([c.context.grain for c in clips])
    cuts = np.linspace(0, 1, _STRATA + 1)[1:-1]
    edges = tuple(round(float(v), 4) for v in np.nanquantile(grains, cuts))
    bound = float(np.log(max(n_real, 4) / 3.0))
    fitted = Calibration(
        detectors={d.name: str(d.version) for d in detectors},
        weights_sha256={d.name: str(d.card().get("sha256", "")) for d in detectors},
        correlation=rho,
        models=tuple(
            fit_model(clips, s, rho, edges, bound, filmed) for s in sets_to_fit(names)
        ),
        still=fit_model(
            alone, names[:1], rho, edges, bound, singles(filmed, names[0])
        ) if alone else None,
        edges=edges,
        bound=round(bound, 6),
        n_real=n_real,
        n_fake=int(n_fake),
        miss_share=miss_share,
        population=population,
        error_rates={"target_fpr": target_fpr},
    )
    rates = error_rates(fitted, clips, target_fpr)
    if filmed:
        rates |= {
            "filmed_recordings": len(filmed), "filmed_people": len({c.group for c in filmed})
        }
    return replace(fitted, error_rates=rates)


def error_rates(
    fitted: Calibration, clips: Sequence[Measured], target_fpr: float
) -> dict[str, Any]:
    """Return what the thresholds do to clips of people that the model was not fitted on."""
    names = fitted.models[0].detectors
    raw = cross_scores(clips, names, fitted.correlation)
    kept = np.isfinite(raw)
    scores = np.clip(raw[kept], -fitted.bound, fitted.bound)
    chosen = [c for c, k in zip(clips, kept, strict=True) if k]
    fake = np.array([c.fake for c in chosen])
    threshold = fitted.threshold(target_fpr)
    clear = np.array([min(fitted.clear(fitted.stratum(c.context)), threshold) for c in chosen])
    suspect, cleared = scores >= threshold, scores <= clear
    alarms, found = int((suspect & ~fake).sum()), int((suspect & fake).sum())
    strata = np.array([fitted.stratum(c.context) for c in chosen])
    return {
        "target_fpr": target_fpr,
        "threshold_llr": threshold,
        "false_alarms": alarms,
        "real_clips": int((~fake).sum()),
        "fpr_interval": list(wilson(alarms, int((~fake).sum()))),
        "found": found,
        "fake_clips": int(fake.sum()),
        "tpr_interval": list(wilson(found, int(fake.sum()))),
        "cleared_real": int((cleared & ~fake).sum()),
        "cleared_fake": int((cleared & fake).sum()),
        "miss_share": fitted.miss_share,
        "strata": [
            {
                "grain_below": None if i == len(fitted.edges) else fitted.edges[i],
                "real": int((~fake & (strata == i)).sum()),
                "fake": int((fake & (strata == i)).sum()),
                "cleared_real": int((cleared & ~fake & (strata == i)).sum()),
                "cleared_fake": int((cleared & fake & (strata == i)).sum()),
                "suspect_real": int((suspect & ~fake & (strata == i)).sum()),
                "suspect_fake": int((suspect & fake & (strata == i)).sum()),
            }
            for i in range(len(fitted.edges) + 1)
        ],
        "auc": roc_auc(scores, fake).value,
        "population": fitted.population,
        "how": f"{_FOLDS}-fold cross-validation by person",
    }
