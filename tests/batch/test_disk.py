"""A disk that is full or cannot be written: one clear line, and every record is somewhere."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.batch import Recorder
from forensics.batch.merge import Merged, merge_lines
from forensics.errors import OutputError
from forensics.store import Store
from tests.batch.test_run import Scripted, db, engine, files, run

__all__ = ["db", "engine", "files"]  # fixtures


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    _mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_records_that_a_full_disk_does_not_take_are_in_a_file_that_merges(
    disk: Path, tmp_path: Path, engine: Scripted, files: list[Path]
) -> None:
    store = str(disk / "cases.sqlite")

    def fill(path: Path) -> None:
        if path == files[2]:
            _fill(disk)

    engine.before = fill
    said: list[str] = []
    with pytest.raises(OutputError, match="4 records are in .*forensics-unstored") as caught:
        run(store, engine, files, said, patience=0.1, spill=(tmp_path,))
    assert "disk is full" in str(caught.value)
    assert len([line for line in said if "disk is full" in line]) == 1, "it is said once"
    (disk / "filler").unlink()
    (spilt,) = tmp_path.glob("forensics-unstored-*.jsonl")
    with Store(store) as target:
        merge_lines(spilt, target, Merged())
        assert {case.state for case in target.each()} == {"done"}
        assert target.find().total == 6
    engine.before = lambda path: None
    outcome = run(store, engine, files)
    assert outcome.skipped == 6 and len(engine.scanned) == 6, "none was scanned twice"


def test_a_disk_that_is_full_from_the_start_is_one_line(
    disk: Path, engine: Scripted, files: list[Path]
) -> None:
    _fill(disk)
    with pytest.raises(OutputError, match="disk is full") as caught:
        Recorder(str(disk / "cases.sqlite"), print)
    assert "\n" not in str(caught.value)


def test_a_disk_that_cannot_be_written_is_one_line(
    disk: Path, engine: Scripted, files: list[Path]
) -> None:
    store = str(disk / "cases.sqlite")
    run(store, engine, files[:2])
    _mount("-o", "remount,ro", str(disk))
    for place in (store, str(disk / "new.sqlite")):
        with pytest.raises(OutputError, match="readonly|unable to open") as caught:
            Recorder(place, print)
        assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="unable to open"):
            Recorder(str(tmp_path / "cases.sqlite"), print)
    finally:
        tmp_path.chmod(0o700)
