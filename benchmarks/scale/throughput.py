"""Do workers add up, and what do engine and store cost? ``python -m benchmarks.scale.throughput``.

Two serial scanners of their own run side by side, each over one half of the files; then engines
over all of them, in the same run and in an order that turns. Start-up is left out on all sides:
every scanner and every worker is warm before its time counts. A rate is the number of files by the
time until the last one is done, so on every side an idle core at the end counts.
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

import numpy as np

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.scale.material import make_clips
from forensics.batch import Batch, Recorder
from forensics.engines import ScanOptions
from forensics.engines.base import ScanJob
from forensics.engines.names import make_engine

JOB = ScanJob(options=ScanOptions(frames=16))
_ALONE_NAME = "two serial"
_ALONE = (
    "import sys\n"
    "from pathlib import Path\n"
    "from benchmarks.scale.throughput import JOB\n"
    "from forensics.engines.serial import SerialEngine\n"
    "engine, paths = SerialEngine(), [Path(p) for p in sys.argv[1:]]\n"
    "list(engine.map(paths[:1], JOB))\n"
    "print('ready', flush=True); sys.stdin.readline()\n"
    "list(engine.map(paths, JOB)); print('done', flush=True)\n"
)


def side_by_side(files: list[Path]) -> float:
    """Return files a second of two serial scanners that know nothing of each other."""
    halves = [files[::2], files[1::2]]
    running = [
        subprocess.Popen([sys.executable, "-c", _ALONE, *map(str, half)], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for half in halves
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    start = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in running:
        assert process.stdout is not None and process.stdout.readline() == "done\n"
    seconds = time.perf_counter() - start
    for process in running:
        process.communicate()
    return len(files) / seconds


def with_engine(files: list[Path], name: str, db: Path) -> float:
    """Return files a second of an engine with two workers and the store."""
    engine = make_engine(name, 2)
    try:
        while True:
            list(engine.map(files[:4], JOB))
            # A process worker gets its first file at its start; an actor may still be on its way.
            if getattr(engine, "idle", 2) == 2:
                break
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


def measure(files: list[Path], names: Sequence[str], turns: int, work: Path) -> dict[str, Any]:
    """Return files a second of every side and the overheads, one of each a turn."""
    rates: dict[str, list[float]] = {name: [] for name in (_ALONE_NAME, *names)}
    overheads = []
    for turn in range(turns):
        order = list(rates)
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            if name == _ALONE_NAME:
                rates[name].append(side_by_side(files))
            else:
                rates[name].append(with_engine(files, name, work / f"{name}-{turn}.sqlite"))
        overheads.append(serial_overhead(files[:20], work / f"serial-{turn}.sqlite"))
    return {"rates": rates, "overheads": overheads}


def ratio(one: Sequence[float], other: Sequence[float]) -> dict[str, Any]:
    """Return the median of the turns' ratios with its 95 % bootstrap interval."""
    turns = np.array(one) / np.array(other)
    pick = np.random.default_rng(0).integers(len(turns), size=(2000, len(turns)))
    low, high = np.percentile(np.median(turns[pick], 1), [2.5, 97.5])
    return {"value": float(np.median(turns)), "interval": [float(low), float(high)],
            "n": len(turns)}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.throughput",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--engines", default="process,ray")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    names = options.engines.split(",")
    with tempfile.TemporaryDirectory(prefix="forensics-rate-") as folder:
        files = make_clips(Path(folder) / "clips", options.files, frames=20)
        found = measure(files, names, options.turns, Path(folder))
    rates = found["rates"]
    show(f"{options.files} clips, {options.turns} turns", ("", "files a second", "each turn"),
         [(n, f"{statistics.median(r):.2f}", " ".join(f"{x:.2f}" for x in r))
          for n, r in rates.items()])  # fmt: skip
    ratios = {
        "two process workers over two serial scanners": ratio(rates["process"], rates[_ALONE_NAME]),
        "store and engine, share of scan time": ratio(found["overheads"], [1.0] * options.turns),
    }
    limits = [0.9, 0.05]
    if "ray" in rates:
        ratios["Ray over process, two workers"] = ratio(rates["ray"], rates["process"])
        limits.append(0.85)
    bars = [
        Bar(name, value=found["value"], limit=limit, at_most=limit < 0.5)
        for (name, found), limit in zip(ratios.items(), limits, strict=True)
    ]
    met = show_bars(bars)
    result: dict[str, Any] = {"files": options.files, "turns": options.turns, **found,
                              "ratios": ratios, "bars": [b.record() for b in bars]}  # fmt: skip
    print(write_result("scale-throughput", result, options.out))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
