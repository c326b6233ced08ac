"""Audit mutated files of every kind, each kind in a process of its own that is watched.

    python -m benchmarks.fuzz [-n 20000] [--kinds mp4,png] [--seed 1]

A crash is a process that ends or an exception that leaves the auditor; a hang is a file that takes
more than five seconds; the memory is the largest of the process, Python and libraries included.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import Bar, show, show_bars, write_result
from benchmarks.fuzz.mutate import mutate
from benchmarks.fuzz.seeds import KINDS, write_seeds

_HANG = 5.0
_MEMORY = 300.0
_POLL = 0.25


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("-n", type=int, default=20_000, help="mutated files of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="kinds at once")
    options = parser.parse_args(arguments)
    from forensics.provenance.keys import signing_identity

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = write_seeds(folder, signing_identity(folder / "keys"))
        with ThreadPoolExecutor(options.jobs) as pool:
            rows = list(pool.map(
                lambda kind: measure(kind, seeds[kind], options.n, options.seed, folder),
                options.kinds.split(","),
            ))  # fmt: skip
    return report(rows)


def measure(kind: str, data: bytes, count: int, seed: int, folder: Path) -> dict[str, Any]:
    """Audit ``count`` mutations of one file; after a crash or hang, go on behind it."""
    context = mp.get_context("spawn")
    crashes: list[int] = []
    hangs: list[int] = []
    answers: Counter[str] = Counter()
    memory, slowest, start = 0.0, 0.0, 0
    while start < count:
        at = context.Value("q", start)
        ours, theirs = context.Pipe()
        job = (kind, data, start, count, seed, str(folder), at, theirs)
        child = context.Process(target=work, args=job)
        child.start()
        theirs.close()
        done = watch(child, at, ours)
        if done is not None:
            start = count
        else:
            place = int(at.value)
            (hangs if child.exitcode == -9 else crashes).append(place)
            start = place + 1
            done = {}
        child.join()
        answers += Counter(done.get("answers", {}))
        crashes += done.get("errors", [])
        memory = max(memory, done.get("memory_mb", 0.0))
        slowest = max(slowest, done.get("slowest", 0.0))
    return {
        "kind": kind, "n": count, "crashes": crashes, "hangs": hangs, "memory_mb": memory,
        "slowest_s": slowest, "answers": dict(answers),
    }  # fmt: skip


def watch(child: Any, at: Any, ours: Any) -> dict[str, Any] | None:
    """Return what the child says at its end, or None when it died or was killed for a hang."""
    seen, since = -1, time.monotonic()
    while True:
        if ours.poll(_POLL):
            try:
                found: dict[str, Any] = ours.recv()
                return found
            except EOFError:
                child.join()
                return None
        now = time.monotonic()
        if at.value != seen:
            seen, since = at.value, now
        # The first file waits for the libraries.
        elif now - since > (_HANG if seen > 0 else 60.0):
            child.kill()
            child.join()
            return None


def work(
    kind: str, data: bytes, start: int, count: int, seed: int, folder: str, at: Any, out: Any
) -> None:
    """Audit a range of mutations (in the watched process)."""
    from forensics.engines import Auditor, ScanOptions

    auditor = Auditor(ScanOptions(policy=("cn", "eu"), declared="yes"))
    path = Path(folder) / f"mutated.{kind}"
    answers: Counter[str] = Counter()
    errors: list[int] = []
    slowest = 0.0
    for number in range(start, count):
        at.value = number
        path.write_bytes(mutate(data, np.random.default_rng([seed, number])))
        begun = time.perf_counter()
        try:
            found = auditor.audit(path).declaration
            answers[f"{found.status}, {found.integrity}"] += 1
        except Exception:
            errors.append(number)
        if number > start:
            slowest = max(slowest, time.perf_counter() - begun)
    peak = peak_megabytes()
    out.send(
        {"answers": dict(answers), "errors": errors, "memory_mb": peak, "slowest": slowest}
    )


def peak_megabytes() -> float:
    """Return the most memory this process held, MB.

    Where Linux tells, without what its parent held: a child inherits that as its own
    ``ru_maxrss``.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        if "VmHWM" in lines:
            return float(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(rows: Sequence[dict[str, Any]]) -> int:
    """Print the table, write the result, and return 1 when a bar is missed."""
    show(
        "Mutated files",
        ["kind", "files", "crashes", "hangs", "peak MB", "slowest s"],
        [
            [
                row["kind"], str(row["n"]), str(len(row["crashes"])), str(len(row["hangs"])),
                f"{row['memory_mb']:.0f}", f"{row['slowest_s']:.2f}",
            ]
            for row in rows
        ],
    )  # fmt: skip
    bars = [
        Bar("crashes", value=sum(len(r["crashes"]) for r in rows), limit=0),
        Bar("files over 5 s", value=sum(len(r["hangs"]) for r in rows), limit=0),
        Bar("peak memory", value=max(r["memory_mb"] for r in rows), limit=_MEMORY, unit="MB"),
    ]
    data = {"rows": list(rows), "bars": [bar.record() for bar in bars]}
    print(write_result("fuzz", data))
    return 0 if show_bars(bars) else 1
