"""A report file is whole or absent, and formats are found by name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import OutputError, UsageError
from forensics.report import write
from forensics.report.write import WRITERS, Writer, add_writer, write_text_atomic, writers


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_writes_utf8_and_replaces(tmp_path: Path) -> None:
    target = tmp_path / "报告.html"
    write_text_atomic(target, "old")
    write_text_atomic(target, "新\udcff\n")
    assert target.read_bytes() == "新\\udcff\n".encode()
    assert names(tmp_path) == [target.name]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x", encoding="utf-8")
    write_text_atomic(tmp_path / "out", "x")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("existing", [None, "before"])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: str | None
) -> None:
    target = tmp_path / "report.json"
    if existing is not None:
        target.write_text(existing, encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"report\.json: .*No space left"):
        write_text_atomic(target, "after")
    assert names(tmp_path) == ([] if existing is None else ["report.json"])
    if existing is not None:
        assert target.read_text(encoding="utf-8") == existing


@pytest.mark.parametrize(
    "place",
    [
        lambda folder: folder / "missing" / "r.json",
        lambda folder: folder,
        lambda folder: folder / ("n" * 300),
        lambda folder: folder / "nul\0name",
    ],
)
def test_places_that_cannot_be_written(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    with pytest.raises(OutputError, match="cannot write the report") as caught:
        write_text_atomic(place(tmp_path), "x")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_text_atomic(tmp_path / "r.json", "x")
    assert names(tmp_path) == []


def test_every_format_renders_every_situation(factories: Any) -> None:
    reports = [factories[name]() for name in sorted(factories)]
    for name, writer in WRITERS.items():
        text = writer.render(reports)
        assert writer.name == name
        assert writer.extension.startswith(".")
        assert text.endswith("\n")
        assert all(str(report.path) in text for report in reports)


def test_no_format_renders_nothing_badly() -> None:
    assert WRITERS["json"].render([]) == "[]\n"
    assert WRITERS["jsonl"].render([]) == ""
    assert "No file" in WRITERS["html"].render([])
    assert "No file" in WRITERS["table"].render([])


def test_a_name_is_never_taken_twice() -> None:
    registry = dict(WRITERS)
    add_writer(Writer("csv", ".csv", lambda reports: ""), registry)
    with pytest.raises(UsageError, match="'csv' is registered twice"):
        add_writer(Writer("csv", ".csv", lambda reports: ""), registry)
    assert "csv" not in WRITERS


class _Point:
    value = "somewhere:thing"

    def __init__(self, name: str, loaded: object) -> None:
        self.name = name
        self.loaded = loaded

    def load(self) -> object:
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


def test_plug_ins_are_found_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[_Point] = []
    monkeypatch.setattr(write, "entry_points", lambda group: points)
    points[:] = [_Point("csv", Writer("csv", ".csv", lambda reports: "a,b\n"))]
    assert set(writers()) == {*WRITERS, "csv"}
    for bad in (Writer("json", ".j", lambda reports: ""), object(), ImportError("no such")):
        points[:] = [_Point("bad", bad)]
        with pytest.raises(UsageError):
            writers()
