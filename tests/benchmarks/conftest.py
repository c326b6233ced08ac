"""A shared folder at toy size: crops and clips in the places that the benchmarks look in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.media import write_video


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _melted(face: np.ndarray) -> np.ndarray:
    out = face.copy()
    h, w = face.shape[:2]
    out[h // 3 : 2 * h // 3, w // 3 : 2 * w // 3] //= 2
    return out


@pytest.fixture
def toy_shared(head: np.ndarray, tmp_path: Path) -> Path:
    """Sixteen crops in two splits, and four clips of which two are of the compared set."""
    data = tmp_path / "shared" / "data"
    rows: list[dict[str, Any]] = []
    (data / "fakes" / "dfdc-dev").mkdir(parents=True)
    for i in range(16):
        face = (head * (1 - 0.03 * (i // 2))).astype(np.uint8)
        path = f"dfdc-dev/{i}.png"
        Image.fromarray(_melted(face) if i % 2 else face).save(data / "fakes" / path)
        rows.append({
            "path": path, "label": "fake" if i % 2 else "real", "group": f"g{i // 2}",
            "source": "DFDC", "split": "look" if i < 12 else "once", "width": 80 + 20 * (i // 2),
        })  # fmt: skip
    _write(data / "fakes" / "dfdc-dev.jsonl", rows)
    clips: list[dict[str, Any]] = []
    (data / "clips").mkdir()
    for i in range(4):
        wide = np.pad(head, ((20, 20), (40, 40), (0, 0)), mode="edge")
        face = _melted(wide) if i % 2 else wide
        write_video(data / "clips" / f"{i}.mp4", [np.roll(face, j, 1) for j in range(6)], fps=5)
        clips.append({
            "path": f"{i}.mp4", "label": "fake" if i % 2 else "real", "group": f"c{i // 2}",
            "source": "FaceForensics++ c40" if i < 2 else "talking",
            **({"method": "melted"} if i % 2 else {}),
        })  # fmt: skip
    _write(data / "clips" / "clips.jsonl", clips)
    return tmp_path / "shared"
