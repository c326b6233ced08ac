from __future__ import annotations

import numpy as np

from forensics.training.fakes import Material
from forensics.training.mingle import mingle
from forensics.training.pairs import PairSource
from forensics.training.portraits import Portrait


def test_shape_and_soft_colours_move_and_the_name_stays(material: Material) -> None:
    one, other = material.donors[0], material.donors[5]
    made = mingle(one, other, np.random.default_rng(1))
    assert isinstance(made, Portrait)
    assert (made.name, made.licence, made.split) == (one.name, one.licence, one.split)
    assert made.image.shape == one.image.shape and made.image.dtype == np.uint8
    assert made.mesh.shape == (468, 3) and made.mesh.dtype == np.float32
    assert not np.array_equal(made.image, one.image)


def test_a_face_mingled_with_itself_stays_where_it_is(material: Material) -> None:
    one = material.donors[0]
    made = mingle(one, one, np.random.default_rng(2))
    assert np.abs(made.mesh - one.mesh).max() < 0.01
    assert np.abs(made.image.astype(int) - one.image).mean() < 1.0


def test_only_soft_colours_come_from_the_other(material: Material) -> None:
    one = material.donors[0]
    bars = np.zeros_like(one.image)
    bars[:, ::4] = bars[:, 1::4] = 255  # as fine as can be: none of it may show
    other = Portrait("x", "x", "x", "train", bars, one.mesh)
    made = mingle(one, other, np.random.default_rng(3))
    before, after = (
        np.diff(x[150:230, 150:230].astype(int), axis=1) for x in (one.image, made.image)
    )
    assert np.abs(after - before).mean() < 4.0


def test_pairs_of_earlier_measurements_stay_the_same(material: Material) -> None:
    plain = PairSource(material.donors, material, size=96).draw((0, 5))
    none = PairSource(material.donors, material, size=96, mingled=0.0).draw((0, 5))
    all_of_them = PairSource(material.donors, material, size=96, mingled=1.0).draw((0, 5))
    assert np.array_equal(plain.real, none.real)
    assert not np.array_equal(plain.real, all_of_them.real)
