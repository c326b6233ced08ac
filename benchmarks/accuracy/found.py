"""How many fakes are found where so many of a set's own real clips would be called suspect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.bootstrap import bootstrap
from forensics.evaluation.curves import Ranking
from forensics.evaluation.metrics import unsupported

Floats = NDArray[np.float64]


def found_at(
    records: Sequence[dict[str, Any]], fpr: float, *, replicates: int
) -> dict[str, Any]:
    """Describe the set: clips of one person are drawn together, and say much the same.

    Unlike `forensics.evaluation.metrics.tpr_at_fpr` this does not refuse a set of too few people.
    It tells what is so on these clips, with ``claim`` saying whether that promises anything.

    Args:
        records: Of `forensics evaluate`, with ``score``, ``label`` and ``group``.
        fpr: Share of the real clips that may be called, above 0 and at most 1.
        replicates: Of the bootstrap.

    Returns:
        ``tpr`` (0..1, None without both labels), its ``interval``, counts, and ``claim``.
    """
    fake = np.array([row["label"] == "fake" for row in records])
    groups = [str(row["group"]) for row in records]
    real = {group for group, is_fake in zip(groups, fake, strict=True) if not is_fake}
    count = {
        "fpr": fpr, "n_real": int((~fake).sum()), "n_fake": int(fake.sum()),
        "real_groups": len(real), "claim": unsupported(fpr, len(real)) is None,
    }  # fmt: skip
    if not count["n_real"] or not count["n_fake"]:
        return count | {"tpr": None, "interval": None}
    ranking = Ranking(np.array([row["score"] for row in records], np.float64), fake)

    def statistic(weights: Floats) -> dict[str, Floats]:
        return {"tpr": ranking.curve(weights).tpr_at_fpr(fpr)}

    bounds = bootstrap(statistic, groups, n_boot=replicates)["tpr"].bounds
    tpr = float(statistic(np.ones((1, len(records))))["tpr"][0])
    return count | {"tpr": tpr, "interval": None if bounds is None else list(bounds)}
