"""How many clips a core scans in a day: ``python -m benchmarks.scale.sizing``.

As many workers as there are cores scan copies of one clip, each at the default options; what a
core does follows from the time until the last one is done, so the price of busy neighbours is in
it. Long clips are the short one's packets again and again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import RESULTS, cores, show, write_result
from benchmarks.speed.material import make_clip, repeat_clip
from forensics.engines.base import ScanJob
from forensics.engines.process import ProcessEngine

DAY = 86_400
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
LENGTHS = {"10 s": 1, "60 s": 6, "10 min": 60}


def rates(engine: ProcessEngine, clip: Path, workers: int, each: int, turns: int) -> list[float]:
    """Return clips a second of all workers together, one figure a turn.

    Raises:
        SystemExit: The clip could not be examined, so the figure would mean nothing.
    """
    found = []
    for turn in range(turns + 1):  # the first one warms workers and the system's file cache
        count = workers * (each if turn else 1)
        start = time.perf_counter()
        for record in engine.map([clip] * count, ScanJob()):
            if record.report["error"] is not None:
                raise SystemExit(record.report["error"])
        if turn:
            found.append(count / (time.perf_counter() - start))
    return found


def row(name: str, size: str, found: Sequence[float], workers: int) -> dict[str, Any]:
    """Return clips a day of one core, the median of the turns with its 95 % bootstrap interval."""
    days = np.array(found) * DAY / workers
    pick = np.random.default_rng(0).integers(len(days), size=(2000, len(days)))
    low, high = np.percentile(np.median(days[pick], 1), [2.5, 97.5])
    return {"length": name, "size": size, "clips_a_day_per_core": float(np.median(days)),
            "interval": [float(low), float(high)], "n": len(days),
            "core_seconds": DAY / float(np.median(days))}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every length at every size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.sizing", description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--each", type=int, default=3, help="clips of each worker in a turn")
    parser.add_argument("--lengths", default=",".join(LENGTHS))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    workers, rows = cores(), []
    engine = ProcessEngine(workers)
    try:
        with tempfile.TemporaryDirectory(prefix="forensics-sizing-") as name:
            for size in options.sizes.split(","):
                short = make_clip(Path(name) / f"{size}.mp4", size=SIZES[size])
                for length in options.lengths.split(","):
                    clip = repeat_clip(short, Path(name) / "clip.mp4", LENGTHS[length])
                    found = rates(engine, clip, workers, options.each, options.turns)
                    rows.append(row(length, size, found, workers))
    finally:
        engine.close()
    show(f"Clips a day of one core, {workers} busy, {options.turns} turns",
         ("clip", "size", "clips a day", "95 %", "core seconds"),
         [(r["length"], r["size"], f"{r['clips_a_day_per_core']:.0f}",
           f"{r['interval'][0]:.0f} to {r['interval'][1]:.0f}", f"{r['core_seconds']:.2f}")
          for r in rows])  # fmt: skip
    result = {"workers": workers, "turns": options.turns, "each": options.each, "rows": rows}
    print(write_result("scale-sizing", result, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
