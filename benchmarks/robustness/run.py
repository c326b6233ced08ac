"""Measure the loss under distortion: ``python -m benchmarks.robustness --own MANIFEST``.

Each clip is looked at once; the crops of its most visible face are then distorted and scored by
the calibrated detector. What face detection loses under distortion is therefore not in these
figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks._own import own_parser
from benchmarks._results import Bar, finish, show
from benchmarks.accuracy.sets import open_set
from benchmarks.robustness.distortions import LEVELS, Distortion, cells
from benchmarks.robustness.ladder import rungs
from forensics.detectors import create_detector
from forensics.errors import ForensicsError
from forensics.evaluation.bootstrap import auc_interval
from forensics.evaluation.metrics import roc_auc
from forensics.faces import FaceFinder, FaceFollower, FaceMesh
from forensics.faces.quality import measure_quality
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.training import looks
from forensics.types import FaceCrops
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import read_calibration

_CROPS = 8
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Item:
    """The crops of one clip's most visible face."""

    crops: FaceCrops
    fake: bool
    group: str


def collect(path: Path, models: tuple[FaceFinder, FaceMesh]) -> FaceCrops | None:
    """Return the usable crops of the face with most of them, or None."""
    found: dict[int, list[FaceCrops]] = {}

    def take(crops: FaceCrops) -> None:
        usable = crops.select([q.usable for q in crops.quality])
        if len(usable):
            found.setdefault(crops.track_id, []).append(usable)

    follower = FaceFollower(take, finder=models[0], mesh=models[1])
    with stream_frames(open_clip(path), SamplingPlan(frames=_CROPS)) as frames:
        for frame in frames:
            follower.push(frame)
    follower.close()
    if not found:
        return None
    parts = max(found.values(), key=lambda group: sum(map(len, group)))
    return FaceCrops(
        parts[0].track_id,
        pts=np.concatenate([p.pts for p in parts]),
        data=np.concatenate([p.data for p in parts]),
        to_frame=np.concatenate([p.to_frame for p in parts]),
        mesh=np.concatenate([p.mesh for p in parts]),
        quality=tuple(q for p in parts for q in p.quality),
    )


def changed(crops: FaceCrops, data: NDArray[np.uint8]) -> FaceCrops:
    """Return the same crops with other pixels."""
    return FaceCrops(
        crops.track_id, pts=crops.pts, data=data, to_frame=crops.to_frame, mesh=crops.mesh,
        quality=crops.quality,
    )


class Meter:
    """Scores crops as a scan does: the unbounded ratio for ranking, the bounded for the verdict.

    Bursts are not distorted, so the model of single pictures is used.
    """

    def __init__(self) -> None:
        self._calibration = read_calibration()
        made = [create_detector(name) for name in self._calibration.detectors]
        self._detectors = [d for d in made if d.input == "face_crops"]
        self.detector = self._detectors[0]
        model = self._calibration.model([d.name for d in self._detectors])
        assert model is not None, "the shipped calibration fits single pictures"
        target = float(self._calibration.error_rates["target_fpr"])
        self.threshold = self._calibration.threshold(target, model.detectors)
        self.weights = {d.name: str(d.card().get("sha256", "")) for d in made}

    def score(self, crops: FaceCrops) -> tuple[float, float]:
        """Return the natural-log likelihood ratio, unbounded and bounded."""
        crops = remeasured(crops)
        logits, context = looks.measure(looks.Look(crops, None), self._detectors)
        summaries = {
            name: summarise(values, self._calibration.correlation[name])
            for name, values in logits.items()
        }
        free = self._calibration.likelihood(summaries, context, bounded=False)
        assert free is not None
        bound = self._calibration.bound
        return free.llr, float(np.clip(free.llr, -bound, bound))


