"""The fault run: workers killed every ten seconds, the driver three times, hostile files.

``python -m benchmarks.scale.fault``. The records must be those of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.scale.cluster import two_nodes
from benchmarks.scale.material import make_fault_set
from forensics.errors import OutputError
from forensics.store import Store
from forensics.store.tables import CASES, SCANS

_WORKERS = {"process": "forensics.engines.worker", "ray": "ray::Host"}


def command(folder: Path, db: Path, engine: str, *more: str) -> list[str]:
    """Return the command that a person would type."""
    return [
        sys.executable, "-m", "forensics.cli.app", "batch", str(folder), "--db", str(db),
        "--engine", engine, "--workers", "2", "--frames", "4", *more,
    ]  # fmt: skip


def workers(engine: str) -> list[int]:
    """Return the process ids of the workers of an engine that this process's children run."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            inside = f"FORENSICS_FAULT_RUN={os.getpid()}".encode()
            if _WORKERS[engine] in line and inside in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


class Killer:
    """Kills one worker every so many seconds."""

    def __init__(self, engine: str, every: float) -> None:
        self._engine, self._every = engine, every
        self._end = threading.Event()
        self.killed = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        pick = random.Random(0)
        while not self._end.wait(self._every):
            pids = workers(self._engine)
            if pids:
                with contextlib.suppress(OSError):
                    os.kill(pick.choice(pids), signal.SIGKILL)
                    self.killed += 1


def records(db: Path) -> int:
    """Return how many files have a record."""
    if not db.exists():
        return 0
    with contextlib.suppress(OutputError), Store(str(db), create=False) as store:
        return store.find(limit=1).states.get("done", 0)
    return 0


def disturbed(
    folder: Path, db: Path, engine: str, count: int, more: Sequence[str]
) -> dict[str, Any]:
    """Run to the end in spite of a killer, killing the driver at each quarter of the way."""
    environment = {**os.environ, "FORENSICS_FAULT_RUN": str(os.getpid())}
    deaths, start = 0, time.monotonic()
    with Killer(engine, 10.0) as killer:
        while True:
            driver = subprocess.Popen(
                command(folder, db, engine, *more), env=environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            while driver.poll() is None:
                time.sleep(0.2)
                if deaths < 3 and records(db) >= count * (deaths + 1) // 4:
                    driver.kill()
                    deaths += 1
            if driver.wait() >= 0:
                break
        return {"exit": driver.returncode, "workers_killed": killer.killed,
                "driver_killed": deaths, "seconds": time.monotonic() - start}  # fmt: skip


def account(db: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Return counts of what must be one each, and the reports by path."""
    with Store(str(db), create=False) as store, store.reading() as link:
        twice = sa.select(SCANS.c.case).group_by(SCANS.c.case).having(sa.func.count() > 1)
        counts = {
            "cases": link.execute(sa.select(sa.func.count()).select_from(CASES)).scalar_one(),
            "scans": link.execute(sa.select(sa.func.count()).select_from(SCANS)).scalar_one(),
            "scanned_twice": len(link.execute(twice).all()),
            "without_record": sum(
                n for state, n in store.find(limit=1).states.items() if state != "done"
            ),
            "worker_crashed": len(
                [c for c in store.each() if "worker_crashed" in c.reasons and not c.llr]
            ),
        }
        reports = {case.path: store.report(case.id) or "" for case in store.each()}
    return counts, reports


def fault_run(folder: Path, work: Path, engine: str, reference: dict[str, str], more: Sequence[str]
              ) -> dict[str, Any]:  # fmt: skip
    """Do one fault run and compare it with the undisturbed one."""
    db = work / f"{engine}.sqlite"
    said = disturbed(folder, db, engine, len(reference), more)
    counts, reports = account(db)
    differing = [path for path, text in reports.items() if text != reference.get(path)]
    crashed = [
        p for p in differing if "worker_crashed" in json.loads(reports[p])["verdict"]["reasons"]
    ]
    return {
        "engine": engine, "files": len(reference), **said, **counts,
        "missing": len(set(reference) - set(reports)),
        "differing": len(differing), "differing_but_crashed": len(crashed),
    }  # fmt: skip


@contextlib.contextmanager
def place(engine: str) -> Iterator[list[str]]:
    """Yield further options: for Ray those of a cluster of two nodes."""
    if engine != "ray":
        yield []
        return
    with two_nodes(FORENSICS_FAULT_RUN=str(os.getpid())) as cluster:
        yield ["--address", cluster.address]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run for each engine; return 1 when a record is lost, doubled or different."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.fault", description=__doc__)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--engines", default="process,ray")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    runs = []
    with tempfile.TemporaryDirectory(prefix="forensics-fault-") as name:
        work = Path(name)
        make_fault_set(work / "files", options.files)
        subprocess.run(command(work / "files", work / "plain.sqlite", "process"), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        _, reference = account(work / "plain.sqlite")
        for engine in options.engines.split(","):
            with place(engine) as more:
                runs.append(fault_run(work / "files", work, engine, reference, more))
            print(json.dumps(runs[-1]), flush=True)
    keys = list(runs[0])
    show("Fault run", ("", *(run["engine"] for run in runs)),
         [(key, *(str(run[key]) for run in runs)) for key in keys if key != "engine"])  # fmt: skip
    bars = [
        Bar(f"{run['engine']}: records lost, doubled, or other than undisturbed",
            value=run["missing"] + run["without_record"] + run["scanned_twice"]
            + run["differing"] - run["differing_but_crashed"], limit=0, unit="records")
        for run in runs
    ]  # fmt: skip
    met = show_bars(bars)
    result = {"runs": runs, "bars": [bar.record() for bar in bars]}
    print(write_result("scale-fault", result, options.out))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
