"""The Ray engine: the same records, also when a node is lost."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from numpy.typing import NDArray

from benchmarks.scale.cluster import two_nodes
from benchmarks.scale.fault import account, command, records
from benchmarks.scale.material import make_fault_set
from forensics.engines import ScanOptions
from forensics.engines.base import Record, ScanJob
from forensics.engines.cluster import RayEngine
from forensics.engines.names import make_engine
from forensics.errors import UsageError
from forensics.testing import make_clip

JOB = ScanJob(options=ScanOptions(frames=4))

pytestmark = [
    pytest.mark.ray,
    # Ray leaves its own processes and sockets to the system.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # Not by importing it: Ray reads its settings when it is loaded, and the engine makes them.
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="the extra ray is not installed"
    ),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, head: NDArray, models: None) -> list[Path]:
    folder = tmp_path_factory.mktemp("ray")
    made = [
        make_clip(folder / f"{number}.mp4", [head], count=6, size=(320, 240), seed=number)
        for number in range(3)
    ]
    (folder / "junk.mp4").write_bytes(b"no media")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    return [*made, folder / "junk.mp4", folder / "loop.mp4", folder / "gone.mp4"]


@pytest.fixture(scope="module")
def serial(files: list[Path]) -> dict[str, str]:
    return {str(r.path): text(r) for r in make_engine("serial", 1).map(files, JOB)}


def text(record: Record) -> str:
    return json.dumps([record.report, record.looks])


def test_ray_engine_gives_the_records_of_the_serial_one(
    files: list[Path], serial: dict[str, str]
) -> None:
    engine = make_engine("ray", 2)
    try:
        assert {str(r.path): text(r) for r in engine.map(files, JOB)} == serial
    finally:
        engine.close()


def test_where_no_cluster_answers_is_said_at_once() -> None:
    with socket.socket() as bound:  # it has a port, and does not listen
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no cluster at {address}: connection refused"):
            make_engine("ray", 1, address)


def test_a_lost_node_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    alive = [2, 2, 1, 1]
    engine = object.__new__(RayEngine)
    engine._ray = SimpleNamespace(nodes=lambda: [{"Alive": n < alive[0]} for n in range(2)])
    engine._nodes, engine._looked = 0, 0.0
    for second in range(10, 50, 10):
        engine._look_at_nodes(second)
        engine._look_at_nodes(second + 1)  # too soon to look again
        alive.pop(0)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "lost a node and has 1 left" in caplog.text


def test_a_lost_node_loses_no_record(tmp_path: Path, models: None) -> None:
    folder, plain, db = tmp_path / "files", tmp_path / "plain.sqlite", tmp_path / "ray.sqlite"
    count = len(make_fault_set(folder, 12))
    subprocess.run(command(folder, plain, "serial"), check=True, capture_output=True)
    with two_nodes() as cluster:
        # A program of its own: Ray reads a cluster's token once in the life of a process.
        running = subprocess.Popen(
            command(folder, db, "ray", "--address", cluster.address), stderr=subprocess.PIPE
        )
        while records(db) < 3 and running.poll() is None:
            time.sleep(0.05)
        cluster.lose(1)
        _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said
    counts, reports = account(db)
    assert (counts["cases"], counts["scanned_twice"], counts["without_record"]) == (count, 0, 0)
    assert reports == account(plain)[1]
