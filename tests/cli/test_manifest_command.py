"""``forensics manifest``: from a set's folder to a manifest, to DeepfakeBench's JSON, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forensics.cli.app import build_app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build_app(), ["manifest", *map(str, arguments)])


@pytest.fixture
def ffiw(tmp_path: Path) -> Path:
    for name in ("source/val/a.mp4", "target/val/a.mp4", "target_mask/val/a.mp4"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True)
        path.touch()
    return tmp_path / "set"


def test_there_and_back(ffiw: Path, tmp_path: Path) -> None:
    first, bench, second = (tmp_path / name for name in ("a.jsonl", "set.json", "b.jsonl"))
    assert run("ffiw", ffiw, "--out", first).exit_code == 0
    rows = [json.loads(line) for line in first.read_text().splitlines()]
    assert [(row["path"], row["label"]) for row in rows] == [
        ("set/source/val/a.mp4", "real"), ("set/target/val/a.mp4", "fake"),
    ]  # fmt: skip
    done = run("jsonl", first, "--to", "deepfakebench", "--out", bench)
    assert done.exit_code == 0, done.output
    assert list(json.loads(bench.read_text())["set"]) == ["set_Real", "set_FFIW"]
    assert run("deepfakebench", bench, "--out", second).exit_code == 0
    again = [json.loads(line) for line in second.read_text().splitlines()]
    for key in ("path", "label", "split", "mask"):
        assert [row.get(key) for row in again] == [row.get(key) for row in rows]


def test_what_cannot_be_is_one_line_and_a_code(ffiw: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.jsonl"
    done = run("celeb-df", ffiw, "--out", out)
    assert done.exit_code == 4 and "no clips under Celeb-real" in done.stderr
    assert run("nonsense", ffiw, "--out", out).exit_code == 2
    assert run("ffiw", ffiw, "--out", tmp_path / "no" / "m.jsonl").exit_code == 2
    assert not out.exists()
    assert run("ffiw", ffiw, "--out", out).exit_code == 0
    before = out.read_bytes()
    assert run("jsonl", out, "--out", out).exit_code == 2
    assert out.read_bytes() == before
