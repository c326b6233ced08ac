"""Two dozen made-up people: one public portrait, mirrored, recoloured and turned a little."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.training.animate import portrait_face
from forensics.training.blend import shift_colour
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.portraits import ROOM, SIDE, load_cache, split_of


def _names(split: str, count: int) -> list[str]:
    """Names of people that fall into a split by their hash."""
    found = (f"made/{n}" for n in range(10_000) if split_of(f"made/{n}") == split)
    return [next(found) for _ in range(count)]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """A portrait cache as `build_cache` writes it: 22 people to train on, 2 to validate."""
    folder = tmp_path_factory.mktemp("run") / "cache"
    folder.mkdir()
    image, mesh = portrait_face(astronaut, size=SIDE, margin=ROOM)
    rng = np.random.default_rng(0)
    images, meshes, rows = [], [], []
    for name in _names("train", 22) + _names("validate", 2):
        turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(-8, 8), 1.0)
        moved = mesh.copy()
        moved[:, :2] = mesh[:, :2] @ turn[:, :2].T + turn[:, 2]
        images.append(cv2.warpAffine(shift_colour(image, rng), turn, (SIDE, SIDE)))
        meshes.append(moved)
        rows.append({"name": name, "identity": name, "licence": "public domain"})
    np.save(folder / "images.npy", np.stack(images))
    np.save(folder / "meshes.npy", np.stack(meshes).astype(np.float32))
    text = json.dumps({"portraits": rows, "left_out": []})
    (folder / "portraits.json").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def material(cache: Path) -> Material:
    portraits = load_cache(cache, ["train"])
    return Material(portraits, Eigenfaces(portraits))
