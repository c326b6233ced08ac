from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forensics.evaluation.manifest import read_manifest
from forensics.training import footage, pairs
from forensics.training.capture import film
from forensics.training.fakes import Material
from forensics.training.pairs import PairSource
from forensics.training.portraits import SIDE


def detail(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image.astype(float), axis=1)).mean())


def test_footage_holds_less_detail_and_is_the_same_for_the_same_seed(material: Material) -> None:
    image = np.asarray(material.donors[0].image)
    shares = []
    for seed in range(12):
        filmed = film(image, np.random.default_rng(seed))
        assert filmed.shape == image.shape and filmed.dtype == np.uint8
        assert np.array_equal(filmed, film(image, np.random.default_rng(seed)))
        shares.append(detail(filmed) / detail(image))
        # It is still the same picture in the same place.
        assert np.corrcoef(filmed.ravel(), image.ravel())[0, 1] > 0.95
    assert np.median(shares) < 0.9 and max(shares) < 1.3  # some cameras sharpen


def test_the_asked_share_of_pairs_is_filmed_before_it_is_faked(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "film", lambda image, rng: np.full_like(image, 90))
    source = PairSource(
        material.donors, material, size=64, mild=1.0, filmed=0.5, shares={"self_blended": 1.0}
    )
    drawn = [source.draw((0, n)) for n in range(40)]
    flat = [pair for pair in drawn if pair.real.std((0, 1)).max() < 2.0]
    assert 12 <= len(flat) <= 28
    assert all(pair.fake.std((0, 1)).max() < 30.0 for pair in flat)


def test_frames_of_a_clip_become_portraits_to_train_on(
    carphone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footage, "_LENGTH", 4)
    faces = footage.read_faces([carphone])
    assert len(faces) >= 8
    assert {face.split for face in faces} == {"train"}
    assert {face.identity for face in faces} == {f"grid/{carphone.stem}"}
    assert faces[0].image.shape == (SIDE, SIDE, 3) and faces[0].mesh.shape == (468, 3)
    assert len({face.name for face in faces}) == len(faces)
    assert footage.read_faces([]) == []


def test_recordings_are_coded_again_once(carphone: Path, tmp_path: Path) -> None:
    manifest = footage.film_again([carphone], tmp_path)
    rows = read_manifest(manifest).rows
    assert len(rows) == 4 and {row.label for row in rows} == {"real"}
    sizes = [row.resolved.stat().st_size for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    times = [row.resolved.stat().st_mtime_ns for row in rows]
    footage.film_again([carphone], tmp_path)
    assert [row.resolved.stat().st_mtime_ns for row in rows] == times
    rows[1].resolved.unlink()
    footage.film_again([carphone], tmp_path)
    assert rows[1].resolved.stat().st_size == sizes[1]
    kept = [row.resolved.stat().st_mtime_ns for row in rows]
    assert [kept[0], *kept[2:]] == [times[0], *times[2:]]
