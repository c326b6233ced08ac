from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forensics.batch import Batch, Recorder
from forensics.engines.base import Record, ScanJob, crashed, failed
from forensics.errors import OutputError
from forensics.report.custody.log import CustodyLog, check_log
from forensics.store import Filter, Store
from forensics.store.cases import path_id
from tests.store.reports import make_report


class Scripted:
    """An engine that makes reports up and remembers what it was given."""

    def __init__(self, work: Path) -> None:
        self.scanned: list[str] = []
        self.crashes: set[str] = set()
        self.before: Any = lambda path: None

    def map(self, paths: Iterable[Path], job: ScanJob) -> Iterator[Record]:
        for path in paths:
            self.before(path)
            self.scanned.append(path.name)
            if path.name in self.crashes:
                yield crashed(path, "the worker was ended by SIGSEGV", 2)
            elif not path.exists():
                yield failed(path, "no such file", "unreadable")
            else:
                content = path.read_bytes()
                report = make_report(str(path), sha256=hashlib.sha256(content).hexdigest())
                report["file"]["bytes"] = len(content)
                yield Record(path, report, seconds=0.1)

    def close(self) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "in"
    folder.mkdir()
    made = [folder / f"{n}.mp4" for n in range(6)]
    for number, path in enumerate(made):
        path.write_bytes(bytes([number]) * (100 + number))
    return made


@pytest.fixture
def db(tmp_path: Path) -> str:
    return str(tmp_path / "cases.sqlite")


def run(db: str, engine: Scripted, files: list[Path], said: list[str] | None = None,
        **more: Any) -> Any:  # fmt: skip
    again = more.pop("again", ())
    options = {name: more.pop(name) for name in ("log", "patience", "spill") if name in more}
    recorder = Recorder(db, (said if said is not None else []).append, **options)
    try:
        batch = Batch(more.pop("job", ScanJob()), engine, recorder, **more)
        return batch.run(files, again=again)
    finally:
        recorder.close()


def reports(db: str) -> dict[str, str | None]:
    with Store(db, create=False) as store:
        return {case.path: store.report(case.id) for case in store.each()}


def test_a_stopped_batch_goes_on_and_scans_nothing_twice(
    db: str, engine: Scripted, files: list[Path], tmp_path: Path
) -> None:
    first = run(db, engine, files, stop=lambda: len(engine.scanned) >= 2)
    assert (first.left, sum(first.labels.values())) == (4, 2)
    second = run(db, engine, files)
    assert (second.skipped, second.left) == (2, 0)
    assert sorted(engine.scanned) == [f.name for f in files]
    whole = str(tmp_path / "whole.sqlite")
    run(whole, Scripted(tmp_path), files)
    assert reports(db) == reports(whole)


def test_the_same_bytes_are_scanned_once_and_it_is_said(
    db: str, engine: Scripted, files: list[Path]
) -> None:
    copy = files[0].with_name("z-copy.mp4")
    copy.write_bytes(files[0].read_bytes())
    outcome = run(db, engine, [*files, copy])
    assert outcome.reused == 1 and "z-copy.mp4" not in engine.scanned
    report = json.loads(reports(db)[str(copy)] or "")
    assert report["same_bytes_as"] == {"case": path_id(files[0])}
    assert report["file"]["path"] == str(copy)
    late = files[0].with_name("zz.mp4")
    late.write_bytes(files[0].read_bytes())
    assert run(db, engine, [late]).reused == 1


def test_a_double_of_a_file_that_crashed_gets_its_own_try(
    db: str, engine: Scripted, files: list[Path]
) -> None:
    copy = files[0].with_name("copy.mp4")
    copy.write_bytes(files[0].read_bytes())
    engine.crashes = {files[0].name}
    outcome = run(db, engine, [*files, copy])
    assert (outcome.crashed, outcome.reused) == (1, 0)
    with Store(db) as store:
        case = store.find(Filter(reason="worker_crashed")).cases[0]
    assert case.name == files[0].name and case.sha256 is not None


def test_same_size_other_bytes_is_another_file(
    db: str, engine: Scripted, files: list[Path]
) -> None:
    files[1].write_bytes(b"x" * 100)
    files[2].write_bytes(b"y" * 100)
    assert run(db, engine, files).reused == 0
    assert len(engine.scanned) == 6


def test_changed_and_vanished_files(db: str, engine: Scripted, files: list[Path]) -> None:
    run(db, engine, files)
    files[0].write_bytes(b"new content")
    files[1].unlink()
    outcome = run(db, engine, files)
    assert outcome.skipped == 4 and outcome.unreadable == 1
    assert engine.scanned[6:] == ["0.mp4", "1.mp4"]
    assert run(db, engine, files).skipped == 6


