from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from forensics.cli.evaluate import register
from tests.evaluation.conftest import BrightnessScorer


@pytest.fixture
def scorers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...] | None]:
    """Put a scorer without models in the place of the real ones; return what was asked for."""
    asked: list[tuple[str, ...] | None] = []

    def make_scorer(detectors: tuple[str, ...] | None) -> BrightnessScorer:
        asked.append(detectors)
        return BrightnessScorer()

    module = ModuleType("forensics.engines.scoring")
    module.make_scorer = make_scorer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "forensics.engines.scoring", module)
    return asked


def run(*arguments: object) -> Result:
    app = typer.Typer()
    register(app)
    app.callback()(lambda: None)
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_json_is_all_that_is_on_stdout(
    mixed_set: Path, tmp_path: Path, scorers: list[tuple[str, ...] | None]
) -> None:
    out, scores = tmp_path / "result.json", tmp_path / "scores.jsonl"
    done = run(
        mixed_set,
        "--input",
        "crops",
        "--out",
        out,
        "--scores",
        scores,
        "--bootstrap",
        50,
        "--detectors",
        "a, b",
        "--seed",
        4,
        "--format",
        "json",
    )
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result == json.loads(out.read_text())
    assert (result["bootstrap"]["replicates"], result["seeds"]["bootstrap"]) == (50, 4)
    assert len(scores.read_text().splitlines()) == 42
    assert scorers == [("a", "b")]


def test_table_shows_intervals_n_and_refusals(
    mixed_set: Path, scorers: list[tuple[str, ...] | None]
) -> None:
    done = run(mixed_set, "--input", "crops", "--bootstrap", 50)
    assert done.exit_code == 0, done.output
    assert scorers == [None]
    for text in (
        "AUC",
        "Cllr",
        " to ",
        "not supported by n",
        "groups",
        "coverage 0.929",
        "too_dark 1",
        "unreadable 2",
    ):
        assert text in done.stdout
    assert "…" not in done.stdout


@pytest.mark.usefixtures("scorers")
def test_target_sets_the_exit_code(mixed_set: Path) -> None:
    options = (mixed_set, "--input", "crops", "--bootstrap", 0)
    assert run(*options, "--min-auc", 0.5).exit_code == 0
    missed = run(*options, "--min-auc", 1)
    assert missed.exit_code == 1
    assert "target not met: frame AUC 0." in missed.stderr


@pytest.mark.usefixtures("scorers")
def test_refusals_are_one_line_with_their_code(mixed_set: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"path": "a", "label": "unsure"}\n')
    cases: list[tuple[tuple[object, ...], int, str]] = [
        ((bad,), 4, "bad.jsonl: line 1: label must be"),
        ((tmp_path / "none.jsonl",), 4, "no such file"),
        ((mixed_set, "--split", "look"), 2, "no row has split 'look'"),
        ((mixed_set, "--detectors", ","), 2, "names no detector"),
        ((mixed_set, "--out", mixed_set), 2, "this is an input"),
        ((mixed_set, "--out", tmp_path / "no/x.json"), 2, "folder does not exist"),
        ((mixed_set, "--out", tmp_path / "x", "--scores", tmp_path / "x"), 2, "different files"),
    ]
    for arguments, code, message in cases:
        refused = run(*arguments)
        assert refused.exit_code == code, refused.output
        assert message in refused.stderr and len(refused.stderr.splitlines()) == 1
        assert not refused.stdout
    assert run(mixed_set, "--input", "frames").exit_code == 2
    assert not (tmp_path / "x").exists()


def test_interruption_keeps_what_was_scored(
    mixed_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("forensics.engines.scoring")
    monkeypatch.setitem(sys.modules, "forensics.engines.scoring", module)
    scores, out = tmp_path / "scores.jsonl", tmp_path / "result.json"
    options = (mixed_set, "--input", "crops", "--scores", scores, "--out", out, "--bootstrap", 20)
    for stop, code in ((10, 130), (None, 0)):
        scorer = BrightnessScorer(stop_after=stop)
        monkeypatch.setattr(module, "make_scorer", lambda names, s=scorer: s, raising=False)
        done = run(*options)
        assert done.exit_code == code, done.output
        assert out.exists() == scores.exists() == (code == 0)
    assert len(scorer.seen) == 30


def test_importing_the_command_loads_nothing_heavy() -> None:
    code = (
        "import sys, forensics.cli.evaluate, forensics.evaluation;"
        "print([m for m in ('numpy', 'cv2', 'PIL', 'torch', 'rich.table') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
