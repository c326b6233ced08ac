"""``examples/swap_two_people.sh`` from two clips to the scan of the result, at toy size."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from forensics.media import write_video
from forensics.models import model_path
from generator.checkpoint import read_card

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "swap_two_people.sh"


def clip_of(head: np.ndarray, path: Path) -> Path:
    """Write a short clip in which the head wanders a little."""
    side = np.pad(head, ((10, 10), (30, 30), (0, 0)), mode="edge")
    frames = [np.roll(side, (i % 5, i % 7), (0, 1)) for i in range(17)]
    write_video(path, frames, fps=25)
    return path


@pytest.fixture(scope="session")
def cache(models: None) -> Path:
    """Folder of the pulled models, before a test gets a home of its own."""
    return model_path("blazeface_full").parent


@pytest.mark.skipif(shutil.which("bash") is None, reason="the example is a bash script")
def test_the_example_runs_from_two_clips_to_the_scan(
    cache: Path, head: np.ndarray, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(cache, target_is_directory=True)
    a = clip_of(head, tmp_path / "a.mp4")
    b = clip_of((head[:, ::-1] * 0.8).astype(np.uint8), tmp_path / "b.mp4")
    out = tmp_path / "out"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FORENSICS_HOME": str(home),
        "GENERATOR": f"{sys.executable} -m generator.cli",
        "FORENSICS": f"{sys.executable} -m forensics.cli.app",
        "MODEL": "toy",
        "TRAIN_OPTIONS": "--steps 3 --batch 2",
        "BASIS": "public-domain",
    }
    done = subprocess.run(
        ["bash", str(SCRIPT), str(a), str(b), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    card = read_card(out / "model")[0]
    assert card.training["step"] == 3
    sidecar = json.loads((out / "swap.sidecar.json").read_text())
    assert sidecar["model_sha256"] == card.sha256["weights"]
    assert all(p["consent_sha256"] in sidecar["consent_sha256"] for p in card.people)
    assert sum(row["label"] == "swap" for row in sidecar["frames"]) >= 14
    assert "declared_synthetic" in (out / "scan.json").read_text()


def test_the_example_says_how_it_is_called() -> None:
    done = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "CLIP_A CLIP_B" in done.stderr
