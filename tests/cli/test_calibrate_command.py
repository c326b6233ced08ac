from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

pytest.importorskip("sklearn")

from forensics.cli.app import build_app
from forensics.testing import make_clip
from forensics.training.blend import shift_colour

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def manifest(
    tmp_path_factory: pytest.TempPathFactory, head: NDArray[np.uint8], models: None
) -> Path:
    """Ten people, each with a real clip and one whose inner face was recoloured."""
    folder = tmp_path_factory.mktemp("labelled")
    rows = []
    for person in range(10):
        rng = np.random.default_rng(person)
        real = shift_colour(head, rng, 0.5)
        fake = np.array(real)
        high, wide = (slice(s // 4, s - s // 4) for s in real.shape[:2])
        fake[high, wide] = shift_colour(fake[high, wide], rng, 1.0)
        for label, picture in (("real", real), ("fake", fake)):
            path = folder / f"{person}_{label}.mp4"
            make_clip(path, [picture], count=3, size=(320, 240), seed=person)
            rows.append({"path": path.name, "label": label, "group": f"person {person}"})
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(build_app(), [str(w) for w in words])
    return result.exit_code, result.stdout, result.stderr


def test_a_file_of_ones_own_is_fitted_and_used(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    code, text, _ = run(
        "calibrate", manifest, "--out", out, "--detectors", "frequency", "--frames", "3",
        "--population", "ten made-up people", "--work", tmp_path / "looks",
    )  # fmt: skip
    assert code == 0
    told = json.loads(text)
    assert told["real_clips"] == told["fake_clips"] == 10
    assert told["target_fpr"] == pytest.approx(0.3)
    clip = manifest.with_name("0_real.mp4")
    code, text, _ = run(
        "scan", clip, "--format", "json", "--frames", "3", "--detectors", "frequency",
        "--calibration", out,
    )  # fmt: skip
    assert code in (0, 1, 3)
    report = json.loads(text)
    assert report["environment"]["config"]["calibration_sha256"] == told["calibration_sha256"]
    assert report["environment"]["error_rate"]["population"] == "ten made-up people"
    # A claim that ten people cannot carry is refused.
    code, _, errors = run("scan", clip, "--calibration", out, "--detectors", "frequency",
                          "--target-fpr", "0.01")  # fmt: skip
    assert code == 2 and "not supported by n" in errors


def test_too_few_people_are_refused(manifest: Path, tmp_path: Path) -> None:
    lines = manifest.read_text(encoding="utf-8").splitlines()[:6]
    few = manifest.with_name("few.jsonl")
    few.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, _, errors = run("calibrate", few, "--out", tmp_path / "x.json", "--detectors",
                          "frequency", "--frames", "2")  # fmt: skip
    assert code == 2 and "at least 10 groups" in errors
    assert not (tmp_path / "x.json").exists()


def test_a_manifest_that_is_missing_is_named(tmp_path: Path) -> None:
    code, _, errors = run("calibrate", tmp_path / "no.jsonl", "--out", tmp_path / "x.json")
    assert code == 4 and "no.jsonl" in errors