def remeasured(crops: FaceCrops) -> FaceCrops:
    """Measure the quality of distorted crops anew: grain and sharpness steer the ratio."""
    quality = tuple(
        replace(
            measure_quality(
                crop, mesh, inter_ocular=q.inter_ocular, mesh_confidence=q.mesh_confidence
            ),
            codes=(),
        )
        for crop, mesh, q in zip(crops.data, crops.mesh, crops.quality, strict=True)
    )
    return replace(crops, quality=quality)


def measure(items: Sequence[Item], meter: Meter, replicates: int) -> dict[str, Any]:
    """Score every clip clean and in every cell."""
    fake = np.array([item.fake for item in items])
    groups = [item.group for item in items]

    def figures(pairs: list[tuple[float, float]]) -> dict[str, Any]:
        scores = np.array([score for score, _ in pairs])
        llrs = np.array([llr for _, llr in pairs])
        bounds = auc_interval(scores, fake, groups, n_boot=replicates).bounds
        return {
            "auc": roc_auc(scores, fake).value,
            "auc_interval": bounds,
            "suspect": (llrs >= meter.threshold).tolist(),
        }

    clean = figures([meter.score(item.crops) for item in track(items, description="clean")])

    def table(cells: Mapping[tuple[str, int], tuple[float, Distortion]]) -> list[dict[str, Any]]:
        rows = []
        for (kind, level), (amount, apply) in cells.items():
            pairs = [
                meter.score(changed(item.crops, apply(np.asarray(item.crops.data), number)))
                for number, item in track(list(enumerate(items)), description=f"{kind} {level}")
            ]
            found = figures(pairs)
            flips = [
                after and not before and not item.fake
                for before, after, item in zip(
                    clean["suspect"], found["suspect"], items, strict=True
                )
            ]
            rows.append({
                "kind": kind, "level": level, "amount": amount, "auc": found["auc"],
                "auc_interval": found["auc_interval"], "drop": clean["auc"] - found["auc"],
                "real_to_suspect": int(sum(flips)),
            })  # fmt: skip
        return rows

    return {
        "n_real": int((~fake).sum()), "n_fake": int(fake.sum()), "groups": len(set(groups)),
        "clean": {k: clean[k] for k in ("auc", "auc_interval")}, "cells": table(cells()),
        "ladder": table(rungs()), "weights_sha256": meter.weights,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when a bar is missed, 2 when nothing was measured."""
    parser = own_parser("robustness", __doc__)
    options = parser.parse_args(arguments)
    try:
        manifest = open_set(options.own, split=options.split)
        models = (FaceFinder(), FaceMesh())
        items = []
        for row in track(manifest.rows[: options.limit], description="looking"):
            crops = collect(row.resolved, models)
            if crops is not None:
                items.append(Item(crops, row.label == "fake", row.group))
    except ForensicsError as error:
        parser.error(str(error))
    if len({item.fake for item in items}) < 2:
        print("nothing to measure: needs real and fake clips with a usable face")
        return 2
    result = measure(items, Meter(), options.replicates)
    for name, title in (("cells", "distortion"), ("ladder", "codec")):
        kinds = list(dict.fromkeys(row["kind"] for row in result[name]))
        show(
            f"AUC by {title} (clean {result['clean']['auc']:.3f}; "
            f"{result['n_real']} real + {result['n_fake']} fake)",
            (title, *(f"level {level}" for level in range(1, LEVELS + 1))),
            [
                (kind, *(f"{r['auc']:.3f}" for r in result[name] if r["kind"] == kind))
                for kind in kinds
            ],
        )
    bars = [
        Bar("mean drop of the AUC", value=float(np.mean([r["drop"] for r in result["cells"]])),
            limit=0.04),
        Bar("worst cell's AUC", value=min(r["auc"] for r in result["cells"]), limit=0.78,
            at_most=False),
        Bar("real clips that distortion made suspect",
            value=sum(r["real_to_suspect"] for r in result["cells"]), limit=0, unit="flips"),
    ]  # fmt: skip
    return finish("robustness", result, bars, options.out)