def test_a_file_that_vanishes_on_the_way_has_a_record(
    db: str, engine: Scripted, files: list[Path]
) -> None:
    engine.before = lambda path: files[3].unlink(missing_ok=True)
    outcome = run(db, engine, files)
    assert outcome.unreadable == 1 and outcome.left == 0
    assert len(reports(db)) == 6


def test_one_path_named_twice_and_one_name_in_two_folders(
    db: str, engine: Scripted, files: list[Path]
) -> None:
    other = files[0].parent / "sub" / files[0].name
    other.parent.mkdir()
    other.write_bytes(b"other")
    same = files[0].parent / "." / files[0].name
    assert run(db, engine, [files[0], same, files[0], other]).files == 2


def test_other_options_scan_again_and_rescan_too(
    db: str, engine: Scripted, files: list[Path]
) -> None:
    from forensics.engines import ScanOptions

    run(db, engine, files)
    run(db, engine, files, job=ScanJob(options=ScanOptions(frames=8)))
    assert len(engine.scanned) == 12
    run(db, engine, files, job=ScanJob(options=ScanOptions(frames=8)), again=None)
    assert len(engine.scanned) == 18
    with Store(db) as store:
        assert store.find().total == 6
        assert len(store.scans(store.find().cases[0].id)) == 3


def test_a_damaged_store_is_kept_aside_and_the_run_goes_on(
    db: str, engine: Scripted, files: list[Path], tmp_path: Path
) -> None:
    run(db, engine, files)
    Path(db).write_bytes(b"garbage" * 1000)
    said: list[str] = []
    assert run(db, engine, files, said).left == 0
    assert "damaged" in said[0] and "kept as" in said[0]
    kept = list(tmp_path.glob("cases.sqlite.damaged-*"))
    assert [p.read_bytes() for p in kept] == [b"garbage" * 1000]
    assert len(reports(db)) == 6


def test_a_locked_store_is_waited_for(db: str, engine: Scripted, files: list[Path],
                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("forensics.batch.recorder._BUSY_MS", 20)
    monkeypatch.setattr("forensics.batch.recorder._WAIT", 0.01)
    Store(db).close()
    other = sqlite3.connect(db, isolation_level=None)

    def before(path: Path) -> None:
        if path == files[2]:
            other.execute("BEGIN IMMEDIATE")
        if path == files[5]:
            other.execute("COMMIT")

    engine.before = before
    said: list[str] = []
    outcome = run(db, engine, files, said)
    other.close()
    assert outcome.left == 0 and len(reports(db)) == 6
    assert all(reports(db).values())
    assert sum("locked" in line for line in said) == 1


def test_a_store_that_is_locked_at_the_start_is_waited_for(
    db: str, engine: Scripted, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(db, engine, files[:1])
    other = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("forensics.batch.recorder._BUSY_MS", 20)
    monkeypatch.setattr("forensics.batch.recorder.time.sleep", lambda _: other.execute("ROLLBACK"))
    said: list[str] = []
    assert run(db, engine, files, said).files == 6
    assert len(said) == 1 and "database is locked" in said[0]
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(OutputError, match="database is locked"):
        monkeypatch.setattr("forensics.batch.recorder.time.sleep", lambda _: None)
        run(db, engine, files, patience=0.05)
    other.close()


def test_what_cannot_be_stored_is_in_a_file_that_merges(
    db: str, engine: Scripted, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forensics.batch.merge import Merged, merge_lines

    monkeypatch.setattr("forensics.batch.recorder._WAIT", 0.01)
    real = Store.finish

    def full(self: Store, case: str, *words: Any, **values: Any) -> None:
        raise OutputError(f"{self.name}: the database cannot be used: database or disk is full")

    monkeypatch.setattr(Store, "finish", full)
    with pytest.raises(OutputError, match="disk is full; 6 records are in") as caught:
        run(db, engine, files, patience=0.05, spill=(tmp_path / "none", tmp_path))
    assert "forensics merge" in str(caught.value)
    monkeypatch.setattr(Store, "finish", real)
    merged = Merged()
    with Store(db) as store:
        merge_lines(next(tmp_path.glob("forensics-unstored-*.jsonl")), store, merged)
    assert merged.added == 6
    assert run(db, engine, files).skipped == 6


def test_the_log_holds_digests_and_no_path(
    db: str, engine: Scripted, files: list[Path], tmp_path: Path
) -> None:
    log = tmp_path / "custody.jsonl"
    run(db, engine, files, log=CustodyLog(log))
    text = log.read_text()
    assert text.count("record_sha256") == 6 and ".mp4" not in text
    assert check_log(log).problem == ""
