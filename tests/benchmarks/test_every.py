"""The documented command at toy size: from shared data to docs and leaderboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import every, steps
from benchmarks.peers import train as peers
from benchmarks.robustness import run as robustness
from benchmarks.sets import run as sets
from benchmarks.sets.plant import KINDS
from benchmarks.steps import Amounts, Plan
from forensics.training.portraits import split_of

BLOCKS = (
    "accuracy", "clip-verdicts", "accuracy-bars", "paired", "cross-auc", "at-threshold",
    "subgroups", "robustness", "localisation", "sets",
)  # fmt: skip


def portraits(folder: Path, head: np.ndarray) -> None:
    """Write eight training portraits and a test portrait of the one face, each a little other."""
    folder.mkdir(parents=True)
    wanted = {"train": 8, "test": 1}
    for number in range(500):
        split = split_of(f"us_officials/p{number}")
        if wanted.get(split, 0):
            wanted[split] -= 1
            face = np.pad(head, ((30, 30), (30, 30), (0, 0)), mode="edge") * (1 - number / 900)
            cv2.imwrite(str(folder / f"x-p{number}.jpg"), face[..., ::-1].astype(np.uint8))


@pytest.mark.train
def test_one_command_writes_docs_and_leaderboard(
    toy_shared: Path, head: np.ndarray, people: tuple[Any, ...], own_home: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    portraits(toy_shared / "data" / "faces" / "us_officials", head)
    monkeypatch.setattr(sets, "people_of", lambda clips, work: people[:3])
    monkeypatch.setattr(sets, "KINDS", KINDS[:2])
    blur = {cell: how for cell, how in robustness.cells().items() if cell[0] == "Gaussian blur"}
    monkeypatch.setattr(robustness, "cells", lambda: blur)
    monkeypatch.setattr(robustness, "rungs", dict)
    # The frequency baseline and one step of nothing else: networks have a test of their own.
    monkeypatch.setattr(peers, "NAMES", ("frequency",))

    root, results = tmp_path / "root", tmp_path / "results"
    (root / "docs").mkdir(parents=True)
    text = "".join(f"<!-- figures: {name} -->\n<!-- /figures -->\n" for name in BLOCKS)
    (root / "docs" / "benchmarks.md").write_text(text)
    (root / "README.md").write_text("<!-- figures: accuracy -->\nold\n<!-- /figures -->\n")
    code = every.main([
        "all", "--shared", str(toy_shared), "--work", str(tmp_path / "work"),
        "--results", str(results), "--root", str(root), "--minutes", "0", "--budget", "none",
        "--clips", "4", "--seconds", "0.3", "--replicates", "20",
        "--only", "portraits,peers,sets,accuracy,robustness,localisation,docs,leaderboard",
    ])  # fmt: skip
    said = capsys.readouterr()
    assert code in (0, 1), said.out[-2000:] + said.err[-2000:]
    names = {json.loads(path.read_text())["name"] for path in results.glob("*.json")}
    assert names == {"sets", "accuracy", "robustness", "localisation"}
    docs = (root / "docs" / "benchmarks.md").read_text()
    assert "Not measured yet" not in docs
    assert "old" not in (root / "README.md").read_text()
    for path in results.glob("*.json"):
        assert path.name in docs or path.name in (root / "README.md").read_text()
        assert str(tmp_path) not in path.read_text()
    page = (root / "docs" / "leaderboard.html").read_text()
    assert "ROC, DFDC crops, look" in page and "AUC under distortion" in page
    # What is in the work folder is not made again.
    assert every.main([
        "all", "--shared", str(toy_shared), "--work", str(tmp_path / "work"),
        "--only", "portraits,peers", "--minutes", "0",
    ]) == 0  # fmt: skip


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two parts that write a result each, the second missing a bar; who ran is counted."""
    ran: list[str] = []

    def part(name: str, code: int) -> Callable[[Plan], int]:
        def run(plan: Plan) -> int:
            ran.append(name)
            plan.results.mkdir(parents=True, exist_ok=True)
            (plan.results / f"{name}-x.json").write_text("{}")
            return code

        return run

    monkeypatch.setattr(every, "STEPS", {"one": part("one", 0), "two": part("two", 1)})
    return ran


