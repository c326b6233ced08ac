"""Does memory grow with the number of files? ``python -m benchmarks.scale.slope``.

One batch over many small clips, with two workers and the store. After every few files the resident
memory of the driver, of the workers and of their decoders is read. The slope is that of a line
through the means of equal stretches: neighbouring readings are alike, means of stretches hardly.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.scale.material import make_clips
from forensics.batch import Batch, Recorder
from forensics.engines import ScanOptions
from forensics.engines.base import ScanJob
from forensics.engines.process import ProcessEngine

JOB = ScanJob(options=ScanOptions(frames=4))
MB = 1e6
STRETCHES = 20
_T = 2.101  # 97.5 % of Student's t with 18 degrees of freedom
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pids: Iterable[int]) -> float:
    """Return the resident memory of processes together, MB; pages that they share count twice."""
    pages = 0
    for pid in pids:
        with contextlib.suppress(OSError):  # it has just ended
            pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE / MB


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, path.read_text(encoding="ascii").split())
    return found


def slope(files: Sequence[float], memory: Sequence[float]) -> dict[str, Any]:
    """Return the growth in MB per 1000 files with its 95 % interval, the first tenth left out.

    Args:
        files: Number of files done at each reading.
        memory: MB at each reading; as many, at least `STRETCHES` after the first tenth.
    """
    start = len(files) // 10
    x, y = (
        np.array([part.mean() for part in np.array_split(np.asarray(v, float)[start:], STRETCHES)])
        for v in (files, memory)
    )
    x = x / 1000
    middle = x - x.mean()
    value = float((middle * y).sum() / (middle**2).sum())
    rest = y - y.mean() - value * middle
    error = float(np.sqrt((rest**2).sum() / (STRETCHES - 2) / (middle**2).sum()))
    return {"mb_per_1000": value, "interval": [value - _T * error, value + _T * error],
            "mean_mb": float(y.mean()), "readings": len(files) - start}  # fmt: skip


def measure(files: list[Path], db: Path, every: int) -> dict[str, list[float]]:
    """Run the batch and return the readings."""
    engine = ProcessEngine(2)
    read: dict[str, list[float]] = {"files": [], "driver": [], "workers": [], "decoders": []}
    done = 0

    def on_record(_: object) -> None:
        nonlocal done
        done += 1
        if done % every:
            return
        workers = engine.pids
        read["files"].append(done)
        read["driver"].append(resident([os.getpid()]))
        read["workers"].append(resident(workers))
        read["decoders"].append(resident(pid for worker in workers for pid in children(worker)))

    recorder = Recorder(str(db), print)
    try:
        Batch(JOB, engine, recorder, on_record=on_record).run(files)
    finally:
        recorder.close()
        engine.close()
    return read


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 when memory is not flat."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.slope", description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--every", type=int, default=5, help="files between two readings")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="forensics-slope-") as name:
        files = make_clips(Path(name) / "clips", options.files)
        read = measure(files, Path(name) / "cases.sqlite", options.every)
    count = read.pop("files")
    found = {name: slope(count, values) for name, values in read.items()}
    whole = [sum(values) for values in zip(*read.values(), strict=True)]
    found["all"] = slope(count, whole)
    show(f"Memory over {options.files} clips, 2 workers",
         ("", "mean MB", "MB per 1000 files", "95 %"),
         [(n, f"{f['mean_mb']:.0f}", f"{f['mb_per_1000']:.2f}",
           f"{f['interval'][0]:.2f} to {f['interval'][1]:.2f}")
          for n, f in found.items()])  # fmt: skip
    growth = found["all"]["mb_per_1000"] * options.files / 1000 / found["all"]["mean_mb"]
    bars = [Bar("growth of memory over the whole run, share of its mean", value=growth, limit=0.05)]
    met = show_bars(bars)
    result = {"files": options.files, "slopes": found, "readings": {"files": count, **read},
              "bars": [bar.record() for bar in bars]}  # fmt: skip
    print(write_result("scale-slope", result, options.out))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
