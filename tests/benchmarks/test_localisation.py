"""Pixels, persons and seconds by hand, and the whole benchmark at toy size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.localisation.measures import f1, matched, overlap, pixel_ap
from benchmarks.localisation.run import main
from benchmarks.localisation.spliced import beside, spliced
from forensics.media import SamplingPlan, open_clip, stream_frames, write_video


def test_pixels_by_hand() -> None:
    mask = np.zeros((1, 2, 2))
    mask[0, 0, 0] = 1.0
    assert pixel_ap(np.array([[[0.9, 0.1], [0.2, 0.3]]]), mask) == 1.0
    assert pixel_ap(np.array([[[0.1, 0.9], [0.9, 0.9]]]), mask) == 0.25
    assert pixel_ap(mask, np.zeros_like(mask)) is None


def test_spans_match_once_each() -> None:
    assert overlap((0, 2), (1, 3)) == pytest.approx(1 / 3)
    assert overlap((0, 1), (2, 3)) == 0
    assert matched([(0, 1), (0.1, 1.1)], [(0, 1)], 0.5) == 1
    assert matched([(0, 1), (5, 6)], [(0, 1), (5, 6.5)], 0.5) == 2
    assert f1(np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0]]))[0] == pytest.approx(2 / 3)


def test_a_splice_shows_the_swap_only_in_its_part(tmp_path: Path) -> None:
    for name, value in (("real", 40), ("fake", 200)):
        write_video(tmp_path / f"{name}.mp4", [np.full((64, 64, 3), value, np.uint8)] * 50, fps=25)
    begin, end = spliced(tmp_path / "real.mp4", tmp_path / "fake.mp4", tmp_path / "part.mp4", 3)
    assert 0.3 <= begin < end <= 1.7 and 0.6 <= end - begin <= 1.2
    with stream_frames(open_clip(tmp_path / "part.mp4"), SamplingPlan(all=True)) as frames:
        for frame in frames:
            swapped = float(np.asarray(frame.image).mean()) > 120
            assert swapped == (begin - 0.01 <= frame.pts < end - 0.01)


def test_two_clips_side_by_side(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [np.full((240, 320, 3), 40, np.uint8)] * 5, fps=25)
    write_video(tmp_path / "b.mp4", [np.full((480, 480, 3), 200, np.uint8)] * 5, fps=25)
    border = beside(tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "both.mp4")
    clip = open_clip(tmp_path / "both.mp4")
    assert (border, clip.size) == (640, (1120, 480))


def test_the_benchmark_at_toy_size(
    head: np.ndarray, models: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, Any]] = []
    for i in range(2):
        wide = np.pad(head, ((20, 20), (40, 40), (0, 0)), mode="edge")
        mask = np.zeros_like(wide)
        h, w = wide.shape[:2]
        mask[h // 3 : 2 * h // 3, w // 3 : 2 * w // 3] = 255
        changed = np.where(mask > 0, wide // 2, wide).astype(np.uint8)
        real = [np.roll(wide, j, 1) for j in range(6)]
        fake = [np.roll(changed, j, 1) if j < 3 else real[j] for j in range(6)]
        masks = [np.roll(mask, j, 1) if j < 3 else mask * 0 for j in range(6)]
        write_video(tmp_path / f"r{i}.mp4", real, fps=5)
        write_video(tmp_path / f"f{i}.mp4", fake, fps=5)
        write_video(tmp_path / f"m{i}.mkv", masks, fps=5, crf=0)
        rows += [
            {"path": f"r{i}.mp4", "label": "real", "group": f"g{i}"},
            {"path": f"f{i}.mp4", "label": "fake", "group": f"g{i}", "mask": f"m{i}.mkv",
             "segments": [[0.0, 0.6]]},
        ]  # fmt: skip
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code = main(["--own", str(path), "--replicates", "20", "--out", str(tmp_path / "out")])
    assert code in (0, 1)
    (file,) = (tmp_path / "out").glob("localisation-*.json")
    result = json.loads(file.read_text())
    assert result["pixel"]["n"] == 2 and 0 < result["pixel"]["ap"] <= 1
    assert result["person"]["n"] == 2
    assert result["seconds"]["n"] == 2
    assert "person of two" in capsys.readouterr().out


def test_without_masks_nothing_is_measured(tmp_path: Path, models: None) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"path": "a.mp4", "label": "real"}\n')
    assert main(["--own", str(path), "--out", str(tmp_path)]) == 2
