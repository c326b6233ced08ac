"""A scorer that needs no model, and manifests of small pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from forensics.errors import DecodeTimeoutError, UnreadableInputError
from forensics.evaluation import ScoredInput


class BrightnessScorer:
    """Scores the mean brightness; declines dark pictures; keeps what it was given."""

    def __init__(self, *, version: str = "1", stop_after: int | None = None) -> None:
        self.version = version
        self.stop_after = stop_after
        self.seen: list[tuple[Any, ...]] = []

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"name": "brightness", "version": self.version}

    def score_crop(self, image: NDArray[np.uint8]) -> ScoredInput:
        if self.stop_after is not None and len(self.seen) >= self.stop_after:
            raise KeyboardInterrupt
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        self.seen.append(image.shape)
        score = float(image.mean()) / 255
        dark = score < 0.2
        return ScoredInput(
            score,
            probability=score,
            llr=8 * (score - 0.5),
            abstained=dark,
            reasons=("too_dark",) if dark else (),
        )

    def score_clip(self, *given: Path) -> ScoredInput:
        self.seen.append(given)
        (path,) = given
        if path.name == "slow.mp4":
            raise DecodeTimeoutError(path, "took too long")
        if not path.exists():
            raise UnreadableInputError(path, "no such file")
        if path.name == "noface.mp4":
            return ScoredInput(None, abstained=True, reasons=("no_face",))
        if path.name == "nan.mp4":
            return ScoredInput(float("nan"))
        return ScoredInput(len(path.read_bytes()) / 10)


MakeSet = Callable[..., Path]


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """Return a function that writes pictures of given brightness and their manifest.

    Rows are mappings of manifest columns plus ``level`` 0..255; without a level no file is made.
    """

    def make(*rows: dict[str, Any], name: str = "set.jsonl") -> Path:
        for row in rows:
            level = row.pop("level", None)
            if level is not None:
                path = tmp_path / row["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8, 6), (level, level, level)).save(path)
        manifest = tmp_path / name
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return manifest

    return make


@pytest.fixture
def mixed_set(make_set: MakeSet, tmp_path: Path) -> Path:
    """Forty pictures in twenty groups, one dark, one that is no picture and one that is missing."""
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for i in range(40):
        fake = i % 2 == 1
        level = int(np.clip(rng.normal(150 if fake else 110, 30), 60, 255))
        rows.append(
            {
                "path": f"f/{i}.png",
                "label": "fake" if fake else "real",
                "group": f"g{i // 2}",
                "level": level,
            }
        )
    rows[5]["level"] = 10
    path = make_set(
        *rows,
        {"path": "f/text.png", "label": "fake", "group": "g0"},
        {"path": "f/gone.png", "label": "real", "group": "g1"},
    )
    (tmp_path / "f/text.png").write_text("no picture")
    return path
