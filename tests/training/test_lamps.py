from __future__ import annotations

import numpy as np

from forensics.training.blend import Image
from forensics.training.fakes import Material
from forensics.training.lamps import draw_lamps
from forensics.training.setting import Setting


def _colourfulness(image: Image) -> float:
    return float(np.ptp(image.astype(int), axis=-1).mean())


def test_lamps_change_the_colours_smoothly_and_the_same_way_twice(material: Material) -> None:
    portrait = material.donors[0]
    image = np.full_like(np.asarray(portrait.image), 120)
    moved = []
    for seed in range(8):
        lamps = draw_lamps(portrait.mesh, np.random.default_rng(seed))
        lit = lamps(image)
        assert lit.shape == image.shape and lit.dtype == np.uint8
        assert np.array_equal(lit, lamps(image))
        # On an even wall light has no edges.
        assert np.abs(np.diff(lit.astype(int), axis=0)).max() <= 4
        moved.append(_colourfulness(lit))
    assert max(moved) > 8.0


def test_some_cameras_see_black_and_white(material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)
    seen = [
        _colourfulness(draw_lamps(portrait.mesh, np.random.default_rng(seed))(image))
        for seed in range(60)
    ]
    assert 1 <= sum(value < 1.0 for value in seen) <= 20


def test_lamps_light_the_real_face_and_its_fake_alike(material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)
    mask = np.zeros(image.shape[:2], np.float32)
    real, fake, same = Setting(lit=1.0).dress(
        image, image.copy(), mask, portrait.mesh, np.random.default_rng(0)
    )
    assert np.array_equal(real, fake) and not np.array_equal(real, image)
    assert np.array_equal(same, mask)
