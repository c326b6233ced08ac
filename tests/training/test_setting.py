from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forensics.training.degrade import draw_chain
from forensics.training.fakes import MAKERS, Material
from forensics.training.pairs import PairSource
from forensics.training.setting import Setting


def test_nothing_drawn_leaves_the_pairs_of_earlier_measurements(material: Material) -> None:
    plain = PairSource(material.donors, material, size=96)
    empty = PairSource(material.donors, material, size=96, setting=Setting())
    for seed in ((0, 1), (3, 8)):
        before, after = plain.draw(seed), empty.draw(seed)
        assert np.array_equal(before.real, after.real)
        assert np.array_equal(before.fake, after.fake)
        assert np.array_equal(before.mask, after.mask)


def test_a_thing_covers_both_or_was_painted_over(material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)
    fake, mask = MAKERS["swapped"](image, portrait.mesh, material, np.random.default_rng(0))
    kept = lost = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        covered, other, free = Setting(covered=1.0).dress(image, fake, mask, portrait.mesh, rng)
        thing = np.abs(covered.astype(int) - image).max(-1) > 24
        assert thing.any()
        assert np.array_equal(covered[free == 0], other[free == 0])
        inside = thing & (mask > 0.4)
        if inside.sum() < 50:
            continue
        if np.array_equal(free, mask):
            lost += 1
            assert (covered[inside] != other[inside]).any()
        else:
            kept += 1
            assert free[inside].mean() < mask[inside].mean()
    assert kept and lost


def test_an_app_treats_real_and_fake_alike(material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)
    mask = np.zeros(image.shape[:2], np.float32)
    changed = 0
    for seed in range(16):
        rng = np.random.default_rng(seed)
        real, fake, _ = Setting(treated=1.0).dress(
            image, image.copy(), mask, portrait.mesh, rng
        )
        assert np.array_equal(real, fake)
        changed += not np.array_equal(real, image)
    assert changed > 12


def test_disturbed_chains_are_noisier_or_coded_once_more(material: Material) -> None:
    portrait = material.donors[0]
    rng = np.random.default_rng(0)
    kinds = set()
    for _ in range(12):
        chain = draw_chain(portrait.mesh, rng, size=96, mild=True)
        after = Setting(disturbed=1.0).disturb(chain, rng)
        if after.noise:
            kinds.add("noise")
            assert after == replace(chain, noise=after.noise)
        else:
            kinds.add(after.codecs[-1][0])
        assert after.apply(np.asarray(portrait.image)).shape == (96, 96, 3)
    assert kinds == {"noise", "mpeg4"}


def test_defocus_blurs_by_the_size_of_the_face_and_leaves_the_rest_as_drawn(
    material: Material,
) -> None:
    mesh = material.donors[0].mesh
    for seed in range(20):
        chain = draw_chain(mesh, np.random.default_rng(seed), size=64)
        after = Setting(defocused=1.0).disturb(chain, np.random.default_rng(seed))
        assert 0.003 <= after.blur / chain.width <= 0.013
        assert replace(after, blur=chain.blur) == chain


@pytest.mark.parametrize("share", ["covered", "treated", "disturbed"])
def test_pairs_with_a_setting_are_functions_of_their_seed(
    share: str, material: Material
) -> None:
    setting = Setting(**{share: 1.0})  # type: ignore[arg-type]
    source = PairSource(material.donors, material, size=96, setting=setting)
    first = source.draw((1, 2))
    source.draw((1, 3))
    again = source.draw((1, 2))
    assert np.array_equal(first.real, again.real) and np.array_equal(first.fake, again.fake)


def test_blocks_cover_both_and_are_no_part_of_the_mask(material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)
    fake, mask = MAKERS["swapped"](image, portrait.mesh, material, np.random.default_rng(0))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        real, other, free = Setting(disturbed=1.0).dress(image, fake, mask, portrait.mesh, rng)
        lost = (real != image).any(-1)
        assert 0 < lost.mean() < 0.6
        assert np.array_equal(real[lost], other[lost])
        assert not free[lost].any()
        assert np.array_equal(free[~lost & (free > 0)], mask[~lost & (free > 0)])
