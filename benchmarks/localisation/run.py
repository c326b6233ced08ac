"""Measure localisation on a labelled set: ``python -m benchmarks.localisation --own MANIFEST``.

The set is one that ``generator make-set`` made: masks to the pixel, and the seconds of every swap.

*Pixels*: average precision of the detector's region map within face crops, a clip at a time, beside
that of a guess that marks the whole face. *Person*: each fake beside a real clip in one picture;
right when the scan's ratio is largest for the swapped face. *Seconds*: clips swapped in part of
their time, against the stretches that the scan's report names.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import limits
from benchmarks._own import own_parser
from benchmarks._results import Bar, finish, show
from benchmarks.accuracy.sets import open_set
from benchmarks.localisation.measures import Span, f1, matched, pixel_ap
from benchmarks.localisation.spliced import beside, spliced
from forensics.detectors import create_detector, weights_of
from forensics.engines.options import ScanOptions
from forensics.engines.scanner import Scanner
from forensics.errors import ForensicsError
from forensics.evaluation.bootstrap import bootstrap
from forensics.evaluation.manifest import DEFAULT_LIMITS, lines_of
from forensics.evaluation.rates import wilson
from forensics.faces import FaceFinder, FaceFollower, FaceMesh
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.types import FaceCrops
from forensics.verdict.calibration import read_calibration

_OVERLAP = 0.5
_CROPS = 12
_STEP = 0.12
Floats = NDArray[np.float64]
Row = dict[str, Any]


class Looker:
    """Finds the faces of clips and has them measured, models loaded once."""

    def __init__(self) -> None:
        self.finder, self.mesh = FaceFinder(), FaceMesh()
        self.detector = create_detector(read_calibration().leading)

    def tracks(self, path: Path, plan: SamplingPlan) -> dict[int, list[FaceCrops]]:
        """Return the usable crops of every face of a clip."""
        found: dict[int, list[FaceCrops]] = {}

        def take(crops: FaceCrops) -> None:
            usable = crops.select([q.usable for q in crops.quality])
            if len(usable):
                found.setdefault(crops.track_id, []).append(usable)

        follower = FaceFollower(take, finder=self.finder, mesh=self.mesh)
        with stream_frames(open_clip(path), plan) as frames:
            for frame in frames:
                follower.push(frame)
        follower.close()
        return found

    def evidence(self, crops: FaceCrops) -> tuple[Floats, Floats]:
        """Return (n,) logits and (n, h, w) regions of crops."""
        artifacts = self.detector.score(crops)[0].artifacts
        return np.asarray(artifacts["logits"]), np.asarray(artifacts["region"], np.float64)


def read_set(path: Path, split: str | None) -> list[Row]:
    """Return the manifest's rows with all their columns; ``file`` is where each clip is.

    Raises:
        ForensicsError: The manifest cannot be used, or the split is sealed.
    """
    chosen = {row.line: row.resolved for row in open_set(path, split=split).rows}
    return [
        json.loads(line) | {"file": chosen[number]}
        for number, line in lines_of(path, hashlib.sha256(), DEFAULT_LIMITS)
        if number in chosen
    ]


def masks_at(path: Path, times: Sequence[float]) -> list[NDArray[np.uint8]]:
    """Return the mask pictures nearest to the given times, (h, w) each."""
    wanted = sorted(set(times))
    found: dict[float, tuple[float, NDArray[np.uint8]]] = {}
    with stream_frames(open_clip(path), SamplingPlan(all=True)) as frames:
        for frame in frames:
            for time in wanted:
                gap = abs(frame.pts - time)
                if gap < 0.06 and gap < found.get(time, (np.inf, None))[0]:
                    found[time] = (gap, np.asarray(frame.image)[..., 0].copy())
    return [found[time][1] for time in times if time in found]


def mask_in_crop(mask: NDArray[np.uint8], crops: FaceCrops, n: int) -> NDArray[np.uint8]:
    """Bring a mask of the frame, (h, w), into the pixels of the n-th crop."""
    size = crops.data.shape[1]
    warped = cv2.warpAffine(
        mask, np.asarray(crops.to_frame[n], np.float64), (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )  # fmt: skip
    return np.asarray(warped, np.uint8)


def share_of(mask: NDArray[Any], side: int) -> Floats:
    """Return the masked share, 0..1, of each cell of a region map of ``side`` x ``side`` cells."""
    small = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float64) / 255


def pixels(looker: Looker, row: Row, folder: Path) -> tuple[float, float] | None:
    """Return pixel AP of the region map, and of a guess that marks the whole face, for one fake."""
    tracks = looker.tracks(row["file"], SamplingPlan(frames=_CROPS))
    stated, guessed, true = [], [], []
    for crops in (part for parts in tracks.values() for part in parts):
        masks = masks_at(folder / row["mask"], [float(t) for t in crops.pts])
        if len(masks) < len(crops):
            continue
        _, region = looker.evidence(crops)
        side = region.shape[1]
        for n, mask in enumerate(masks):
            inside = mask_in_crop(mask, crops, n)
            if inside.max() < 128:
                continue  # another person's face, or a moment that is not swapped
            true.append(share_of(inside, side))
            stated.append(region[n])
            guessed.append(_face(crops.mesh[n], len(inside), side))
    if not true:
        return None
    mask_stack = np.stack(true)
    ours, guess = (pixel_ap(np.stack(maps), mask_stack) for maps in (stated, guessed))
    return None if ours is None or guess is None else (ours, guess)


def _face(mesh: NDArray[np.floating[Any]], size: int, side: int) -> Floats:
    """Return the convex hull of a face's mesh on the region's grid, softened."""
    canvas = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.asarray(mesh)[:, :2].round().astype(np.int32))
    cv2.fillConvexPoly(canvas, hull, 255)
    return share_of(cv2.GaussianBlur(canvas, (0, 0), size / 20), side)


def person(scanner: Scanner, fake: Row, real: Row, scratch: Path, left: bool) -> bool | None:
    """Put a fake beside a real clip; return whether a scan suspects the swapped face more.

    None where the scan does not judge a face on both sides.
    """
    path = scratch / "beside.mp4"
    one, two = (fake, real) if left else (real, fake)
    border = beside(one["file"], two["file"], path)
    best: dict[bool, float] = {}
    for face in scanner.scan(path).tracks:
        if face.llr is None:
            continue
        middle = float(np.mean([(box[1] + box[3]) / 2 for box in face.boxes]))
        # The bounded ratio may be the same of both; the mean of the scores then decides.
        value = face.llr + 1e-3 * float(np.mean([score for _, score in face.scores]))
        best[middle < border] = max(best.get(middle < border, -np.inf), value)
    return None if len(best) < 2 else best[left] > best[not left]


def seconds(scanner: Scanner, path: Path, true: Sequence[Span]) -> tuple[int, int, int]:
    """Return matched, stated and true spans of one clip, by what its report says.

    Of the face with the largest ratio: the stretches of its timeline, or all of its time where none
    stands out and the ratio calls it suspect.
    """
    report = scanner.scan(path)
    judged = [face for face in report.tracks if face.llr is not None]
    stated: list[Span] = []
    if judged:
        worst = max(judged, key=lambda face: face.llr or 0.0)
        stretches = [
            (float(part["start"]), float(part["end"]))
            for item in report.evidence
            if item.kind == "timeline" and item.track_id == worst.id
            for part in item.values["stretches"]
        ]
        whole = [worst.span] if (worst.llr or 0.0) >= scanner.threshold else []
        stated = stretches or whole
    return matched(stated, true, _OVERLAP), len(stated), len(true)


def in_part(
    scanner: Scanner, fakes: Sequence[Row], reals: Sequence[Row], scratch: Path
) -> list[tuple[str, tuple[int, int, int]]]:
    """Count spans of clips that are swapped in part: the set's own, and whole swaps cut into
    their originals.
    """
    original = {row["pair"]: row for row in reals if "pair" in row}
    found = []
    for number, row in enumerate(track(fakes, description="seconds")):
        if not _whole(row):
            true = [(float(a), float(b)) for a, b in row["segments"]]
            found.append((row["group"], seconds(scanner, row["file"], true)))
        elif row.get("pair") in original:
            path = scratch / "part.mp4"
            span = spliced(original[row["pair"]]["file"], row["file"], path, number)
            found.append((row["group"], seconds(scanner, path, [span])))
    return found


def measure(rows: Sequence[Row], folder: Path, *, replicates: int) -> dict[str, Any]:
    """Measure all three."""
    looker = Looker()
    fakes = [row for row in rows if row["label"] == "fake"]
    reals = [row for row in rows if row["label"] == "real"]
    found = [(row["group"], pixels(looker, row, folder))
             for row in track(fakes, description="pixels") if "mask" in row]  # fmt: skip
    told = [(group, value) for group, value in found if value is not None]
    scanner, timer = Scanner(ScanOptions()), Scanner(ScanOptions(every=_STEP))
    right = []
    with tempfile.TemporaryDirectory(prefix="forensics-localisation-") as scratch:
        timed = [row for row in fakes if row.get("segments")]
        counts = in_part(timer, timed, reals, Path(scratch))
        for number, row in enumerate(track(fakes, description="person")):
            others = [r for r in reals if r["group"] != row["group"]]
            if others:
                other = others[number % len(others)]
                answer = person(scanner, row, other, Path(scratch), number % 2 == 0)
                right += [] if answer is None else [answer]
    return {
        "clips": len(fakes),
        "pixel": _mean(told, 0, replicates),
        "pixel_of_a_guess": _mean(told, 1, replicates),
        "person": {
            "n": len(right), "right": sum(right),
            "share": sum(right) / len(right) if right else None,
            "interval": list(wilson(sum(right), len(right))),
        },
        "seconds": _f1(counts, replicates),
        "weights_sha256": weights_of(scanner.detectors),
    }  # fmt: skip


def _whole(row: Row) -> bool:
    """Whether one span covers the clip but for a picture or two."""
    begin, end = row["segments"][0]
    return bool(begin <= 0.1 and end >= open_clip(row["file"]).duration - 0.1)


def _mean(
    told: Sequence[tuple[str, tuple[float, float]]], which: int, replicates: int
) -> dict[str, Any]:
    if not told:
        return {"n": 0, "ap": None, "interval": None}
    values = np.array([pair[which] for _, pair in told])
    found = bootstrap(
        lambda w: {"ap": (w @ values) / w.sum(axis=1)},
        [group for group, _ in told], n_boot=replicates,
    )["ap"]  # fmt: skip
    bounds = None if found.bounds is None else list(found.bounds)
    return {"n": len(told), "ap": float(values.mean()), "interval": bounds}


def _f1(counts: Sequence[tuple[str, tuple[int, int, int]]], replicates: int) -> dict[str, Any]:
    if not counts:
        return {"n": 0, "f1": None, "interval": None}
    table = np.array([count for _, count in counts], np.float64)
    found = bootstrap(
        lambda w: {"f1": f1(w @ table)}, [group for group, _ in counts], n_boot=replicates
    )["f1"]
    value = float(f1(table.sum(0, keepdims=True))[0])
    bounds = None if found.bounds is None else list(found.bounds)
    return {"n": len(counts), "f1": value, "interval": bounds, "at_overlap": _OVERLAP}


def _bars(result: dict[str, Any]) -> list[Bar]:
    rows = (
        (limits.PIXELS, result["pixel"]["ap"]),
        (limits.PERSON, result["person"]["share"]),
        (limits.SECONDS, result["seconds"]["f1"]),
    )
    return [limit.bar(value) for limit, value in rows if value is not None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when a bar is missed, 2 when nothing was measured."""
    parser = own_parser("localisation", __doc__)
    options = parser.parse_args(arguments)
    try:
        rows = read_set(options.own, options.split)[: options.limit]
        result = measure(rows, options.own.parent, replicates=options.replicates)
    except ForensicsError as error:
        parser.error(str(error))
    if not result["pixel"]["n"]:
        print("nothing to measure: no fake with a mask and a usable face")
        return 2
    show(
        "Localisation",
        ("what", "n", "value", "95 %"),
        [
            (name, str(block["n"]), _text(block[key]), _ends(block["interval"]))
            for name, block, key in (
                ("pixel AP", result["pixel"], "ap"),
                ("pixel AP of a guess", result["pixel_of_a_guess"], "ap"),
                ("person of two", result["person"], "share"),
                ("seconds, F1", result["seconds"], "f1"),
            )
        ],
    )
    return finish("localisation", result, _bars(result), options.out)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _ends(bounds: Sequence[float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
