"""Comparisons that single figures hide: the same rows, other sets, parts of a set."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from forensics.evaluation.bootstrap import auc_interval, bootstrap, paired_difference
from forensics.evaluation.curves import Floats
from forensics.evaluation.metrics import least_real_samples, roc_auc
from forensics.evaluation.rates import wilson

Record = Mapping[str, Any]
Records = Sequence[Record]
_LEAST_GROUPS = 5
_STATED_FPR = 0.05


def paired(ours: Records, theirs: Records, *, n_boot: int) -> dict[str, Any]:
    """Compare the AUC of two scorers on the rows that both scored, group by group.

    Returns:
        ``difference``: ours minus theirs, ``interval`` and ``n``; None where there is none.
    """
    other = {record["path"]: record["score"] for record in theirs}
    both = [
        record
        for record in ours
        if record["score"] is not None and other.get(record["path"]) is not None
    ]
    found = paired_difference(
        [record["score"] for record in both],
        [other[record["path"]] for record in both],
        [record["label"] == "fake" for record in both],
        [record["group"] for record in both],
        n_boot=n_boot,
    )
    bounds = found.interval.bounds
    return {
        "difference": found.value,
        "interval": None if bounds is None else list(bounds),
        "n": len(both),
    }


def stills_called(rows: Records, threshold: float) -> dict[str, Any]:
    """Count the crops that a scan would call suspect if each were a still of its own.

    Args:
        rows: Records of crops.
        threshold: Log ratio from which a still is suspect.

    Returns:
        ``threshold``, and for ``real`` and ``fake`` each ``n``, ``suspect``, ``rate``,
        ``interval``, and ``doubted``: above the threshold, but with reasons for doubt.
    """
    found: dict[str, Any] = {"threshold": threshold}
    for label in ("real", "fake"):
        part = [r for r in rows if r["label"] == label and r["llr"] is not None]
        above = [r for r in part if r["llr"] >= threshold]
        hits = sum(not r.get("reasons") for r in above)
        found[label] = {
            "n": len(part), "suspect": hits, "rate": hits / len(part) if part else None,
            "interval": list(wilson(hits, len(part))), "doubted": len(above) - hits,
        }  # fmt: skip
    return found


def cross_auc(by_set: Mapping[str, Records], *, n_boot: int) -> dict[str, Any]:
    """Rank the fakes of each set against the reals of every other.

    A scanner has one threshold for everything, so scores that shift from set to set cost what the
    AUC within a set does not show.

    Returns:
        ``sets``, and ``auc``, ``interval``: rows are whose reals, columns whose fakes; None where
        a class is missing. ``within`` and ``across``: means of the diagonal and of the rest.
    """
    names = list(by_set)
    values: list[list[float | None]] = []
    bounds: list[list[list[float] | None]] = []
    for real, fake in itertools.product(names, names):
        rows = [
            (record["score"], label == "fake", f"{name}/{record['group']}")
            for name, label in ((real, "real"), (fake, "fake"))
            for record in by_set[name]
            if record["label"] == label and record["score"] is not None
        ]
        if fake == names[0]:
            values.append([])
            bounds.append([])
        scores, labels, groups = ([row[i] for row in rows] for i in range(3))
        value = roc_auc(scores, labels).value
        interval = None if value is None else auc_interval(scores, labels, groups, n_boot=n_boot)
        values[-1].append(value)
        bounds[-1].append(
            None if interval is None or interval.bounds is None else list(interval.bounds)
        )
    size = range(len(names))
    within = [v for i in size if (v := values[i][i]) is not None]
    across = [v for i in size for j in size if i != j and (v := values[i][j]) is not None]
    return {
        "sets": names, "auc": values, "interval": bounds,
        "within": float(np.mean(within)) if within else None,
        "across": float(np.mean(across)) if across else None,
    }  # fmt: skip


def called_at_own_rate(records: Records) -> set[str]:
    """Return the paths that score above all but 5 % of the set's own reals.

    A threshold of a scan was fitted on whole clips and says nothing of a single crop. This one is
    made of the rows themselves: it compares parts of a set, and is no promise for other rows.
    """
    reals = sorted((r["score"] for r in records if r["label"] == "real" and _scored(r)),
                   reverse=True)  # fmt: skip
    if not reals:
        return set()
    limit = reals[min(math.floor(_STATED_FPR * len(reals)), len(reals) - 1)]
    return {r["path"] for r in records if _scored(r) and r["score"] > limit}


def _scored(record: Record) -> bool:
    return record["score"] is not None


def false_positives(records: Records, called: Collection[str]) -> dict[str, Any]:
    """Return the share of reals that were called suspect, by group, with its interval.

    A group counts as a hit when any of its rows is one. ``supported`` says whether n carries a
    claim of ``stated`` at all.

    Args:
        records: Scored rows.
        called: Paths that were called suspect.
    """
    reals = [r for r in records if r["label"] == "real" and _scored(r)]
    groups = {r["group"] for r in reals}
    hit = {r["group"] for r in reals if r["path"] in called}
    return {
        "rows": len(reals), "groups": len(groups), "hits": len(hit),
        "fpr": len(hit) / len(groups) if groups else None,
        "interval": list(wilson(len(hit), len(groups))),
        "stated": _STATED_FPR, "supported": len(groups) >= least_real_samples(_STATED_FPR),
    }  # fmt: skip


def by_subgroup(
    records: Records, values: Mapping[str, str], called: Collection[str], *, n_boot: int
) -> dict[str, Any]:
    """Return FPR, TPR and AUC for each part of a set.

    Args:
        records: Scored rows.
        values: Subgroup by path; rows without one are left out.
        called: Paths that were called suspect, by one rule for all parts.
        n_boot: Bootstrap replicates.

    Returns:
        ``rows`` a subgroup; ``gap``: the largest difference of FPR between subgroups with enough
        real groups, and its ``gap_interval``. The gap is never negative, so its interval does not
        reach below 0 even where nothing differs: read it beside n.
    """
    parts: dict[str, list[Record]] = {}
    for record in records:
        if record["path"] in values:
            parts.setdefault(values[record["path"]], []).append(record)
    rows = []
    for name, members in sorted(parts.items()):
        scored = [r for r in members if _scored(r)]
        labels = [r["label"] == "fake" for r in scored]
        scores, groups = [r["score"] for r in scored], [r["group"] for r in scored]
        value = roc_auc(scores, labels).value
        bounds = None if value is None else auc_interval(scores, labels, groups, n_boot=n_boot)
        fakes = [r for r in scored if r["label"] == "fake"]
        found = sum(r["path"] in called for r in fakes)
        rows.append({
            "name": name, **false_positives(members, called), "fakes": len(fakes),
            "tpr": found / len(fakes) if fakes else None, "auc": value,
            "auc_interval": None if bounds is None or bounds.bounds is None
            else list(bounds.bounds),
        })  # fmt: skip
    gap, interval = _gap(parts, called, n_boot)
    return {"rows": rows, "gap": gap, "gap_interval": interval}


def _gap(
    parts: Mapping[str, Records], called: Collection[str], n_boot: int
) -> tuple[float | None, list[float] | None]:
    reals = [
        (name, r["group"], float(r["path"] in called))
        for name, members in sorted(parts.items())
        for r in members
        if r["label"] == "real" and _scored(r)
    ]
    counts = {name: len({g for n, g, _ in reals if n == name}) for name in parts}
    names = [name for name in sorted(parts) if counts[name] >= _LEAST_GROUPS]
    if len(names) < 2:
        return None, None
    which = np.array([[n == name for n, _, _ in reals] for name in names], np.float64)
    hit = np.array([h for _, _, h in reals])

    def gap(weights: Floats) -> dict[str, Floats]:
        mass = weights @ which.T
        share = np.divide(
            (weights * hit) @ which.T, mass, out=np.full_like(mass, np.nan), where=mass > 0
        )
        return {"gap": np.ptp(share, axis=1)}

    value = float(gap(np.ones((1, len(reals))))["gap"][0])
    bounds = bootstrap(gap, [g for _, g, _ in reals], n_boot=n_boot)["gap"].bounds
    return value, None if bounds is None else list(bounds)