def test_a_finished_part_is_measured_once_for_the_same_weights(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["all", "--shared", str(tmp_path), "--work", str(tmp_path / "w"), "--results",
             str(tmp_path / "r"), "--root", str(tmp_path), "--only", "one,two"]  # fmt: skip
    assert every.main(words) == every.MISSED
    assert every.main(words) == every.MISSED  # the missed bar is not forgotten
    assert counted == ["one", "two"]
    (tmp_path / "r" / "one-x.json").unlink()
    every.main(words)
    assert counted == ["one", "two", "one"]
    every.main([*words, "--again"])
    every.main([*words, "--clips", "7"])
    assert counted[3:] == ["one", "two"] * 2
    monkeypatch.setattr(every, "weights_digest", lambda: "other weights")
    every.main([*words, "--clips", "7"])
    assert counted[7:] == ["one", "two"]


def test_a_published_result_of_the_same_weights_stands_for_its_part(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(every, "WRITTEN_BY", {"one": ("one",), "two": ("two",)})
    monkeypatch.setattr(every, "WITHOUT_WEIGHTS", ("two",))
    monkeypatch.setattr(every, "weights_digest", lambda: "now")
    folder = tmp_path / "r"
    folder.mkdir()

    def published(name: str, weights: str, met: bool) -> None:
        (folder / f"{name}-y.json").write_text(json.dumps({
            "name": name, "date": "2026-01-01", "bars": [{"met": met}],
            "environment": {"weights_sha256": weights},
        }))  # fmt: skip

    words = ["all", "--shared", str(tmp_path), "--work", str(tmp_path / "w"), "--results",
             str(folder), "--root", str(tmp_path), "--only", "one,two"]  # fmt: skip
    published("one", "now", True)
    published("two", "before", False)
    assert every.main(words) == every.MISSED and counted == []
    published("one", "before", True)
    every.main(words)
    assert counted == ["one"]
    every.main([*words, "--clips", "7"])  # less than all: nothing published stands for it
    assert counted == ["one", "one", "two"]


def test_what_nobody_asks_for_is_not_made(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``zero`` prepares for ``one``; ``two`` is the set that ``one`` looks at."""
    monkeypatch.setattr(every, "PREPARE", ("zero",))
    monkeypatch.setattr(every, "NEEDED_BY", {"zero": ("one",), "two": ("one",)})
    monkeypatch.setitem(every.STEPS, "zero", lambda plan: counted.append("zero") or 0)
    words = ["all", "--shared", str(tmp_path), "--work", str(tmp_path / "w"), "--results",
             str(tmp_path / "r"), "--root", str(tmp_path), "--only", "zero,two,one"]  # fmt: skip
    every.main(words)
    assert counted == ["zero", "two", "one"]
    every.main(words)
    assert counted[3:] == []  # what one would use is not there, and one is finished
    (tmp_path / "r" / "one-x.json").unlink()
    every.main(words)
    assert counted[3:] == ["zero", "two", "one"]
    own = tmp_path / "w" / "kept" / "first" / "manifest.jsonl"
    own.parent.mkdir(parents=True)
    own.touch()
    (tmp_path / "r" / "one-x.json").unlink()
    every.main(words)
    assert counted[6:] == ["zero", "one"]
    every.main([*words[:-1], "zero"])
    assert counted[8:] == ["zero"]  # asked for by itself


def test_a_rehearsal_writes_into_the_work_folder_alone(
    tmp_path: Path, counted: list[str]
) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "kept.json").write_text("{}")
    (tmp_path / "README.md").write_text("figures")
    every.main(["all", "--shared", str(tmp_path), "--work", str(tmp_path / "w"), "--results",
                str(tmp_path / "r"), "--root", str(tmp_path), "--quick",
                "--only", "one"])  # fmt: skip
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["kept.json"]
    found = {str(p.relative_to(tmp_path / "w" / "quick"))
             for p in (tmp_path / "w" / "quick").rglob("*") if p.is_file()}  # fmt: skip
    assert found == {"README.md", "results/kept.json", "results/one-x.json", "finished.json"}


def test_a_part_that_crashes_apart_has_failed(tmp_path: Path) -> None:
    plan = Plan(tmp_path, tmp_path, tmp_path, tmp_path, tmp_path, Amounts())
    assert steps.apart(plan, "speed", ["--repeats", "1"]) == steps.FAILED
    assert steps.apart(plan, "gone", []) == steps.FAILED


def test_a_failing_step_leaves_the_others_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = every.main([
        "all", "--shared", str(tmp_path), "--work", str(tmp_path / "work"), "--results",
        str(tmp_path / "results"), "--root", str(tmp_path), "--only", "sets,robustness",
    ])  # fmt: skip
    assert code == every.FAILED
    out = capsys.readouterr().out
    assert "sets: failed" in out and "robustness: failed" in out


def test_an_unknown_step_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        every.main(["all", "--shared", "x", "--work", str(tmp_path / "w"), "--only", "horoscope"])


def test_people_held_out_are_filmed_as_the_shipped_calibration_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forensics.training import clips, footage

    recorded: list[Path] = []
    monkeypatch.setattr(footage, "film_again", lambda paths, out: recorded.append(out))
    filmed: list[tuple[str, tuple[str, ...], Any]] = []

    def make(cache: Path, out: Path, **how: Any) -> None:
        assert cache == tmp_path / "cache" and how["splits"] == (out.name,)
        assert how["occluders"].is_relative_to(tmp_path / "shared")
        name = out.name if not how["take"] else f"{out.name} again"
        filmed.append((name, tuple(how["scenes"]), (how["seed"], how["people"], how["crf"])))

    monkeypatch.setattr(clips, "make_clips", make)
    plan = Plan(tmp_path / "shared", tmp_path / "cache", tmp_path / "w", tmp_path, tmp_path,
                Amounts())  # fmt: skip
    assert steps.STEPS["clips"](plan) == 0
    assert {name for name, _, _ in filmed} == {"calibrate", "validate", "test", "test again"}
    for name in ("calibrate", "validate", "test", "test again"):
        scenes = [scene for split, part, _ in filmed if split == name for scene in part]
        # The test's scenes stay those that earlier figures are about.
        left_out = {"disturbed"} if name.startswith("test") else set()
        assert sorted(scenes) == sorted({*clips.SCENES} - left_out)
    seeds = {name: how[0] for name, _, how in filmed}
    assert seeds["test"] != seeds["calibrate"]
    filmed.clear()
    steps.STEPS["clips"](
        Plan(tmp_path / "shared", tmp_path / "cache", tmp_path / "w", tmp_path, tmp_path,
             steps.QUICK)
    )  # fmt: skip
    assert {how[1] for _, _, how in filmed} == {steps.QUICK.people}
    assert set(recorded) == {plan.clips / "filmed"}


def test_held_out_and_ablation_look_at_what_was_filmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(steps, "here", lambda name, **how: asked.update({name: how}) or 0)
    plan = Plan(tmp_path, tmp_path, tmp_path / "w", tmp_path / "r", tmp_path, Amounts())
    assert steps.STEPS["held_out"](plan) == steps.STEPS["ablation"](plan) == 0
    held = asked["accuracy.held_out"]
    assert held["test"] == tmp_path / "w" / "clips" / "test" / "manifest.jsonl"
    assert held["fit"] == tmp_path / "w" / "clips" / "calibrate" / "manifest.jsonl"
    assert asked["ablation.run"]["clips"] == tmp_path / "w" / "clips"
    assert held["work"] == asked["ablation.run"]["work"] and held["work"].is_dir()
