"""Every engine gives the same records, and outlives its workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.engines import ScanOptions
from forensics.engines.base import Record, ScanJob, crashed
from forensics.engines.names import make_engine
from forensics.engines.process import ProcessEngine, Task, Worker
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
    os.mkfifo(folder / "pipe.mp4")
    names = ("junk.mp4", "loop.mp4", "gone.mp4", "pipe.mp4")
    return [*map(Path, made), *(folder / name for name in names)]


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
    assert len(serial) == 6
    assert "is not a regular file" in serial[str(files[-1])]


class Doomed(Worker):
    """Dies over one file as soon as it could have begun it, as often as told."""

    victim: Path
    times: int
    struck: set[int]

    def give(self, task: Task) -> None:
        super().give(task)
        self._die()

    def read(self) -> list[dict[str, Any]]:
        found = super().read()
        self.ready |= any("ready" in message for message in found)
        self._die()
        return found

    def _die(self) -> None:
        due = self.pid not in self.struck and len(self.struck) < self.times
        if due and self.ready and self.task is not None and self.task.path == self.victim:
            self.struck.add(self.pid)
            os.kill(self.pid, signal.SIGKILL)


@pytest.mark.parametrize(("times", "reason"), [(1, None), (2, "worker_crashed")])
def test_a_worker_that_dies_is_replaced_and_its_file_tried_once_more(
    files: list[Path], serial: dict[str, str], times: int, reason: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    given = {"victim": files[1], "times": times, "struck": set()}
    monkeypatch.setattr("forensics.engines.process.Worker", type("Now", (Doomed,), given))
    engine = ProcessEngine(1)
    try:
        found = {r.path: r for r in engine.map(files[:3], JOB)}
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
    engine = ProcessEngine(1)
    try:
        list(engine.map(files[3:4], JOB))  # the worker is ready now
        (worker,) = engine._workers
        os.kill(worker.pid, signal.SIGSTOP)
        worker._patience = 0.5  # of this one alone: a slow machine must not condemn the next
        found = list(engine.map(files[1:2], JOB))
        assert engine.pids != [worker.pid]
    finally:
        engine.close()
    assert [r.attempts for r in found] == [2]
    assert json.dumps([found[0].report, found[0].looks]) == serial[str(files[1])]


def test_workers_get_their_next_file_before_the_caller_gets_a_record(
    files: list[Path], models: None
) -> None:
    engine = ProcessEngine(1)
    try:
        for number, _ in enumerate(engine.map(files[2:5], JOB)):
            busy = [worker.task is not None for worker in engine._workers]
            assert busy == [number < 2], "the last record leaves nobody at work"
    finally:
        engine.close()


def test_a_job_that_cannot_be_done_is_refused_as_such(files: list[Path]) -> None:
    engine = ProcessEngine(1)
    with pytest.raises(UsageError, match="no detector is called 'blennd'"):
        list(engine.map(files, ScanJob(options=ScanOptions(detectors=("blennd",)))))
    engine.close()


def test_the_record_of_a_crash_over_a_pipe_waits_for_nobody(files: list[Path]) -> None:
    record = crashed(files[-1], "the worker hung", 2)
    assert record.report["file"]["sha256"] is None
    assert crashed(files[2], "the worker hung", 2).report["file"]["bytes"] == 8


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
