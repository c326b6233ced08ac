"""Every engine gives the same records, and outlives its workers."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.engines import ScanOptions
from forensics.engines.base import Record, ScanJob
from forensics.engines.names import make_engine
from forensics.engines.process import ProcessEngine
from forensics.errors import UsageError
from forensics.testing import make_clip

JOB = ScanJob(options=ScanOptions(frames=4))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, head: NDArray[np.uint8], clip: Path
          ) -> list[Path]:  # fmt: skip
    folder = tmp_path_factory.mktemp("engines")
    made = [shutil.copy(clip, folder / "a.mp4")]
    made.append(make_clip(folder / "b.mp4", [head], count=6, size=(320, 240), seed=1))
    (folder / "junk.mp4").write_bytes(b"no media")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    return [*map(Path, made), folder / "junk.mp4", folder / "loop.mp4", folder / "gone.mp4"]


@pytest.fixture(scope="module")
def serial(files: list[Path], models: None) -> dict[str, str]:
    return records(make_engine("serial", 1).map(files, JOB))


def records(found: Iterator[Record]) -> dict[str, str]:
    return {str(r.path): json.dumps([r.report, r.looks]) for r in found}


def test_process_engine_gives_the_records_of_the_serial_one(
    files: list[Path], serial: dict[str, str]
) -> None:
    engine = ProcessEngine(2)
    try:
        assert records(engine.map(files, JOB)) == serial
        pids = engine.pids
        assert records(engine.map(files[:2], JOB)).keys() == {str(f) for f in files[:2]}
        assert engine.pids == pids, "workers stay"
    finally:
        engine.close()
    assert len(serial) == 5


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves its own processes to the system
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ray_engine_gives_the_records_of_the_serial_one(
    files: list[Path], serial: dict[str, str]
) -> None:
    # Not by importing it: Ray reads its settings when it is loaded, and the engine makes them.
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the extra ray is not installed")
    engine = make_engine("ray", 2)
    try:
        assert records(engine.map(files, JOB)) == serial
    finally:
        engine.close()


def _strike(engine: ProcessEngine, victim: Path, number: int, times: int) -> threading.Thread:
    """Send a signal to the worker of a file, as often as it is tried."""

    def hunt() -> None:
        done: set[int] = set()
        end = time.monotonic() + 60
        while len(done) < times and time.monotonic() < end:
            for worker in list(engine._workers):
                mine = worker.task is not None and worker.task.path == victim
                if mine and worker.ready and worker.pid not in done:
                    done.add(worker.pid)
                    os.kill(worker.pid, number)
            time.sleep(0.001)

    thread = threading.Thread(target=hunt, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(("times", "reason"), [(1, None), (2, "worker_crashed")])
def test_a_worker_that_dies_is_replaced_and_its_file_tried_once_more(
    files: list[Path], serial: dict[str, str], times: int, reason: str | None
) -> None:
    engine = ProcessEngine(1)
    try:
        list(engine.map(files[3:4], JOB))  # the worker is ready now
        hunter = _strike(engine, files[1], signal.SIGKILL, times)
        found = {r.path: r for r in engine.map(files[:3], JOB)}
        hunter.join(1)
    finally:
        engine.close()
    hit = found[files[1]]
    assert hit.attempts == 2 and len(found) == 3
    if reason is None:
        assert json.dumps([hit.report, hit.looks]) == serial[str(files[1])]
    else:
        assert reason in hit.report["verdict"]["reasons"]
        assert hit.report["verdict"]["label"] == "inconclusive"
        assert "SIGKILL" in hit.report["error"] and hit.report["file"]["sha256"]


def test_a_worker_that_hangs_is_replaced(files: list[Path], serial: dict[str, str]) -> None:
    job = ScanJob(options=JOB.options, patience=3.0)
    engine = ProcessEngine(1)
    try:
        list(engine.map(files[3:4], job))
        _strike(engine, files[1], signal.SIGSTOP, 1)
        found = list(engine.map(files[1:2], job))
    finally:
        engine.close()
    assert [r.attempts for r in found] == [2]
    assert json.dumps([found[0].report, found[0].looks]) == serial[str(files[1])]


def test_a_job_that_cannot_be_done_is_refused_as_such(files: list[Path]) -> None:
    engine = ProcessEngine(1)
    with pytest.raises(UsageError, match="no detector is called 'blennd'"):
        list(engine.map(files, ScanJob(options=ScanOptions(detectors=("blennd",)))))
    engine.close()


def test_a_job_survives_its_journey() -> None:
    job = ScanJob(options=ScanOptions(frames=9, policy=("cn",)), patience=7.0)
    assert ScanJob.from_json(json.loads(json.dumps(job.to_json()))) == job
    assert job.config != JOB.config


@pytest.mark.parametrize(("name", "workers", "message"), [
    ("proces", 1, "did you mean 'process'"), ("process", 0, "at least 1"),
])  # fmt: skip
def test_wrong_engines(name: str, workers: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_engine(name, workers)


def test_what_declares_itself_is_not_looked_at_when_asked(
    files: list[Path], monkeypatch: pytest.MonkeyPatch, models: None
) -> None:
    from forensics.engines import cascade
    from forensics.types import Declaration, Report, Verdict

    def audit(self: Any, path: Path) -> Report:
        return Report(path, clip=None, verdict=Verdict("inconclusive", reasons=("not_examined",)),
                      declaration=Declaration(status="declared_synthetic", integrity="intact"))

    monkeypatch.setattr(cascade.Auditor, "audit", audit)
    scanner = cascade.CascadeScanner(ScanJob(options=JOB.options, stop_when_declared=True))
    report = scanner.scan(files[0])
    assert report.environment["cascade"]["left_out"] == ["pictures"]
    plain = cascade.CascadeScanner(JOB).scan(files[0])
    assert "cascade" not in plain.environment and plain.tracks
