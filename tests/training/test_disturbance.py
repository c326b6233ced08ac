from __future__ import annotations

import numpy as np
import pytest

from forensics.training.degrade import draw_chain
from forensics.training.disturbance import DISTURBANCES, draw_blocks
from forensics.training.fakes import Material


@pytest.mark.parametrize("name", sorted(DISTURBANCES))
def test_every_picture_of_a_clip_is_disturbed_alike(name: str, material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)
    plain = draw_chain(portrait.mesh, np.random.default_rng(0), size=128, mild=True)
    for seed in range(4):
        chain, each = DISTURBANCES[name](plain, portrait.mesh, np.random.default_rng(seed))
        first, second = each(image, portrait.mesh), each(image, portrait.mesh)
        assert np.array_equal(first, second)
        assert not np.array_equal(chain.apply(first), plain.apply(image))


def test_blocks_that_lie_partly_outside_are_cut_off(material: Material) -> None:
    portrait = material.donors[0]
    image = np.asarray(portrait.image)[:200, :200]
    lost = draw_blocks(portrait.mesh, np.random.default_rng(0))
    covered = lost.cover(image)
    assert covered.shape == image.shape
    mask = np.ones(image.shape[:2], np.float32)
    changed = (covered != image).any(-1)
    assert not lost.cut(mask)[changed].any()
