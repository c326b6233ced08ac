"""Measure the loss under distortion: ``python -m benchmarks.robustness --own MANIFEST``.

Each clip is looked at once, at the times that a scan looks at; the crops of every face are then
distorted, their quality is measured anew, and they pass through the gate, detectors, calibration
and doubts of a scan. What face detection loses under distortion is not in these figures.

AUC is over all clips: one that a scan would not judge keeps the score of what was refused, and is
counted apart. A flip is an unmanipulated clip that becomes ``suspect`` and was not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import limits
from benchmarks._journal import Journal
from benchmarks._own import own_parser
from benchmarks._results import Bar, finish, show, weights_digest
from benchmarks.accuracy.sets import open_set
from benchmarks.robustness.distortions import LEVELS, Distortion, cells
from benchmarks.robustness.ladder import rungs
from benchmarks.robustness.said import Faces, Said, Speaker, counted, distorted
from forensics.errors import ForensicsError
from forensics.evaluation.bootstrap import auc_interval, bootstrap
from forensics.evaluation.curves import Ranking
from forensics.evaluation.metrics import roc_auc

Floats = NDArray[np.float64]
Cells = Mapping[tuple[str, int], tuple[float, Distortion]]


@dataclass(frozen=True, slots=True)
class Item:
    """Every face of one clip."""

    faces: Faces
    fake: bool
    group: str


class Table:
    """Says of every clip, clean and in each cell, what a scan says; keeps the scores.

    Args:
        items: The clips.
        speaker: Says it.
        replicates: Of the bootstrap.
        journal: What was said before.
    """

    def __init__(
        self, items: Sequence[Item], speaker: Speaker, replicates: int,
        journal: Journal | None = None,
    ) -> None:  # fmt: skip
        self._items, self._speaker, self._replicates = items, speaker, replicates
        self._journal = journal
        rows = [] if journal is None else journal.rows
        self._known = {name: [Said(*row) for row in said] for name, said in rows}
        self.fake = np.array([item.fake for item in items])
        self.groups = [item.group for item in items]
        self._clean = self._say("clean", lambda crops, seed: crops)
        self.clean = self._figures(self._clean)

    def _say(self, name: str, change: Distortion) -> list[Said]:
        """Return what is said of every clip under one change."""
        if name in self._known:
            return self._known[name]
        said = [
            self._speaker.say(distorted(item.faces, partial(change, seed=number)))
            for number, item in track(list(enumerate(self._items)), description=name)
        ]
        if self._journal is not None:
            self._journal.add([name, [astuple(one) for one in said]])
        return said

    def _figures(self, said: Sequence[Said]) -> dict[str, Any]:
        scores = _scores(said)
        bounds = auc_interval(scores, self.fake, self.groups, n_boot=self._replicates).bounds
        return {
            "auc": roc_auc(scores, self.fake).value,
            "auc_interval": bounds,
            "verdicts": counted(said, self.fake),
        }

    def rows(self, chosen: Cells) -> tuple[list[dict[str, Any]], list[Floats]]:
        """Return a row and the scores of each cell."""
        rows, scores = [], []
        for (kind, level), (amount, apply) in chosen.items():
            said = self._say(f"{kind} {level}", apply)
            found = self._figures(said)
            flips = [
                after.verdict == "suspect" != before.verdict and not item.fake
                for before, after, item in zip(self._clean, said, self._items, strict=True)
            ]
            rows.append({
                "kind": kind, "level": level, "amount": amount, **found,
                "drop": self.clean["auc"] - found["auc"], "real_to_suspect": sum(flips),
            })  # fmt: skip
            scores.append(_scores(said))
        return rows, scores

    def mean_drop(self, scores: Sequence[Floats]) -> dict[str, Any]:
        """Return the mean loss of AUC over cells, every cell on the same draws of groups."""
        clean = Ranking(_scores(self._clean), self.fake)
        after = [Ranking(values, self.fake) for values in scores]

        def drop(weights: Floats) -> dict[str, Floats]:
            lost = [clean.curve(weights).auc() - cell.curve(weights).auc() for cell in after]
            return {"drop": np.mean(lost, axis=0)}

        bounds = bootstrap(drop, self.groups, n_boot=self._replicates)["drop"].bounds
        return {
            "value": float(drop(np.ones((1, len(self.fake))))["drop"][0]),
            "interval": None if bounds is None else list(bounds),
        }


def _scores(said: Sequence[Said]) -> Floats:
    return np.array([one.score for one in said], np.float64)


def measure(
    items: Sequence[Item], speaker: Speaker, replicates: int, journal: Journal | None = None
) -> dict[str, Any]:
    """Say of every clip what a scan says, clean and in every cell."""
    table = Table(items, speaker, replicates, journal)
    rows, scores = table.rows(cells())
    ladder, _ = table.rows(rungs())
    return {
        "n_real": int((~table.fake).sum()), "n_fake": int(table.fake.sum()),
        "groups": len(set(table.groups)), "frames": speaker.options.frames,
        "clean": table.clean, "mean_drop": table.mean_drop(scores), "cells": rows,
        "ladder": ladder, "weights_sha256": speaker.weights,
    }  # fmt: skip


def _bars(result: dict[str, Any]) -> list[Bar]:
    return [
        limits.DROP.bar(result["mean_drop"]["value"]),
        limits.WORST.bar(min(row["auc"] for row in result["cells"])),
        limits.FLIPS.bar(sum(row["real_to_suspect"] for row in result["cells"])),
    ]


def _show(result: dict[str, Any]) -> None:
    n = {"real": result["n_real"], "fake": result["n_fake"]}
    for name, title in (("cells", "distortion"), ("ladder", "codec")):
        kinds = list(dict.fromkeys(row["kind"] for row in result[name]))
        show(
            f"AUC by {title} (clean {result['clean']['auc']:.3f}; "
            f"{n['real']} real + {n['fake']} fake)",
            (title, *(f"level {level}" for level in range(1, LEVELS + 1))),
            [
                (kind, *(f"{r['auc']:.3f}" for r in result[name] if r["kind"] == kind))
                for kind in kinds
            ],
        )
    show(
        "Verdicts (real / fake)",
        ("cell", "suspect", "inconclusive", "of these not judged", "no_evidence", "real flips"),
        [
            (
                name,
                *(
                    f"{row['verdicts']['real'][key]} / {row['verdicts']['fake'][key]}"
                    for key in ("suspect", "inconclusive", "not_judged", "no_evidence")
                ),
                str(row.get("real_to_suspect", "-")),
            )
            for name, row in [
                ("clean", result["clean"]),
                *((f"{r['kind']} {r['level']}", r) for r in result["cells"] + result["ladder"]),
            ]
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when a bar is missed, 2 when nothing was measured."""
    parser = own_parser("robustness", __doc__)
    parser.add_argument("--frames", type=int, help="pictures of each clip (default: as a scan)")
    parser.add_argument("--keep", type=Path, help="folder; an interrupted run goes on")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        manifest = open_set(options.own, split=options.split)
        rows = manifest.rows[: options.limit]
        speaker = Speaker(options.frames)
        items = [
            Item(speaker.look(row.resolved), row.label == "fake", row.group)
            for row in track(rows, description="looking")
        ]
    except ForensicsError as error:
        parser.error(str(error))
    if len({item.fake for item in items if item.faces}) < 2:
        print("nothing to measure: needs real and fake clips with a face")
        return 2
    journal = None
    if options.keep is not None:
        facts = [weights_digest(), manifest.sha256, len(rows), speaker.options.digest()]
        journal = Journal(options.keep, ["robustness", *facts])
    result = measure(items, speaker, options.replicates, journal)
    _show(result)
    return finish("robustness", result, _bars(result), options.out)
