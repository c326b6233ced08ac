"""Near-duplicates: the same picture after harmless changes, and only that."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from forensics.errors import UnreadableInputError
from forensics.evaluation.lint.lookalikes import ClipHash, hash_file, near_pairs
from forensics.media import write_video
from forensics.provenance.phash import NEAR, distance, pdq


def scene(seed: int) -> np.ndarray:
    """A random picture with detail at every scale, unlike that of every other seed."""
    rng = np.random.default_rng(seed)
    image = np.full((240, 320, 3), 128.0)
    for cells in (4, 8, 16, 32):
        grain = rng.normal(0, 160 / cells**0.5, (3 * cells // 4, cells, 3))
        image += cv2.resize(grain, (320, 240), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


def bits(a: np.ndarray, b: np.ndarray) -> int:
    return distance(pdq(a)[0], pdq(b)[0])


def jpeg(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=30)
    return np.asarray(Image.open(buffer))


def test_harmless_changes_stay_near() -> None:
    image = scene(1)
    assert bits(image, image) == 0
    assert bits(image, jpeg(image)) <= NEAR
    assert bits(image, np.asarray(cv2.resize(image, (200, 150)))) <= NEAR
    assert bits(image, (image * 0.8 + 20).astype(np.uint8)) <= NEAR


def test_other_pictures_are_far() -> None:
    assert min(bits(scene(0), scene(i)) for i in range(1, 30)) > 2 * NEAR


def test_a_picture_without_structure_has_no_hash(tmp_path: Path) -> None:
    Image.new("RGB", (90, 90), (120, 120, 120)).save(tmp_path / "flat.png")
    assert len(hash_file(tmp_path / "flat.png")) == 0


def test_pairs_over_many_blocks_come_once_and_in_order() -> None:
    rng = np.random.default_rng(0)
    hashes = []
    for _ in range(1500):
        own = rng.integers(0, 256, (2, 32)).astype(np.uint8)
        hashes.append(ClipHash(own, rng.integers(0, 256, (2, 32)).astype(np.uint8)))
    hashes[7] = ClipHash(hashes[7].bits[:0], hashes[7].bits[:0])
    last = hashes[1499]
    hashes[1499] = ClipHash(np.stack([last.bits[0], hashes[3].bits[1]]), last.mirrored)
    # A mirrored copy of 1200.
    hashes[10] = ClipHash(hashes[1200].mirrored, hashes[1200].bits)
    assert list(near_pairs(hashes)) == [(3, 1499, 0), (10, 1200, 0)]
    assert list(near_pairs([])) == []


def test_a_recoded_clip_is_near_and_another_is_not(tmp_path: Path) -> None:
    frames = [np.roll(scene(5), 3 * i, 1) for i in range(8)]
    write_video(tmp_path / "a.mp4", frames, fps=8, crf=18)
    small = [np.asarray(cv2.resize(f, (160, 120))) for f in frames]
    write_video(tmp_path / "b.mp4", small, fps=8, crf=36)
    write_video(tmp_path / "c.mp4", [scene(6)] * 8, fps=8)
    Image.fromarray(frames[5][:, ::-1]).save(tmp_path / "mirrored.png")
    hashes = [hash_file(tmp_path / name) for name in ("a.mp4", "b.mp4", "c.mp4", "mirrored.png")]
    assert {(i, j) for i, j, _ in near_pairs(hashes)} == {(0, 1), (0, 3), (1, 3)}


def test_what_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"nothing")
    with pytest.raises(UnreadableInputError, match=r"x\.mp4"):
        hash_file(tmp_path / "x.mp4")
