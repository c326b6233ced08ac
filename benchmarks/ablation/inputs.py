"""What usual light, contrast and sharpness buy: ``python -m benchmarks.ablation.inputs --clips M``.

``M`` is the manifest of the validation people. The detector `blend` scores their clips with crops
brought to the usual, without each step, and as they are. With ``--crops`` it scores the studied
half of the DFDC crops too, by how bright they are: dark real faces used to look manipulated. Both
sets helped to choose the steps, so that no figure here is a test.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks._results import RESULTS, show, write_result
from benchmarks.ablation.run import Scored, gain, looks_of, unmeasured
from benchmarks.accuracy.sets import open_set
from benchmarks.tables import interval
from forensics.detectors import Detector, create_detector, weights_of
from forensics.detectors._normalise import STEPS
from forensics.evaluation.images import read_crop
from forensics.testing import make_crops
from forensics.training.fusion import Measured

WAYS: dict[str, tuple[str, ...]] = {
    "all": STEPS,
    **{step: tuple(s for s in STEPS if s != step) for step in STEPS},
    "none": (),
}
"""The steps that are done, by what is left out; ``all`` is what ships."""

_WITHOUT = {"all": "nothing", "none": "all of them"}
_BANDS = (0.0, 45.0, 75.0, 256.0)  # mean grey level of the middle
_FPR = 0.05

Floats = NDArray[np.float64]


def logits(detector: Detector, crops: NDArray[np.uint8]) -> Floats:
    """Return (n,) logits of (n, h, w, 3) crops."""
    (item,) = detector.score(make_crops(len(crops), data=crops))
    return np.asarray(item.artifacts["logits"], np.float64)


def brightness(crop: NDArray[np.uint8]) -> float:
    """Return the mean grey level of a crop's middle."""
    h, w = (side // 4 for side in crop.shape[:2])
    return float(cv2.cvtColor(np.ascontiguousarray(crop[h:-h, w:-w]), cv2.COLOR_RGB2GRAY).mean())


def rows_of(
    clips: Sequence[Measured], scores: Mapping[str, Sequence[float]], replicates: int
) -> list[dict[str, Any]]:
    """Return a row for each way: its AUC, and what the steps that it lacks buy."""
    whole = Scored(clips, np.array(scores["all"], np.float64))
    rows = []
    for way, values in scores.items():
        one = Scored(clips, np.array(values, np.float64))
        rows.append({
            "way": way, "without": _WITHOUT.get(way, way), **one.figures(replicates),
            "bought": None if way == "all" else gain(one, whole, replicates),
        })  # fmt: skip
    return rows


def bands_of(
    clips: Sequence[Measured], light: Sequence[float], scores: Mapping[str, Sequence[float]],
    replicates: int,
) -> list[dict[str, Any]]:
    """Return a row for each band of brightness: the AUC and the false alarms with and without.

    False alarms are real crops above the score over which a twentieth of all real crops lie.
    """
    fake = np.array([clip.fake for clip in clips])
    rows = []
    for low, high in zip(_BANDS, _BANDS[1:], strict=False):
        inside = (np.array(light) >= low) & (np.array(light) < high)
        chosen = [clip for clip, kept in zip(clips, inside, strict=True) if kept]
        row: dict[str, Any] = {"from": low, "to": high}
        for way in ("all", "none"):
            values = np.array(scores[way], np.float64)
            limit = np.quantile(values[~fake], 1 - _FPR)
            part = Scored(chosen, values[inside]).figures(replicates)
            part["false_alarms"] = int((values[inside & ~fake] > limit).sum())
            row[way] = part
        rows.append(row)
    return rows


def _score(crops: Sequence[NDArray[np.uint8]]) -> dict[str, list[float]]:
    scores = {}
    for way, steps in WAYS.items():
        detector = create_detector("blend", steps=steps)
        scores[way] = [
            float(logits(detector, part).mean()) for part in track(crops, description=way)
        ]
    return scores


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation.inputs",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--clips", type=Path, required=True, help="manifest of validation people")
    parser.add_argument("--work", type=Path, required=True, help="folder with looks at clips")
    parser.add_argument("--crops", type=Path, help="manifest of face crops with a split look")
    parser.add_argument("--limit", type=int, help="only so many crops, for a quick look")
    parser.add_argument("--replicates", type=int, default=1000, help="bootstrap replicates")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    clips, looks = looks_of(options.clips, options.work)
    result: dict[str, Any] = {
        "weights_sha256": weights_of([create_detector("blend")]),
        "clips": rows_of(clips, _score(looks), options.replicates),
    }
    _show("Clips of validation people", result["clips"])
    if options.crops is not None:
        rows = open_set(options.crops, split="look").rows[: options.limit]
        faces = [read_crop(row.resolved) for row in rows]
        crops = [unmeasured(row) for row in rows]
        scores = _score([face[None] for face in faces])
        result["crops"] = rows_of(crops, scores, options.replicates)
        result["bands"] = bands_of(
            crops, [brightness(face) for face in faces], scores, options.replicates
        )
        _show("Studied DFDC crops", result["crops"])
        show(
            "Studied DFDC crops by mean grey level", ("from", "to", "AUC as they are", "evened",
                                                      "false alarms as they are", "evened"),
            [(f"{b['from']:.0f}", f"{b['to']:.0f}",
              *(interval(b[w]["auc"], b[w]["auc_interval"]) for w in ("none", "all")),
              *(f"{b[w]['false_alarms']} of {b[w]['n_real']}" for w in ("none", "all")))
             for b in result["bands"]],
        )  # fmt: skip
    print(write_result("inputs", result, options.out))
    return 0


def _show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    show(
        title, ("without", "AUC [95 %]", "the step buys [95 %]"),
        [(r["without"], interval(r["auc"], r["auc_interval"]),
          "-" if r["bought"] is None else interval(
              r["bought"]["gain"], (r["bought"]["low"], r["bought"]["high"])))
         for r in rows],
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
