import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from generator._cli_train import parse_duration
from generator.checkpoint import read_card
from generator.cli import app
from tests.generator.conftest import make_set

RUN = CliRunner()
People = tuple[Path, Path]


def test_the_command_line_starts_without_torch_and_codecs() -> None:
    code = "import sys, generator.cli; print([m for m in ('torch', 'cv2') if m in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "[]"


def test_lists_name_everything() -> None:
    models = RUN.invoke(app, ["models", "list"])
    assert models.exit_code == 0
    assert "shared-dual" in models.output
    assert "82.06" in models.output
    info = RUN.invoke(app, ["models", "info", "tiny"])
    assert "5.11 M parameters: encoder 3.63 M + 2 x 0.74 M" in info.output
    assert "Conv(5,2,24)" in info.output
    methods = RUN.invoke(app, ["methods", "list"])
    assert all(name in methods.output for name in ("autoencoder", "reconstruct", "self-blend"))


def test_train_goes_on_and_refuses_in_one_line(people: People, tmp_path: Path) -> None:
    out = str(tmp_path / "m")
    first = ["train", *map(str, people), "--model", "toy", "--batch", "2", "--out", out]
    done = RUN.invoke(app, [*first, "--steps", "2"])
    assert done.exit_code == 0, done.output
    assert "step 2, steps done" in done.output
    assert RUN.invoke(app, [*first, "--steps", "3"]).exit_code == 0
    assert read_card(tmp_path / "m")[0].training["step"] == 3

    make_set(tmp_path / "c", "c", consent=False)
    refused = RUN.invoke(app, ["train", str(people[0]), str(tmp_path / "c"), "--out", out + "2"])
    assert refused.exit_code == 2
    assert "generator consent new" in refused.output
    assert "Traceback" not in refused.output


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["models", "info", "huge"], 2, "no model 'huge'"),
        (["train", "x", "y", "--out", "z", "--budget", "soon"], 2, "no duration"),
        (["train", "x", "y", "--out", "z"], 4, "is not a face set"),
        (["swap", "missing.mp4", "--method", "self-blend"], 4, "no such file"),
        (["swap", "missing.mp4", "--model", "nowhere"], 4, "is not a trained model"),
        (["swap", "missing.mp4", "--method", "self-blend", "--visible-label", "maybe"], 2, "on or"),
        (["extract", "missing.mp4", "--out", "z"], 4, "no such file"),
    ],
)
def test_bad_input_is_one_line_and_a_documented_code(
    arguments: list[str], code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = RUN.invoke(app, arguments)
    assert done.exit_code == code, done.output
    assert says in done.output
    assert done.output.strip().count("\n") == 0
    assert not list(tmp_path.iterdir())


def test_consent_is_written_and_not_overwritten(tmp_path: Path) -> None:
    arguments = ["consent", "new", "--subject", "A", "--basis", "self", "--scope", "tests"]
    arguments += ["--out", str(tmp_path / "c.toml")]
    done = RUN.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.output)["sha256"]) == 64
    assert RUN.invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_there_is_no_switch_for_the_marks() -> None:
    text = RUN.invoke(app, ["swap", "--help"]).output
    assert "watermark" not in text
    assert "unmarked" not in text
    assert "--visible-label" in text
