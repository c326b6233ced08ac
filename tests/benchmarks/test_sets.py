"""The set benchmark at toy size: made twice, killed, and with faults planted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.sets import run as module
from benchmarks.sets.material import LADDER, people_of, specification
from benchmarks.sets.plant import KINDS, Plants, plant_and_lint
from forensics.errors import UnreadableInputError
from forensics.media import write_video


def picture(seed: int) -> np.ndarray:
    import cv2

    rng = np.random.default_rng(seed)
    image = np.full((96, 128, 3), 128.0)
    for cells in (4, 8, 16):
        grain = rng.normal(0, 160 / cells**0.5, (3 * cells // 4, cells, 3))
        image += cv2.resize(grain, (128, 96), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A set as ``make-set`` leaves it, twelve pairs in two splits; its fakes declare themselves."""
    from forensics.provenance.aigc import AigcLabel

    label = AigcLabel("1", producer="x", produce_id="y").to_json()
    rows: list[dict[str, Any]] = []
    for folder in ("real", "fake"):
        (tmp_path / folder).mkdir()
    for i in range(12):
        frames = [np.roll(picture(i), j, 1) for j in range(3)]
        for kind in ("real", "fake"):
            path = f"{kind}/{i:05}.mp4"
            changed = [f.copy() for f in frames]
            if kind == "fake":
                for frame in changed:
                    frame[30:60, 40:80] //= 2
            meta = {"AIGC": label} if kind == "fake" else {}
            write_video(tmp_path / path, changed, fps=3, crf=20 + 8 * (i % 2), metadata=meta)
            rows.append({
                "path": path, "label": kind, "group": f"g{i}", "identity": [f"p{i}"],
                "split": "train" if i % 2 else "test", "pair": i,
            })  # fmt: skip
            if kind == "fake":
                write_video(tmp_path / "fake" / f"{i:05}.mkv", [frames[0]] * 2, fps=3)
                rows[-1] |= {"method": "dark", "mask": f"fake/{i:05}.mkv"}
    path = tmp_path / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_planted_fault_is_caught(finished: Path, kind: Any) -> None:
    found = plant_and_lint(Plants(finished, 2), kind)
    assert found["planted"] == (1 if "shortcut" in found["kind"] else 2)
    assert found["caught"] == found["planted"], found
    assert found["outcome"] == "refused"
    assert finished.exists() and not list(finished.parent.glob("planted-*.jsonl"))


def test_missing_material_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match=r"bbaf2n\.mpg: no such file"):
        people_of(tmp_path, tmp_path)
    with pytest.raises(SystemExit) as ended:
        module.main(["--shared", str(tmp_path), "--work", str(tmp_path / "w")])
    assert ended.value.code == 2


def test_the_whole_benchmark_at_toy_size(
    people: tuple[Any, ...], own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "people_of", lambda clips, work: people[:3])
    monkeypatch.setattr(module, "KINDS", KINDS[:2])
    code = module.main([
        "--shared", str(tmp_path), "--work", str(tmp_path / "w"), "--budget", "none",
        "--clips", "4", "--seconds", "0.3", "--workers", "1", "--out", str(tmp_path / "out"),
    ])  # fmt: skip
    (path,) = (tmp_path / "out").glob("sets-*.json")
    result = json.loads(path.read_text())
    assert code in (0, 1)
    assert result["clips"] == 4 and result["same_manifest"] and result["same_frame_hashes"] == 4
    assert str(tmp_path) not in path.read_text()


def test_the_ladder_has_every_codec(tmp_path: Path) -> None:
    assert {rung.codec for rung in LADDER} == {"h264", "h265", "vp9", "av1"}
    from generator.sets.spec import PersonSpec

    person = PersonSpec(name="a", clips=(tmp_path,), consent=tmp_path, licence="CC0")
    spec = specification((person,), tmp_path, clips=4, seconds=1.0, seed=9)
    assert {method.name for method in spec.methods} == {"landmark", "self-blend"}
