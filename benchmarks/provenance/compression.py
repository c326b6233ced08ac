"""Is an earlier coding found in the packet sizes, and how often is one found where there was none?

    python -m benchmarks.provenance compression [--photos FOLDER] [-n 40]

A camera's hand movement, breathing light and sensor noise are drawn over still pictures, which were
never part of a video; so the first coding is the first. Each clip is coded once, and twice with
another distance of key pictures, in several qualities, by x264 and by an MPEG-4 encoder.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._results import Bar, show, show_bars, write_result
from forensics.container.texts import read_carried
from forensics.evaluation.rates import wilson
from forensics.models import model_path
from forensics.provenance.compression import LIMIT, Compression, examine_packets

Picture = NDArray[np.uint8]

SIZE = (320, 180)
FRAMES = 240
PROMISED = 0.02
_GAPS = (12, 14, 15, 24, 25, 30, 48, 50)


@dataclass(frozen=True, slots=True)
class Coding:
    """How a clip is coded.

    Attributes:
        gap: Pictures between two key pictures.
        quality: CRF of x264, or the quantiser of MPEG-4.
        codec: ``libx264`` or ``mpeg4``.
        extra: Further options of the encoder.
    """

    gap: int
    quality: int
    codec: str = "libx264"
    extra: dict[str, str] = field(default_factory=lambda: {"bf": "0", "sc_threshold": "0"})

    def options(self) -> dict[str, str]:
        """Return the encoder's options."""
        q = str(self.quality)
        how = {"qmin": q, "qmax": q}
        if self.codec == "libx264":
            how = {"crf": q, "preset": "veryfast"}
        return {"g": str(self.gap), **how, **self.extra}


Chooser = Callable[[np.random.Generator], list[Coding]]


def once(rng: np.random.Generator, *, codec: str = "libx264") -> list[Coding]:
    """One coding: key pictures and quality at random."""
    qualities = (18, 23, 28, 33) if codec == "libx264" else (3, 5, 8)
    return [Coding(int(rng.choice((*_GAPS, 250))), int(rng.choice(qualities)), codec)]


def cutting(rng: np.random.Generator) -> list[Coding]:
    """One coding that may put key pictures at cuts."""
    return [Coding(250, int(rng.choice((18, 23, 28))), extra={"bf": "0"})]


def twice(rng: np.random.Generator, *, change: int, codec: str = "libx264") -> list[Coding]:
    """Two codings; the second is coarser by ``change``, finer where it is negative."""
    first, last = (int(g) for g in rng.choice(_GAPS, 2, replace=False))
    quality = int(rng.choice((20, 23, 26)))
    start = Coding(first, quality if codec == "libx264" else 4, codec)
    return [start, Coding(last, quality + change)]


def layered(rng: np.random.Generator) -> list[Coding]:
    """Two codings, the second with the encoder's defaults: B-frames, cuts, 250 pictures."""
    return [Coding(int(rng.choice(_GAPS)), 23), Coding(250, 23, extra={})]


