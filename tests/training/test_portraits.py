from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.training.animate import animate_face
from forensics.training.fakes import Material
from forensics.training.portraits import SIDE, build_cache, load_cache, split_of


def test_cache_holds_faces_and_names_what_was_left_out(
    astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = tmp_path / "faces" / "us_officials"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "1-collins.jpg"), astronaut[..., ::-1])
    cv2.imwrite(str(folder / "2-wall.jpg"), np.full((200, 200, 3), 90, np.uint8))
    (folder / "3-broken.jpg").write_bytes(b"no picture")
    assert build_cache(tmp_path / "faces", tmp_path / "cache") == 1
    record = json.loads((tmp_path / "cache" / "portraits.json").read_text(encoding="utf-8"))
    assert record["left_out"] == ["us_officials/2-wall", "us_officials/3-broken"]
    (portrait,) = load_cache(tmp_path / "cache", ["train", "validate", "calibrate", "test"])
    assert portrait.identity == "us_officials/collins"
    assert portrait.image.shape == (SIDE, SIDE, 3)
    assert (portrait.mesh[:, :2] > 0).all() and (portrait.mesh[:, :2] < SIDE).all()


def test_no_portraits_is_an_error(models: None, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no portrait"):
        build_cache(tmp_path, tmp_path / "cache")


def test_split_is_fixed_by_the_name_and_has_its_shares() -> None:
    counts = Counter(split_of(f"person/{n}") for n in range(2000))
    assert split_of("person/1") == split_of("person/1")
    assert set(counts) == {"train", "validate", "calibrate", "test"}
    assert counts["train"] / 2000 == pytest.approx(0.7, abs=0.04)
    assert counts["test"] / 2000 == pytest.approx(0.1, abs=0.03)


def test_splits_share_nobody(cache: Path) -> None:
    train = {p.identity for p in load_cache(cache, ["train"])}
    held = {p.identity for p in load_cache(cache, ["validate"])}
    assert len(train) == 22 and len(held) == 2
    assert not train & held


def test_animation_moves_and_repeats(material: Material) -> None:
    portrait = material.donors[0]
    first, again = (
        list(animate_face(np.asarray(portrait.image), portrait.mesh, seconds=0.3, fps=10, seed=2))
        for _ in range(2)
    )
    assert len(first) == 3
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0][0], first[2][0])
