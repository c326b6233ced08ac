"""``forensics scan``: inputs, options, outputs and exit codes, with a stand-in scanner."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import forensics.engines
from forensics.errors import ModelMissingError


def touch(folder: Path, *names: str) -> list[Path]:
    """Make files with a JPEG's first bytes."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff" + bytes(20))
    return paths


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["clean.jpg"], 0),
        (["suspect.jpg"], 1),
        (["declared.jpg"], 1),
        (["doubt.jpg"], 3),
        (["broken.jpg"], 4),
        (["bug.jpg"], 10),
        (["clean.jpg", "doubt.jpg"], 3),
        (["doubt.jpg", "broken.jpg", "clean.jpg"], 4),
        (["broken.jpg", "suspect.jpg", "doubt.jpg"], 1),
        (["suspect.jpg", "bug.jpg", "broken.jpg"], 10),
    ],
)
def test_exit_code(run: Any, scans: Any, tmp_path: Path, names: list[str], code: int) -> None:
    result = run("scan", "--format", "json", *touch(tmp_path, *names))
    assert result.code == code
    found = result.json if len(names) > 1 else [result.json]
    assert [Path(item["file"]["path"]).name for item in found] == names


def test_json_is_all_there_is_on_stdout(run: Any, scans: Any, tmp_path: Path) -> None:
    touch(tmp_path, "clean.jpg", "broken.jpg")
    (tmp_path / "notes.txt").write_text("hello")
    result = run("scan", "--format", "json", tmp_path)
    assert len(result.json) == 2
    assert "skipped 1 files" in result.err
    assert "no moov" in result.err


def test_jsonl_has_a_line_per_input(run: Any, scans: Any, tmp_path: Path) -> None:
    paths = touch(tmp_path, "clean.jpg", "suspect.jpg")
    result = run("scan", "--format", "jsonl", *paths)
    labels = [json.loads(line)["verdict"]["label"] for line in result.out.splitlines()]
    assert labels == ["no_evidence", "suspect"]


def test_folder_is_walked_in_order_and_by_content(run: Any, scans: Any, tmp_path: Path) -> None:
    touch(tmp_path, "b/clean.bin", "a/clean.jpg")
    (tmp_path / "a" / "broken.mp4").write_text("a text file with a media name")
    (tmp_path / "a" / "code.ts").write_text("export const answer = 42;")
    (tmp_path / "empty").mkdir()
    result = run("scan", "--format", "jsonl", tmp_path)
    names = [Path(json.loads(line)["file"]["path"]).name for line in result.out.splitlines()]
    assert names == ["broken.mp4", "clean.jpg", "clean.bin"]
    assert "skipped 1 files" in result.err


