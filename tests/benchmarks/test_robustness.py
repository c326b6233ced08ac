"""The distortions, and the whole benchmark at toy size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.robustness.distortions import LEVELS, cells
from benchmarks.robustness.ladder import rungs
from benchmarks.robustness.run import main
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


def test_the_benchmark_at_toy_size(
    head: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
    code = main(["--own", str(manifest), "--out", str(tmp_path), "--replicates", "20"])
    assert code in (0, 1)
    (result,) = tmp_path.glob("robustness-*.json")
    content = json.loads(result.read_text())
    assert len(content["cells"]) == 35
    assert {(row["kind"], row["level"]) for row in content["ladder"]} == {
        (codec, level) for codec in ("h264", "h265", "vp9", "av1") for level in range(1, 6)
    }
    assert content["n_real"] == content["n_fake"] == 2
    assert all(0 <= row["auc"] <= 1 for row in content["cells"])
    assert "worst cell's AUC" in capsys.readouterr().out


def test_a_missing_manifest_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--own", str(tmp_path / "gone.jsonl")])
    assert ended.value.code == 2
