from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from forensics.training.degrade import draw_chain
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import MAKERS, SHARES, Material
from forensics.training.pairs import Pair, PairSource


@pytest.mark.parametrize("family", MAKERS)
def test_fake_differs_inside_its_mask_only(family: str, material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)
    changed = untouched = 0
    for seed in range(4):
        fake, mask = MAKERS[family](image, portrait.mesh, material, np.random.default_rng(seed))
        assert fake.shape == image.shape and fake.dtype == np.uint8
        assert mask.shape == image.shape[:2]
        assert mask.min() >= 0 and mask.max() < 1 + 1e-6
        difference = np.abs(fake.astype(int) - image.astype(int)).max(-1)
        untouched += int(difference[mask == 0].max() == 0)
        changed += int(difference.max() > 8)
    assert changed >= 3
    # Self-blending may change the picture and paste the face as it was, as its paper does.
    assert untouched >= (1 if family == "self_blended" else 4)


def test_shares_name_every_family() -> None:
    assert set(SHARES) == set(MAKERS)
    assert sum(SHARES.values()) == pytest.approx(1.0)


def equal(first: Pair, second: Pair) -> bool:
    return all(
        np.array_equal(getattr(first, f.name), getattr(second, f.name)) for f in fields(Pair)
    )


def test_draw_is_a_function_of_its_seed(material: Material) -> None:
    source = PairSource(material.donors, material, size=96)
    pair = source.draw((0, 5))
    source.draw((0, 6))  # what was drawn in between does not matter
    again = PairSource(material.donors, material, size=96).draw((0, 5))
    assert equal(pair, again)
    assert not equal(pair, source.draw((1, 5)))
    assert pair.real.shape == pair.fake.shape == (96, 96, 3)
    assert pair.mask.shape == (96, 96)
    assert pair.real.dtype == pair.fake.dtype == np.uint8


def test_shares_choose_the_family(material: Material) -> None:
    source = PairSource(material.donors, material, size=64, shares={"softened": 2.0})
    assert {source.draw((0, n)).family for n in range(3)} == {"softened"}


def test_a_chain_treats_the_same_picture_the_same(material: Material) -> None:
    portrait = material.donors[1]
    image = np.asarray(portrait.image)
    codecs = set()
    for seed in range(8):
        chain = draw_chain(portrait.mesh, np.random.default_rng(seed), size=96)
        codecs |= {name for name, _ in chain.codecs}
        first = chain.apply(image)
        assert first.shape == (96, 96, 3)
        assert np.array_equal(first, chain.apply(image.copy()))
    assert codecs == {"h264", "jpeg"}


def test_mask_goes_where_the_picture_goes(material: Material) -> None:
    portrait = material.donors[0]
    white = np.zeros((384, 384), np.float32)
    white[150:260, 130:240] = 1.0
    picture = np.repeat((white * 255).astype(np.uint8)[..., None], 3, axis=-1)
    for seed in range(6):
        chain = draw_chain(portrait.mesh, np.random.default_rng(seed), size=96, mild=True)
        seen = chain.apply(picture).mean(-1) > 100
        assert (seen == (chain.place(white) > 0.5)).mean() > 0.93


def test_few_portraits_still_make_a_face_coder(material: Material) -> None:
    coder = Eigenfaces(material.donors[:4])
    portrait = material.donors[0]
    painted = coder.repaint(np.asarray(portrait.image), portrait.mesh, np.random.default_rng(0))
    assert painted.shape == portrait.image.shape
