"""The distortions, and the whole benchmark at toy size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks._journal import Journal
from benchmarks.robustness.distortions import LEVELS, cells
from benchmarks.robustness.ladder import rungs
from benchmarks.robustness.run import Item, Table, main
from benchmarks.robustness.said import Said, Speaker, distorted
from forensics.engines import Scanner, ScanOptions
from forensics.media import write_video


def test_thirty_five_cells_that_grow_worse() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(60, 200, (1, 8, 8, 3)).repeat(32, 1).repeat(32, 2).astype(np.uint8)
    crops = np.repeat(base, 3, axis=0)
    found = cells()
    assert len(found) == 7 * LEVELS
    damage: dict[str, list[float]] = {}
    for (kind, _), (_, apply) in found.items():
        changed = apply(crops, 5)
        assert changed.shape == crops.shape and changed.dtype == np.uint8
        assert np.array_equal(changed, apply(crops, 5))
        damage.setdefault(kind, []).append(
            float(np.abs(changed.astype(float) - crops.astype(float)).mean())
        )
    for kind, values in damage.items():
        assert 0 < values[0] < values[-1], kind


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_the_ladder_grows_worse_and_keeps_every_picture(codec: str) -> None:
    rng = np.random.default_rng(1)
    coarse = rng.integers(60, 200, (1, 16, 16, 3)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    crops = np.concatenate([np.roll(coarse, 5 * i, 1) for i in range(3)])
    steps = [apply(crops, 0) for (name, _), (_, apply) in rungs().items() if name == codec]
    damage = [float(np.abs(step.astype(float) - crops.astype(float)).mean()) for step in steps]
    assert all(step.shape == crops.shape for step in steps)
    assert 0 < damage[0] < damage[-1]


@pytest.fixture
def clip_of_head(head: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "head.mp4"
    wide = np.pad(head, ((20, 20), (40, 40), (0, 0)), mode="edge")
    write_video(path, [np.roll(wide, i, 1) for i in range(6)], fps=5)
    return path


def test_what_is_said_of_untouched_crops_is_what_a_scan_says(clip_of_head: Path) -> None:
    speaker = Speaker(4)
    faces = speaker.look(clip_of_head)
    said = speaker.say(distorted(faces, lambda crops: crops))
    verdict = Scanner(ScanOptions(frames=4)).scan(clip_of_head).verdict
    assert (said.verdict, said.judged) == (verdict.label, True)
    assert said.score == pytest.approx(verdict.llr)


def test_what_the_gate_of_a_scan_refuses_is_not_judged_and_keeps_a_score(
    clip_of_head: Path,
) -> None:
    speaker = Speaker(4)
    faces = speaker.look(clip_of_head)
    dark = distorted(faces, lambda crops: crops // 16)
    assert all(q.codes == ("too_dark", "too_blurred") for _, part in dark for q in part.quality)
    said = speaker.say(dark)
    assert (said.verdict, said.judged) == ("inconclusive", False) and np.isfinite(said.score)
    assert speaker.say([]) == Said(0.0, "inconclusive", False)


class Scripted:
    """Says what the picture's brightness tells."""

    def say(self, faces: list[int]) -> Said:
        return Said(float(faces[0]), "suspect" if faces[0] > 5 else "inconclusive", faces[0] > 0)


def test_a_flip_is_an_unmanipulated_clip_that_was_not_suspect_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.robustness.run.distorted", lambda faces, apply: apply(faces))
    values = ((3, False), (7, False), (9, True), (4, True))
    items = [Item([value], fake, f"g{n}") for n, (value, fake) in enumerate(values)]  # type: ignore[list-item]
    table = Table(items, Scripted(), 50)  # type: ignore[arg-type]
    brighter = {("brighter", 1): (3.0, lambda crops, seed: [crops[0] + 3])}
    darker = {("darker", 1): (9.0, lambda crops, seed: [crops[0] - 9])}
    (row,), scores = table.rows(brighter)  # type: ignore[arg-type]
    # Both real ones are suspect now; one of them was before. The fake that joined is no flip.
    assert row["real_to_suspect"] == 1
    assert row["verdicts"]["real"] == {
        "suspect": 2, "inconclusive": 0, "no_evidence": 0, "not_judged": 0,
    }  # fmt: skip
    assert row["drop"] == 0.0 and table.mean_drop(scores)["value"] == 0.0
    (row,), _ = table.rows(darker)  # type: ignore[arg-type]
    assert row["real_to_suspect"] == 0
    assert row["verdicts"]["fake"]["inconclusive"] == row["verdicts"]["fake"]["not_judged"] == 2


