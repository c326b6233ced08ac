"""How fast a store of many rows answers: ``python -m benchmarks.scale.rows``."""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from forensics.engines import ScanOptions
from forensics.store import Case, Filter, Store
from forensics.store.rows import case_row
from forensics.store.tables import CASES, FINDINGS, SCANS

QUERIES: dict[str, tuple[Filter, str]] = {
    "first page": (Filter(), "number"),
    "most suspicious": (Filter(), "-probability"),
    "by verdict": (Filter(verdict="suspect"), "-score"),
    "by finding": (Filter(rule="cn-2", outcome="noncompliant"), "number"),
    "by part of the path": (Filter(text="folder-7/"), "path"),
    "by part of the path, latest first": (Filter(text="folder-7/"), "-finished"),
    "by a part that no path has": (Filter(text="no such"), "-finished"),
    "by score and reason": (Filter(min_score=0.9, reason="face_too_small"), "-score"),
}


def fill(store: Store, count: int) -> None:
    """Enter so many finished cases as wide as real ones, each with a report and a finding."""
    pick = np.random.default_rng(0)
    report, options = "x" * 8_000, ScanOptions().resolved()
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    for start in range(0, count, 5_000):
        scores = pick.random(min(5_000, count - start))
        cases, scans, findings = [], [], []
        for place, score in enumerate(scores.tolist()):
            number = start + place
            name, path = f"{number:032x}", f"/data/folder-{number % 97}/{number}.mp4"
            when = begin + dt.timedelta(seconds=int(pick.integers(20_000_000)))
            label = "suspect" if score > 0.95 else "inconclusive" if score > 0.7 else "no_evidence"
            case = Case(
                name, path=path, place=path.encode().hex(), options=options, config=name * 2,
                created=when, state="done", verdict=label, probability=score, score=score,
                sha256=name[::-1] * 2, record_sha256=name[::-1] * 2,
                weights="blend:0123456789ab temporal:0123456789ab",
                reasons=("face_too_small",) if number % 11 == 0 else (),
            )  # fmt: skip
            cases.append(case_row(case) | {"finished": when})
            scans.append({"case": name, "config": "", "job": "", "weights": "", "attempts": 1,
                          "finished": when, "lasting": True, "verdict": label,
                          "report": report})  # fmt: skip
            findings.append({"scan": number + 1, "position": 0, "case": name,
                             "rule": f"cn-{number % 5}", "jurisdiction": "cn", "severity": "error",
                             "outcome": "noncompliant" if number % 3 else "compliant"})  # fmt: skip
        with store.writing() as link:
            for table, rows in ((CASES, cases), (SCANS, scans), (FINDINGS, findings)):
                link.execute(sa.insert(table), rows)


def measure(store: Store, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each query, with its total and counts."""
    times: dict[str, list[float]] = {name: [] for name in QUERIES}
    for _ in range(repeats):
        for name, (wanted, sort) in QUERIES.items():
            start = time.perf_counter()
            store.find(wanted, sort=sort, limit=50)
            times[name].append(time.perf_counter() - start)
    return times


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill a store and query it; return 1 when the slowest median is over the bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.rows", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="forensics-rows-") as name:
        file = Path(name) / "cases.sqlite"
        with Store(str(file)) as store:
            fill(store, options.rows)
            times = measure(store, options.repeats)
        size = file.stat().st_size
    show(f"{options.rows} rows, SQLite, {size / 1e6:.0f} MB", ("query", "median ms", "most ms"),
         [(n, f"{1e3 * statistics.median(t):.1f}", f"{1e3 * max(t):.1f}")
          for n, t in times.items()])  # fmt: skip
    slowest = max(statistics.median(t) for t in times.values())
    bars = [Bar("slowest of list and filter, median", value=1e3 * slowest, limit=200.0, unit="ms")]
    met = show_bars(bars)
    result: dict[str, Any] = {"rows": options.rows, "bytes": size, "n": options.repeats,
                              "seconds": times, "bars": [bar.record() for bar in bars]}  # fmt: skip
    print(write_result("scale-rows", result, options.out))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
