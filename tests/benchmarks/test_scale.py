from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import tables
from benchmarks.scale import cluster, fault, rows, sizing, slope, throughput
from benchmarks.scale.material import HOSTILE, make_clips, make_fault_set
from forensics.engines.base import Record, ScanJob
from forensics.store import Case, Store
from forensics.store.cases import path_id
from tests.store.reports import make_report


def test_small_clips_have_bytes_of_their_own(models: None, tmp_path: Path) -> None:
    clips = make_clips(tmp_path, 24, frames=2)
    assert len({clip.read_bytes() for clip in clips}) == 24


def test_a_tenth_of_the_fault_set_is_hostile(models: None, tmp_path: Path) -> None:
    made = make_fault_set(tmp_path, 100, frames=2)
    hostile = [path for path in made if path.name.startswith("hostile")]
    assert (len(made), len(hostile)) == (100, 10) and len(set(made)) == 100
    loop = [path for path in hostile if path.is_symlink()]
    assert len(loop) == 1 and not loop[0].exists()
    sizes = {path.name: path.stat().st_size for path in hostile if path not in loop}
    assert len(sizes) == len(HOSTILE) and 0 in sizes.values()


def test_rows_are_filled_and_queried(tmp_path: Path) -> None:
    with Store(str(tmp_path / "c.sqlite")) as store:
        rows.fill(store, 130)
        assert store.find().total == 130
        times = rows.measure(store, 2)
        found = {name: store.find(wanted).total for name, (wanted, _) in rows.QUERIES.items()}
    assert all(len(taken) == 2 for taken in times.values())
    assert found["by part of the path"] == 2, "130 rows over 97 folders"
    assert found["by a part that no path has"] == 0 < found["by finding"] < 130


def test_the_rows_benchmark_writes_its_result(tmp_path: Path) -> None:
    rows.main(["--rows", "200", "--repeats", "1", "--out", str(tmp_path)])
    (file,) = tmp_path.glob("scale-rows-*.json")
    assert json.loads(file.read_text())["rows"] == 200


def test_a_ratio_is_that_of_the_turns() -> None:
    found = throughput.ratio([2.0, 3.0, 1.0], [2.0, 2.0, 2.0])
    assert found["value"] == 1.0 and found["n"] == 3
    assert found["interval"][0] >= 0.5 and found["interval"][1] <= 1.5


def test_every_side_has_every_turn_in_an_order_that_turns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []

    def side(files: list[Path]) -> float:
        said.append("two serial")
        return 1.0

    def engine(files: list[Path], name: str, db: Path) -> float:
        said.append(name)
        return 2.0

    monkeypatch.setattr(throughput, "side_by_side", side)
    monkeypatch.setattr(throughput, "with_engine", engine)
    monkeypatch.setattr(throughput, "serial_overhead", lambda files, db: 0.01)
    found = throughput.measure([], ["process"], 2, tmp_path)
    assert said == ["two serial", "process", "process", "two serial"]
    assert found == {"rates": {"two serial": [1.0, 1.0], "process": [2.0, 2.0]},
                     "overheads": [0.01, 0.01]}  # fmt: skip


def test_the_slope_of_a_noisy_line_is_within_its_interval() -> None:
    pick = np.random.default_rng(3)
    files = list(range(5, 2005, 5))
    found = slope.slope(files, [300 + 0.004 * n + pick.normal(0, 2) for n in files])
    low, high = found["interval"]
    assert low < 4.0 < high and high - low < 3
    assert found["readings"] == 360
    flat = slope.slope(files, [300.0] * len(files))
    assert flat["mb_per_1000"] == pytest.approx(0) and flat["mean_mb"] == 300


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs the kernel's tables")
def test_memory_is_that_of_processes_and_their_children() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in slope.children(os.getpid())
        assert 1 < slope.resident([os.getpid()]) < 8000
        assert slope.resident([child.pid]) > 0
        child.communicate(b"\n")
    assert slope.resident([child.pid]) == 0


class Toy:
    """An engine that answers at once."""

    def __init__(self, error: str | None = None) -> None:
        self.error, self.given = error, 0

    def map(self, paths: Iterable[Path], job: ScanJob) -> Iterator[Record]:
        for path in paths:
            self.given += 1
            yield Record(path, {"error": self.error})


