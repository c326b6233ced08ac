"""What each ingredient bought: ``python -m benchmarks.ablation --clips CLIPS --work LOOKS``.

``CLIPS`` holds ``validate/``, ``calibrate/`` and ``test/`` of `forensics.training.clips`. Which
detectors belong into the default set is decided on the validation people alone, by
cross-validation; the figures on the test people come from models fitted on the calibration
people. No row of any other set is looked at.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks._results import RESULTS, show, write_result
from benchmarks.accuracy.sets import open_set
from forensics.detectors import list_detectors, weights_of
from forensics.evaluation.bootstrap import auc_interval
from forensics.evaluation.manifest import Row
from forensics.evaluation.metrics import roc_auc
from forensics.faces import FaceFinder, FaceMesh
from forensics.training.calibrate import LEADING, load_detectors, measure_rows
from forensics.training.fusion import (
    Measured,
    correlations,
    cross_scores,
    transfer_scores,
)
from forensics.training.looks import stored_look
from forensics.verdict.calibration import Context

Floats = NDArray[np.float64]
_SURE = 0.9  # share of the bootstrap replicates in which a detector must help to be kept


@dataclass(frozen=True, slots=True)
class Scored:
    """Clips with scores of one way to fuse them."""

    clips: Sequence[Measured]
    scores: Floats

    def figures(self, replicates: int) -> dict[str, Any]:
        """Return AUC, interval and n."""
        fake = np.array([c.fake for c in self.clips])
        kept = np.isfinite(self.scores)
        groups = [c.group for c, k in zip(self.clips, kept, strict=True) if k]
        bounds = auc_interval(self.scores[kept], fake[kept], groups, n_boot=replicates).bounds
        return {
            "auc": roc_auc(self.scores[kept], fake[kept]).value,
            "auc_interval": None if bounds is None else list(bounds),
            "n_real": int((~fake & kept).sum()), "n_fake": int((fake & kept).sum()),
            "groups": len(set(groups)),
        }  # fmt: skip


def gain(one: Scored, other: Scored, replicates: int, seed: int = 0) -> dict[str, float]:
    """Return how much ``other`` adds to the AUC of ``one``, paired over groups."""
    fake = np.array([c.fake for c in one.clips])
    kept = np.isfinite(one.scores) & np.isfinite(other.scores)
    groups = np.array([c.group for c in one.clips])
    names = np.unique(groups[kept])
    rows = {name: np.flatnonzero((groups == name) & kept) for name in names}
    rng = np.random.default_rng(seed)

    def auc(scores: Floats, index: NDArray[np.int64]) -> float:
        return roc_auc(scores[index], fake[index]).value or 0.5

    draws = []
    for _ in range(replicates):
        index = np.concatenate([rows[n] for n in rng.choice(names, len(names))])
        draws.append(auc(other.scores, index) - auc(one.scores, index))
    everything = np.flatnonzero(kept)
    return {
        "gain": auc(other.scores, everything) - auc(one.scores, everything),
        "low": float(np.quantile(draws, 0.025)), "high": float(np.quantile(draws, 0.975)),
        "share_better": float(np.mean(np.array(draws) > 0)),
    }  # fmt: skip


def looks_of(manifest: Path, store: Path) -> tuple[list[Measured], list[NDArray[np.uint8]]]:
    """Return the clips of a manifest in which a face can be judged, and their crops.

    Nothing is measured; looks at clips are kept in ``store``.
    """
    models = (FaceFinder(), FaceMesh())
    clips, crops = [], []
    for row in track(open_set(manifest).rows, description="looking"):
        seen = stored_look(row.resolved, models, store, frames=8, bursts=2)
        if seen is not None:
            clips.append(unmeasured(row))
            crops.append(np.asarray(seen.crops.data))
    return clips, crops


def unmeasured(row: Row) -> Measured:
    """Return what a manifest says of a row, without any score."""
    return Measured(
        {}, Context(math.nan), row.label == "fake", row.group, row.method or "", row.path
    )


def choose(clips: Sequence[Measured], names: Sequence[str], replicates: int) -> dict[str, Any]:
    """Add detectors one by one while they help on these people; tell what each would add."""
    rho = correlations(clips, names)

    def scored(chosen: Sequence[str]) -> Scored:
        return Scored(clips, cross_scores(clips, chosen, rho))

    chosen, steps = [LEADING], []
    left = [n for n in names if n != LEADING]
    while left:
        before = scored(chosen)
        tried = {n: gain(before, scored([*chosen, n]), replicates) for n in left}
        best = max(tried, key=lambda n: tried[n]["gain"])
        keep = tried[best]["gain"] > 0 and tried[best]["share_better"] >= _SURE
        steps.append({"to": list(chosen), "tried": tried, "added": best if keep else None})
        if not keep:
            break
        chosen.append(best)
        left.remove(best)
    alone = {n: scored([n]).figures(replicates) for n in names}
    return {
        "chosen": chosen, "dropped": left, "steps": steps, "alone": alone,
        "together": scored(chosen).figures(replicates),
        "everything": scored(names).figures(replicates),
    }  # fmt: skip


def families(
    fit: Sequence[Measured], test: Sequence[Measured], names: Sequence[str],
    rho: dict[str, float], replicates: int,
) -> list[dict[str, Any]]:
    """Return the AUC of every family, seen and left out of the fit."""
    rows = []
    for method in sorted({c.method for c in test if c.fake}):
        part = [c for c in test if not c.fake or c.method == method]
        unseen = [c for c in fit if not c.fake or c.method != method]
        seen, left_out = (
            Scored(part, transfer_scores(chosen, part, names, rho)).figures(replicates)
            for chosen in (fit, unseen)
        )
        rows.append({"family": method, "seen": seen, "left_out": left_out})
    return rows


def material(
    fit: Sequence[Measured], test: Sequence[Measured], names: Sequence[str],
    rho: dict[str, float],
) -> list[dict[str, Any]]:
    """Return what the hard and the covered scenes in the fit do to false alarms on such scenes."""
    kinds: dict[str, Callable[[Measured], bool]] = {
        "all scenes": lambda c: True,
        "without hard honest scenes": lambda c: "hard_" not in c.path,
        "without covered scenes": lambda c: "covered_" not in c.path,
        "plain scenes only": lambda c: "plain_" in c.path,
    }
    rows = []
    for name, wanted in kinds.items():
        part = [c for c in fit if wanted(c)]
        real = transfer_scores(part, [c for c in part if not c.fake], names, rho)
        limit = float(np.nanquantile(real, 0.95))
        row: dict[str, Any] = {"fitted_on": name, "clips": len(part)}
        for scene in ("plain", "hard", "covered"):
            chosen = [c for c in test if f"{scene}_" in c.path]
            scores = transfer_scores(part, chosen, names, rho)
            fake = np.array([c.fake for c in chosen])
            row[scene] = {
                "false_alarms": int((scores[~fake] > limit).sum()), "real": int((~fake).sum()),
                "found": int((scores[fake] > limit).sum()), "fake": int(fake.sum()),
            }  # fmt: skip
        rows.append(row)
    return rows


def _auc(figures: dict[str, Any]) -> str:
    low, high = figures["auc_interval"] or (float("nan"),) * 2
    return f"{figures['auc']:.3f} [{low:.3f}, {high:.3f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="folder with the three splits")
    parser.add_argument("--work", type=Path, help="folder in which looks at clips are kept")
    parser.add_argument("--replicates", type=int, default=1000, help="bootstrap replicates")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    names = [LEADING, *(n for n in list_detectors() if n != LEADING)]
    detectors = load_detectors(names)
    clips: dict[str, list[Measured]] = {}
    for split in ("validate", "calibrate", "test"):
        path = options.clips / split / "manifest.jsonl"
        if path.exists():
            rows = track(open_set(path).rows, description=split)
            clips[split] = measure_rows(rows, detectors, store=options.work, frames=8, bursts=2)
    result: dict[str, Any] = {
        "weights_sha256": weights_of(detectors),
        "selection": choose(clips["validate"], names, options.replicates),
    }
    selection = result["selection"]
    show(
        "Detectors alone, validation people (cross-validated)", ("detector", "AUC [95 %]"),
        [(n, _auc(f)) for n, f in selection["alone"].items()]
        + [("+".join(selection["chosen"]), _auc(selection["together"])),
           ("all of them", _auc(selection["everything"]))],
    )  # fmt: skip
    for step in selection["steps"]:
        show(
            f"Added to {'+'.join(step['to'])}", ("detector", "gain [95 %]", "share better"),
            [(n, f"{g['gain']:+.4f} [{g['low']:+.4f}, {g['high']:+.4f}]",
              f"{g['share_better']:.2f}") for n, g in step["tried"].items()],
        )  # fmt: skip
    print(f"chosen: {', '.join(selection['chosen'])}; dropped: {', '.join(selection['dropped'])}")
    if {"calibrate", "test"} <= clips.keys():
        fit, test = clips["calibrate"], clips["test"]
        chosen = selection["chosen"]
        rho = correlations(fit, names)

        def scored(used: Sequence[str]) -> dict[str, Any]:
            scores = transfer_scores(fit, test, used, rho)
            return Scored(test, scores).figures(options.replicates)

        ways = {"+".join(chosen): scored(chosen)}
        ways |= {f"without {n}": scored([c for c in chosen if c != n]) for n in chosen[1:]}
        ways |= {f"{n} alone": scored([n]) for n in names}
        result["test"] = ways
        result["families"] = families(fit, test, chosen, rho, options.replicates)
        result["material"] = material(fit, test, chosen, rho)
        show("Test people", ("fusion", "AUC [95 %]"), [(n, _auc(f)) for n, f in ways.items()])
        show(
            "Families of fakes, test people", ("family", "seen", "left out of the fit"),
            [(r["family"], _auc(r["seen"]), _auc(r["left_out"])) for r in result["families"]],
        )
        show(
            "False alarms by scene at 5 % of the fitted real clips",
            ("fitted on", "plain", "hard", "covered"),
            [
                (r["fitted_on"], *(f"{r[s]['false_alarms']}/{r[s]['real']}"
                                   for s in ("plain", "hard", "covered")))
                for r in result["material"]
            ],
        )  # fmt: skip
    print(write_result("ablation", result, options.out))
    return 0
