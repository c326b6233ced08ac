"""Own held-out test: ``python -m benchmarks.accuracy.held_out --test M --fit M --work FOLDER``.

``--test`` and ``--fit`` are manifests of `forensics.training.clips`, of the people of the splits
``test`` and ``calibrate``: portraits animated by mesh warps and footage, with every family of
fakes. Scores are the shipped detectors', fused by the shipped calibration; only what is left out
of the fit family by family is fitted here, on ``--fit``. Looks at clips are kept in ``--work``.

Things before faces: failures (painted over, melted) are set against the same things unswapped
and swapped around. Templates in the test are none that the detector was fitted on.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import limits
from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.ablation.run import families
from benchmarks.accuracy.floor import floor
from benchmarks.accuracy.found import found_at
from benchmarks.accuracy.sets import open_set
from benchmarks.localisation.measures import pixel_ap
from benchmarks.localisation.run import Looker, mask_in_crop, read_set, share_of
from forensics.evaluation.bootstrap import auc_interval, bootstrap
from forensics.evaluation.metrics import roc_auc
from forensics.evaluation.summary import group_samples, row_samples, summarise
from forensics.media import SamplingPlan
from forensics.training.calibrate import load_detectors, measure_rows
from forensics.training.fusion import Measured
from forensics.verdict.aggregate import summarise as track_summary
from forensics.verdict.calibration import Calibration, read_calibration

Floats = NDArray[np.float64]
FAILURES = ("painted_over", "melted")
_FRAMES, _BURSTS = 8, 2


def records_of(clips: Sequence[Measured], calibration: Calibration) -> list[dict[str, Any]]:
    """Return what `forensics evaluate` would record of each clip."""
    rows = []
    for clip in clips:
        summaries = {
            name: track_summary(values, calibration.correlation[name])
            for name, values in clip.logits.items()
            if name in calibration.correlation
        }
        found = calibration.likelihood(summaries, clip.context)
        if found is None:
            continue
        rows.append({
            "score": found.llr, "llr": found.llr, "probability": 1 / (1 + math.exp(-found.llr)),
            "label": "fake" if clip.fake else "real", "group": clip.group, "method": clip.method,
            "path": clip.path,
        })  # fmt: skip
    return rows


def ranked(values: Floats, fake: NDArray[np.bool_], groups: Sequence[str], replicates: int) -> Any:
    """Return AUC, interval and n of one score."""
    bounds = auc_interval(values, fake, groups, n_boot=replicates).bounds
    return {
        "auc": roc_auc(values, fake).value,
        "auc_interval": None if bounds is None else list(bounds),
        "n_real": int((~fake).sum()), "n_fake": int(fake.sum()), "groups": len(set(groups)),
    }  # fmt: skip


def failures(clips: Sequence[Measured], replicates: int) -> dict[str, Any]:
    """Return how well `occlusion` tells failures from the same things left alone."""
    chosen = [c for c in clips if "covered_" in c.path and len(c.logits.get("occlusion", ()))]
    values = np.array([float(np.mean(c.logits["occlusion"])) for c in chosen])
    fake = np.array([c.method in FAILURES for c in chosen])
    groups = [c.group for c in chosen]
    return ranked(values, fake, groups, replicates) | {
        "swapped_around": sum(c.fake and c.method not in FAILURES for c in chosen)
    }


def failure_pixels(
    rows: Sequence[dict[str, Any]], folder: Path, replicates: int
) -> dict[str, Any]:
    """Return the average precision of the pixels of failures, a picture at a time."""
    looker = Looker()
    detector = load_detectors(["occlusion"])[0]
    told: list[tuple[str, float]] = []
    for row in track([r for r in rows if r["method"] in FAILURES], description="pixels"):
        mask = cv2.imread(str(folder / row["mask"]), cv2.IMREAD_GRAYSCALE)
        for parts in looker.tracks(row["file"], SamplingPlan(every=row["pts"][0])).values():
            for crops in parts:
                near = np.flatnonzero(np.abs(crops.pts - row["pts"][0]) < 0.03)
                if not len(near) or mask is None:
                    continue
                one = crops.select([n == near[0] for n in range(len(crops))])
                region = detector.score(one)[0].artifacts["region"]
                small = share_of(mask_in_crop(np.asarray(mask, np.uint8), one, 0), region.shape[1])
                value = pixel_ap(np.asarray(region, np.float64), small[None])
                if value is not None:
                    told.append((row["group"], value))
    if not told:
        return {"n": 0, "ap": None, "interval": None}
    values = np.array([value for _, value in told])
    bounds = bootstrap(
        lambda w: {"ap": (w @ values) / w.sum(axis=1)}, [g for g, _ in told], n_boot=replicates
    )["ap"].bounds
    return {"n": len(told), "ap": float(values.mean()),
            "interval": None if bounds is None else list(bounds)}  # fmt: skip


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything."""
    calibration = read_calibration()
    names = list(calibration.detectors)
    detectors = load_detectors(sorted({*names, "occlusion"}))
    clips: dict[str, list[Measured]] = {}
    for split, path in (("test", options.test), ("calibrate", options.fit)):
        rows = open_set(path).rows
        clips[split] = measure_rows(
            track(rows, description=split), detectors, store=options.work, frames=_FRAMES,
            bursts=_BURSTS,
        )
    test = clips["test"]
    records = records_of(test, calibration)
    scenes = {}
    for scene in ("plain", "hard", "covered"):
        part = [r for r in records if f"{scene}_" in r["path"]]
        if part:
            scenes[scene] = summarise(group_samples(part), n_boot=options.replicates, seed=0)
    rows = read_set(options.test, None)
    return {
        "detectors": names,
        "weights_sha256": calibration.weights_sha256,
        "clips": summarise(row_samples(records), n_boot=options.replicates, seed=0),
        "group": summarise(group_samples(records), n_boot=options.replicates, seed=0),
        "floor": floor(records),
        "found": found_at(records, 0.01, replicates=options.replicates),
        "scenes": scenes,
        "families": families(
            clips["calibrate"], test, names, calibration.correlation, options.replicates
        ),
        "occlusion": failures(test, options.replicates),
        "occlusion_pixels": failure_pixels(rows, options.test.parent, options.replicates),
        "unusable": len(rows) - len(test),
    }