def test_rates_count_all_workers_and_days_one_core() -> None:
    toy: Any = Toy()
    found = sizing.rates(toy, Path("a.mp4"), workers=2, each=3, turns=4)
    assert len(found) == 4 and toy.given == 2 + 4 * 6
    row = sizing.row("10 s", "720p", [2.0, 2.0, 4.0], workers=2)
    assert row["clips_a_day_per_core"] == 86_400 and row["core_seconds"] == 1.0
    assert row["interval"] == [86_400, 172_800]
    broken: Any = Toy("a.mp4: no such file")
    with pytest.raises(SystemExit, match="no such file"):
        sizing.rates(broken, Path("a.mp4"), workers=1, each=1, turns=1)


def _store(db: Path, *names: str) -> None:
    with Store(str(db)) as store:
        store.add([Case(path_id(name), path=name) for name in names])
        for name in names[:-1]:
            store.finish(path_id(name), make_report(name))


def test_the_account_sees_what_is_lost_and_what_is_doubled(tmp_path: Path) -> None:
    db = tmp_path / "c.sqlite"
    assert fault.records(db) == 0
    _store(db, "a.mp4", "b.mp4", "c.mp4")
    with Store(str(db)) as store:
        store.finish(path_id("a.mp4"), make_report("a.mp4"))
    counts, reports = fault.account(db)
    assert counts == {"cases": 3, "scans": 3, "scanned_twice": 1, "without_record": 1,
                      "worker_crashed": 0}  # fmt: skip
    assert fault.records(db) == 2 and set(reports) == {"a.mp4", "b.mp4", "c.mp4"}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs the kernel's tables")
def test_only_workers_of_this_run_are_killed() -> None:
    line = [sys.executable, "-c", "print(flush=True); input()", fault._WORKERS["process"]]
    mine = {**os.environ, "FORENSICS_FAULT_RUN": str(os.getpid())}
    with (
        subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=mine) as one,
        subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other,
    ):
        for child in (one, other):
            assert child.stdout is not None
            child.stdout.readline()  # before that, /proc may not show its words and environment
        found = fault.workers("process")
        assert one.pid in found and other.pid not in found
        for child in (one, other):
            child.communicate(b"\n")


def test_a_lost_node_is_gone() -> None:
    node = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                            start_new_session=True)  # fmt: skip
    cluster.Cluster("127.0.0.1:1", [node]).lose(0)
    assert node.returncode == -9
    assert node.stdin is not None
    node.stdin.close()


def test_blocks_of_made_up_results(tmp_path: Path) -> None:
    bar = {"name": "flat", "value": 0.01, "limit": 0.05, "unit": "", "at_most": True, "met": True}
    grown = {"mb_per_1000": 1.5, "interval": [-0.5, 3.5], "mean_mb": 700.0, "readings": 360}
    row = sizing.row("10 s", "720p", [2.0, 2.0], workers=2)
    for name, result in {
        "scale-slope": {"files": 2000, "slopes": {"all": grown}, "bars": [bar]},
        "scale-sizing": {"rows": [row], "workers": 2, "turns": 2, "each": 3},
        "scale-throughput": {"rates": {"process": [4.0]}, "files": 9, "turns": 1, "bars": [bar],
                             "ratios": {"one": throughput.ratio([1.0], [1.0])}},
    }.items():  # fmt: skip
        text = json.dumps({"name": name, "date": "2026-01-01", **result})
        (tmp_path / f"{name}-a.json").write_text(text)
    names = ("scale-slope", "scale-sizing", "scale-throughput")
    page = "\n".join(f"<!-- figures: {name} -->\n<!-- /figures -->" for name in names)
    shown = tables.render(page, tmp_path)
    assert "| all | 700 | 1.50 [-0.50, 3.50] |" in shown
    assert "| 10 s, 720p | 86400 [86400, 86400] | 1.00 | 14 | 1 |" in shown
    assert "| process | 4.00 | 4.00 | 4.00 |" in shown and "one: 1.000 [1.000, 1.000]" in shown