def test_folder_without_media_is_a_record(run: Any, scans: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    result = run("scan", "--format", "json", tmp_path)
    assert result.code == 4
    assert result.json["verdict"]["reasons"] == ["unreadable", "no_media"]
    assert "no media file in this folder" in result.err
    assert scans == []


def test_missing_file_reaches_the_scanner(run: Any, scans: Any, tmp_path: Path) -> None:
    result = run("scan", "--format", "json", tmp_path / "gone.mp4")
    assert result.code == 4
    assert result.json["verdict"]["reasons"] == ["unreadable"]


def test_fifo_in_a_folder_is_not_opened(run: Any, scans: Any, tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no fifos here")
    os.mkfifo(tmp_path / "pipe.mp4")
    result = run("scan", tmp_path)
    assert result.code == 4
    assert scans == []


def test_same_path_twice_is_scanned_once(run: Any, scans: Any, tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "clean.jpg")
    run("scan", path, path, tmp_path)
    assert [call[0] for call in scans] == [path]


def test_options_reach_the_scanner(run: Any, scans: Any, tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "clean.jpg")
    run(
        "scan", path, "--every", "0.5", "--detectors", "blend, other", "--target-fpr", "0.02",
        "--prior", "0.1", "--policy", "cn,eu", "--declared", "yes", "--level", "full",
        "--max-bytes", "1000", "--max-duration", "9.5",
    )  # fmt: skip
    options = scans[0][1]
    assert options.every == 0.5
    assert options.detectors == ("blend", "other")
    assert options.target_fpr == 0.02
    assert options.prior == 0.1
    assert options.policy == ("cn", "eu")
    assert (options.declared, options.level) == ("yes", "full")
    assert (options.limits.max_bytes, options.limits.max_duration) == (1000, 9.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--frames", "3", "--all"], "give only one of --frames, --all"),
        (["--frames", "0"], "frames"),
        (["--every", "-1"], "every"),
        (["--prior", "1.5"], "prior"),
        (["--max-bytes", "0"], "--max-bytes must be"),
        (["--detectors", " , "], "--detectors names nothing"),
        (["--format", "xml"], "--format must be one of"),
        (["--format", "html"], "needs --out"),
        (["--out", "no/such/folder/x.json"], "there is no folder"),
        (["--device", "tpu"], "device must be one of"),
    ],
)
def test_usage_errors_are_one_line(
    run: Any, scans: Any, tmp_path: Path, arguments: list[str], message: str
) -> None:
    paths = touch(tmp_path, "clean.jpg", "suspect.jpg")
    result = run("scan", *paths, *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""
    assert scans == []


def test_html_of_several_goes_to_a_folder(run: Any, scans: Any, tmp_path: Path) -> None:
    paths = touch(tmp_path, "a/clean.jpg", "b/clean.jpg")
    out = tmp_path / "pages"
    assert run("scan", "--format", "html", "--out", out, *paths).code == 0
    assert sorted(path.name for path in out.iterdir()) == ["clean.jpg-2.html", "clean.jpg.html"]
    assert "<html" in (out / "clean.jpg.html").read_text(encoding="utf-8")


def test_suffix_of_out_chooses_the_format(run: Any, scans: Any, tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "suspect.jpg")
    out = tmp_path / "report.json"
    result = run("scan", path, "--out", out)
    assert result.code == 1
    assert result.out == ""
    assert json.loads(out.read_text(encoding="utf-8"))["verdict"]["label"] == "suspect"


def test_interruption_leaves_no_output_file(run: Any, scans: Any, tmp_path: Path) -> None:
    paths = touch(tmp_path, "clean.jpg", "stop.jpg")
    out = tmp_path / "reports"
    out.mkdir()
    result = run("scan", *paths, "--out", out / "all.json")
    assert result.code == 130
    assert result.err == "interrupted\n"
    assert list(out.iterdir()) == []


def test_bug_is_one_line_and_the_rest_goes_on(run: Any, scans: Any, tmp_path: Path) -> None:
    paths = touch(tmp_path, "bug.jpg", "clean.jpg")
    result = run("scan", "--format", "json", *paths)
    assert [item["verdict"]["label"] for item in result.json] == ["inconclusive", "no_evidence"]
    assert "RuntimeError: unexpected thing" in result.err
    assert "Traceback" not in result.err
    assert result.err.count("\n") == 1


def test_debug_shows_the_traceback(run: Any, scans: Any, tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "bug.jpg")
    assert "Traceback" in run("--debug", "scan", path).err


def test_missing_model_says_what_to_run(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(path: Path, **rest: Any) -> Any:
        raise ModelMissingError("model 'face_mesh' is not in the cache; run: forensics models pull")

    monkeypatch.setattr(forensics.engines, "scan", scan)
    (path,) = touch(tmp_path, "clean.jpg")
    result = run("scan", path, "--format", "json")
    assert result.code == 2
    assert result.err.endswith("run: forensics models pull\n")
    assert result.out == ""


def test_hostile_name_is_printed_harmlessly(run: Any, scans: Any, tmp_path: Path) -> None:
    paths = touch(tmp_path, "x\x1b[31m\u202e.jpg", "y\udcff.jpg")
    result = run("scan", "--format", "json", *paths)
    assert result.code == 4
    assert "\x1b" not in result.err + result.out
    assert len(result.json) == 2