def bars_of(result: dict[str, Any]) -> list[Bar]:
    """Return the promises about the own test."""
    group, clips = result["group"], result["clips"]
    left_out = [row["left_out"]["auc"] for row in result["families"]]
    gap = None if None in (clips["cllr"], clips["cllr_min"]) else clips["cllr"] - clips["cllr_min"]
    rows = (
        (limits.OWN, group["auc"]),
        (limits.OWN_FAMILY, min(left_out, default=None)),
        (limits.OWN_TPR, result["found"]["tpr"]),
        (limits.OWN_ECE, clips["ece_prior_matched"]),
        (limits.OWN_CLLR, gap),
        (limits.THINGS, result["occlusion"]["auc"]),
        (limits.THING_PIXELS, result["occlusion_pixels"]["ap"]),
    )
    return [limit.bar(value) for limit, value in rows if value is not None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.held_out", description=__doc__
    )
    parser.add_argument("--test", type=Path, required=True, help="clips of the test people")
    parser.add_argument("--fit", type=Path, required=True, help="of the calibration people")
    parser.add_argument("--work", type=Path, required=True, help="folder for looks; kept")
    parser.add_argument("--replicates", type=int, default=1000, help="bootstrap replicates")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    result = measure(options)
    show(
        "Own held-out test, by group",
        ("scenes", "real + fake", "AUC", "ECE", "Cllr"),
        [
            (name, f"{b['n_real']} + {b['n_fake']}", *(_text(b[k]) for k in _SHOWN))
            for name, b in [("all", result["group"]), *result["scenes"].items()]
        ],
    )
    bars = bars_of(result)
    met = show_bars(bars)
    result["bars"] = [bar.record() for bar in bars]
    print(write_result("held-out", result, options.out))
    return 0 if met else 1


_SHOWN = ("auc", "ece_prior_matched", "cllr")


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    raise SystemExit(main())