CASES: dict[str, Chooser] = {
    "once, x264": once,
    "once, MPEG-4": partial(once, codec="mpeg4"),
    "once, x264, key pictures at cuts": cutting,
    "twice, second finer by 4": partial(twice, change=-4),
    "twice, same quality": partial(twice, change=0),
    "twice, second coarser by 4": partial(twice, change=4),
    "twice, second coarser by 8": partial(twice, change=8),
    "twice, first MPEG-4": partial(twice, change=0, codec="mpeg4"),
    "twice, second with B-frames": layered,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.provenance compression")
    parser.add_argument("--photos", type=Path, help="folder of portraits to move a camera over")
    parser.add_argument("-n", type=int, default=40, help="clips of each kind coded once")
    parser.add_argument("--twice", type=int, default=12, help="clips of each kind coded twice")
    options = parser.parse_args(arguments)
    found = sorted(options.photos.glob("*.jpg")) if options.photos else []
    photos = found or [model_path("astronaut")]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for kind, (case, choose) in enumerate(CASES.items()):
            rng = np.random.default_rng([7, kind])
            count = options.twice if case.startswith("twice") else options.n
            rows.append(measure(case, choose, photos, rng, count, Path(name) / "clip.mp4"))
            print(rows[-1], flush=True)
    return report(rows, own=bool(found))


def measure(
    case: str, choose: Chooser, photos: Sequence[Path], rng: np.random.Generator, n: int,
    path: Path,
) -> dict[str, Any]:
    """Code ``n`` clips and look at each."""
    answers: Counter[str] = Counter()
    right = 0
    for _ in range(n):
        codings = choose(rng)
        frames: Iterator[Picture] = camera(photos[int(rng.integers(len(photos)))], rng)
        for coding in codings:
            encode(list(frames), path, coding)
            frames = decode(path)
        result = look(path)
        answers[result.reason or result.status] += 1
        right += result.period == codings[0].gap
    hits = answers["found"]
    twice_coded = case.startswith("twice")
    return {
        "case": case, "n": n, "answers": dict(answers), "found": hits,
        "interval": list(wilson(hits, n)), "true_period": right if twice_coded else None,
        "coded_twice": twice_coded,
    }  # fmt: skip


def look(path: Path) -> Compression:
    """Return what the auditor's own code says."""
    return examine_packets(read_carried(path).packets)


def camera(photo: Path, rng: np.random.Generator) -> Iterator[Picture]:
    """Film a still picture by hand: drift, tremor, breathing light and sensor noise."""
    still = cv2.imread(str(photo))
    width, height = SIZE
    scale = 1.3 * max(width / still.shape[1], height / still.shape[0])
    still = cv2.resize(still, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    room = np.array([still.shape[1] - width, still.shape[0] - height]) / 2
    noise, speed = rng.uniform(0.5, 3.0), rng.uniform(0.2, 2.0)
    place, drift = np.zeros(2), rng.normal(0, speed, 2)
    for number in range(FRAMES):
        drift = 0.95 * drift + rng.normal(0, 0.3 * speed, 2)
        place = np.clip(place + drift, -room, room)
        centre = np.array([still.shape[1], still.shape[0]]) / 2 + place
        view = cv2.getRectSubPix(still, SIZE, (float(centre[0]), float(centre[1])))
        light = 1 + 0.04 * np.sin(number / 17 + speed)
        grain = rng.normal(0, noise, (height, width, 1))
        yield np.clip(view * light + grain, 0, 255).astype(np.uint8)


def encode(frames: Sequence[Picture], path: Path, coding: Coding) -> None:
    """Write BGR frames as MP4."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(coding.codec, rate=25, options=coding.options())
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        out.mux(stream.encode())


def decode(path: Path) -> Iterator[Picture]:
    """Read the frames back as BGR."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def report(rows: Sequence[dict[str, Any]], *, own: bool) -> int:
    """Print the table, write the result, and return 1 when a bar is missed."""
    show(
        "An earlier coding found in packet sizes",
        ["clips", "n", "found", "period right", "95 %", "answers"],
        [
            [
                row["case"], str(row["n"]), str(row["found"]), str(row["true_period"]),
                "{:.2f} - {:.2f}".format(*row["interval"]),
                ", ".join(f"{n} {what}" for what, n in row["answers"].items()),
            ]
            for row in rows
        ],
    )  # fmt: skip
    single = [row for row in rows if not row["coded_twice"]]
    alarms, n = sum(r["found"] for r in single), sum(r["n"] for r in single)
    bars = [Bar("false alarms, coded once", value=alarms / n, limit=PROMISED)]
    data = {
        "material": ("portraits given by --photos" if own else "a NASA portrait")
        + ", filmed by a drawn hand-held camera",
        "frames": FRAMES,
        "limit": LIMIT,
        "rows": list(rows),
        "false_alarms": {"found": alarms, "n": n, "interval": list(wilson(alarms, n))},
        "bars": [bar.record() for bar in bars],
    }
    print(write_result("provenance-compression", data))
    return 0 if show_bars(bars) else 1
