"""Do workers add up, and what do engine and store cost? ``python -m benchmarks.scale.throughput``.

Two serial scanners of their own run side by side over two halves of the files; then engines over
all of them, in turn, in the same run. Start-up is left out on all sides: the first file of every
worker warms it. The sizing table follows from the seconds of single scans.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.scale.material import make_clips
from forensics.batch import Batch, Recorder
from forensics.engines import ScanOptions
from forensics.engines.base import ScanJob
from forensics.engines.names import make_engine

JOB = ScanJob(options=ScanOptions(frames=16))
_ALONE = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from benchmarks.scale.throughput import JOB\n"
    "from forensics.engines.serial import SerialEngine\n"
    "engine, paths = SerialEngine(), [Path(p) for p in sys.argv[1:]]\n"
    "list(engine.map(paths[:1], JOB))\n"
    "print('ready', flush=True); sys.stdin.readline()\n"
    "start = time.perf_counter(); list(engine.map(paths[1:], JOB))\n"
    "print(time.perf_counter() - start, flush=True)\n"
)


def side_by_side(files: list[Path]) -> float:
    """Return files a second of two serial scanners that know nothing of each other."""
    halves = [files[::2], files[1::2]]
    running = [
        subprocess.Popen([sys.executable, "-c", _ALONE, *map(str, half)], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for half in halves
    ]  # fmt: skip
    rates = []
    for process in running:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process, half in zip(running, halves, strict=True):
        assert process.stdout is not None
        rates.append((len(half) - 1) / float(process.stdout.readline()))
        process.wait()
    return sum(rates)


def with_engine(files: list[Path], name: str, db: Path) -> float:
    """Return files a second of an engine with two workers and the store."""
    engine = make_engine(name, 2)
    try:
        list(engine.map(files[:4], JOB))
        recorder = Recorder(str(db), print)
        batch = Batch(JOB, engine, recorder)
        start = time.perf_counter()
        batch.run(files)
        seconds = time.perf_counter() - start
        recorder.close()
    finally:
        engine.close()
    return len(files) / seconds


def serial_overhead(files: list[Path], db: Path) -> float:
    """Return the share of the wall time of a batch that is not scanning."""
    engine = make_engine("serial", 1)
    list(engine.map(files[:1], JOB))
    scanning = [0.0]
    recorder = Recorder(str(db), print)
    batch = Batch(JOB, engine, recorder,
                  on_record=lambda entry: scanning.append(entry.values["seconds"]))  # fmt: skip
    start = time.perf_counter()
    batch.run(files)
    whole = time.perf_counter() - start
    recorder.close()
    return (whole - sum(scanning)) / sum(scanning)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.throughput",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--engines", default="process,ray")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    names = options.engines.split(",")
    rates: dict[str, list[float]] = {name: [] for name in ("two serial", *names)}
    overheads = []
    with tempfile.TemporaryDirectory(prefix="forensics-rate-") as folder:
        work = Path(folder)
        files = make_clips(work / "clips", options.files, frames=20)
        for turn in range(options.turns):
            rates["two serial"].append(side_by_side(files))
            for name in names:
                rates[name].append(with_engine(files, name, work / f"{name}-{turn}.sqlite"))
            overheads.append(serial_overhead(files[:20], work / f"serial-{turn}.sqlite"))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    show(f"{options.files} clips, {options.turns} turns", ("", "files a second", "each turn"),
         [(n, f"{middle[n]:.2f}", " ".join(f"{r:.2f}" for r in found))
          for n, found in rates.items()])  # fmt: skip
    bars = [
        Bar("two process workers over two serial scanners", limit=0.9, at_most=False,
            value=middle["process"] / middle["two serial"]),
        Bar("store and engine, share of scan time", limit=0.05,
            value=statistics.median(overheads)),
    ]  # fmt: skip
    if "ray" in middle:
        bars.append(Bar("Ray over process, two workers", limit=0.85, at_most=False,
                        value=middle["ray"] / middle["process"]))  # fmt: skip
    met = show_bars(bars)
    result: dict[str, Any] = {"files": options.files, "turns": options.turns, "rates": rates,
                              "overheads": overheads, "bars": [b.record() for b in bars]}
    print(write_result("scale-throughput", result, options.out))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
