"""Shortcut probes: can the label be told from how a file is coded, or how large it is?

A set in which it can teaches a detector the codec. The probe is a naive Bayes classifier over
binned features, fitted and tried on different groups, so that its AUC is that of a shortcut which
would carry over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.bootstrap import auc_interval
from forensics.evaluation.lint.files import Features
from forensics.evaluation.lint.findings import Finding
from forensics.evaluation.manifest import Row
from forensics.evaluation.metrics import roc_auc
from forensics.evaluation.rates import wilson

REFUSED_ABOVE = 0.55
"""Lower end of the AUC's interval from which a set is refused."""
HIDES_ABOVE = 0.75
"""Upper end from which the interval is too wide to call a set clean."""

_FOLDS = 5
_BINS = 8
_FEW = 20
_FEW_PAIRS = 8
_REPLICATES = 1000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def probe(name: str, rows: Sequence[Row], features: Mapping[int, Features]) -> dict[str, Any]:
    """Try to tell the label from features.

    Args:
        name: Of the probe, ``codec`` or ``size``.
        rows: Rows with labels; those without features are left out.
        features: By line of the manifest.

    Returns:
        JSON-ready: n, groups, ``auc`` and ``interval`` of groups that the probe was not fitted on,
        both None where a class has fewer than two groups; and ``tells``, the feature that tells
        most, with its own AUC.
    """
    known = [row for row in rows if row.line in features]
    fake = np.array([row.label == "fake" for row in known], np.bool_)
    groups = [row.group for row in known]
    reals, fakes = (
        {g for g, f in zip(groups, fake, strict=True) if f == wanted} for wanted in (False, True)
    )
    counts = {"real": len(reals), "fake": len(fakes)}
    result: dict[str, Any] = {
        "name": name, "n_real": int((~fake).sum()), "n_fake": int(fake.sum()),
        "real_groups": counts["real"], "fake_groups": counts["fake"],
        "auc": None, "interval": None, "tells": None,
    }  # fmt: skip
    least = min(counts.values())
    if least < 2:
        return result
    columns = {
        key: [features[row.line].get(key, "") for row in known]
        for key in dict.fromkeys(key for row in known for key in features[row.line])
    }
    folds = _fold(groups)
    told = {key: out_of_fold(values, fake, folds) for key, values in columns.items()}
    scores = np.sum(list(told.values()), axis=0)
    value = roc_auc(scores, fake).value
    bounds = auc_interval(scores, fake, groups, n_boot=_REPLICATES).bounds
    if value is None or bounds is None:
        return result
    low, high = bounds
    if least < (_FEW_PAIRS if reals == fakes else _FEW):
        # Few groups: the bootstrap's interval is too narrow, and none at all at the edge. Where
        # every group holds both classes, only what differs within a group is uncertain.
        few = wilson(value * least, least)
        low, high = min(low, few[0]), max(high, few[1])
    single = {key: roc_auc(own, fake).value or 0.0 for key, own in told.items()}
    best = max(single, key=lambda key: single[key])
    return result | {
        "auc": value, "interval": [low, high], "tells": {"feature": best, "auc": single[best]},
    }  # fmt: skip


def verdict(result: Mapping[str, Any]) -> Finding | None:
    """Return what a probe's figures mean, or None for a set without that shortcut."""
    name, interval = result["name"], result["interval"]
    n = f"{result['real_groups']} real and {result['fake_groups']} fake groups"
    code = f"{name}_shortcut"
    if interval is None:
        message = f"{n} are too few to tell whether {name} gives the label away"
        return Finding(code, severity="too_few", message=message)
    low, high = interval
    figures = f"AUC {result['auc']:.2f} [{low:.2f}, {high:.2f}], {n}"
    if low > REFUSED_ABOVE:
        tells = result["tells"]
        message = (
            f"{name} alone tells real from fake: {figures}; most of all by "
            f"{tells['feature']} (AUC {tells['auc']:.2f})"
        )
        return Finding(code, severity="refused", message=message)
    if high >= HIDES_ABOVE:
        message = f"too few to tell whether {name} gives the label away: {figures}"
        return Finding(code, severity="too_few", message=message)
    return None


def _fold(groups: Sequence[str]) -> NDArray[np.int64]:
    """Give whole groups to folds, drawn once and for all."""
    names = sorted(set(groups))
    rng = np.random.default_rng(0)
    place = dict(zip(names, rng.permutation(len(names)) % _FOLDS, strict=True))
    return np.array([place[group] for group in groups], np.int64)


def out_of_fold(values: Sequence[str | float], fake: Bools, folds: NDArray[np.int64]) -> Floats:
    """Return each row's log odds of being fake by one feature, learned on the other folds.

    Args:
        values: (n,) categories, or numbers, which are cut into bins of equal mass.
        fake: (n,) labels.
        folds: (n,) fold of each row.
    """
    scores = np.zeros(len(values))
    for fold in np.unique(folds):
        held = folds == fold
        code = _coder([v for v, out in zip(values, held, strict=True) if not out])
        bins = np.array([code(value) for value in values], np.int64)
        scores[held] = _log_odds(bins[~held], fake[~held], bins.max() + 1)[bins[held]]
    return scores


def _coder(values: Sequence[str | float]) -> Callable[[str | float], int]:
    """Return what maps a value to its bin; 0 is for what was never seen."""
    texts = sorted({value for value in values if isinstance(value, str)})
    place = {text: i for i, text in enumerate(texts, 1)}
    numbers = np.array([value for value in values if not isinstance(value, str)], np.float64)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(
        numbers
    ) else np.zeros(0)
    first = len(texts) + 1

    def code(value: str | float) -> int:
        if isinstance(value, str):
            return place.get(value, 0)
        return first + int(np.searchsorted(edges, value, side="right"))

    return code


def _log_odds(bins: NDArray[np.int64], fake: Bools, count: int) -> Floats:
    """Return each bin's log ratio of shares among fakes and reals, one count added to each."""
    shares = [
        (np.bincount(bins[chosen], minlength=count) + 1.0) / (chosen.sum() + count)
        for chosen in (fake, ~fake)
    ]
    return np.asarray(np.log(shares[0]) - np.log(shares[1]))