def test_an_interrupted_run_goes_on_with_what_was_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("benchmarks.robustness.run.distorted", lambda faces, apply: apply(faces))
    items = [Item([value], value > 5, f"g{value}") for value in (3, 4, 8, 9)]  # type: ignore[list-item]
    brighter = {("brighter", 1): (3.0, lambda crops, seed: [crops[0] + 3])}
    facts = ["robustness", "these weights"]
    first = Table(items, Scripted(), 50, Journal(tmp_path, facts))  # type: ignore[arg-type]
    (path,) = tmp_path.iterdir()
    with path.open("a") as file:
        file.write('["brighter 1", [[3.0, "susp')  # killed in the middle of a line
    second = Table(items, None, 50, Journal(tmp_path, facts))  # type: ignore[arg-type]
    assert second.clean == first.clean  # nobody was asked
    with pytest.raises(AttributeError):
        second.rows(brighter)  # type: ignore[arg-type]
    third = Table(items, Scripted(), 50, Journal(tmp_path, facts))  # type: ignore[arg-type]
    rows = third.rows(brighter)[0]  # type: ignore[arg-type]
    assert Table(items, None, 50, Journal(tmp_path, facts)).rows(brighter)[0] == rows  # type: ignore[arg-type]
    assert Journal(tmp_path, ["robustness", "other weights"]).rows == []


def test_the_benchmark_at_toy_size(
    head: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, found in (("cells", cells()), ("rungs", rungs())):
        ends = {cell: how for cell, how in found.items() if cell[1] in (1, LEVELS)}
        monkeypatch.setattr(f"benchmarks.robustness.run.{name}", lambda ends=ends: ends)
    rows = []
    for number in range(4):
        wide = np.pad(head, ((20, 20), (40, 40), (0, 0)), mode="edge")
        if number % 2:
            wide = wide.copy()
            wide[90:150, 90:170] //= 2
        path = tmp_path / f"{number}.mp4"
        write_video(path, [np.roll(wide, i, 1) for i in range(6)], fps=5)
        label = "fake" if number % 2 else "real"
        rows.append({"path": path.name, "label": label, "group": f"g{number // 2}"})
    manifest = tmp_path / "own.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    code = main([
        "--own", str(manifest), "--out", str(tmp_path), "--replicates", "20", "--frames", "3",
    ])  # fmt: skip
    assert code in (0, 1)
    (result,) = tmp_path.glob("robustness-*.json")
    content = json.loads(result.read_text())
    assert len(content["cells"]) == 7 * 2 and content["frames"] == 3
    assert {(row["kind"], row["level"]) for row in content["ladder"]} == {
        (codec, level) for codec in ("h264", "h265", "vp9", "av1") for level in (1, 5)
    }
    assert content["n_real"] == content["n_fake"] == 2
    assert all(0 <= row["auc"] <= 1 for row in content["cells"])
    for row in [content["clean"], *content["cells"], *content["ladder"]]:
        for count in row["verdicts"].values():
            assert count["suspect"] + count["inconclusive"] + count["no_evidence"] == 2
            assert count["not_judged"] <= count["inconclusive"]
    assert content["mean_drop"]["value"] == pytest.approx(
        np.mean([row["drop"] for row in content["cells"]])
    )
    assert "worst cell's AUC" in capsys.readouterr().out


def test_a_missing_manifest_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--own", str(tmp_path / "gone.jsonl")])
    assert ended.value.code == 2
