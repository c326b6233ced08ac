import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from forensics.errors import UnreadableInputError
from generator.faceset import read_faceset, write_faceset
from generator.occlude import Occluder
from generator.occluded_pairs import cover_face, small_templates
from generator.occluder_split import for_measuring, for_training
from generator.train_data import (
    FacePool,
    Recipe,
    batch_at,
    network_view,
    people_at,
    prefetch,
)

STILL = Recipe(rotation=0, zoom=0, shift=0, flip=0, warp=0, light=0)


@pytest.fixture(scope="module")
def pools(people: tuple[Path, Path]) -> list[FacePool]:
    return [FacePool(read_faceset(folder).faces, 32) for folder in people]


def test_a_batch_is_a_function_of_seed_and_step(pools: list[FacePool]) -> None:
    one, two = batch_at(pools, 1, 7, 3), batch_at(pools, 1, 7, 3)
    for person in (0, 1):
        assert np.array_equal(one[person].inputs, two[person].inputs)
        assert np.array_equal(one[person].targets, two[person].targets)
    assert not np.array_equal(one[0].inputs, batch_at(pools, 1, 8, 3)[0].inputs)
    assert not np.array_equal(one[0].inputs, batch_at(pools, 2, 7, 3)[0].inputs)


def test_the_background_thread_yields_the_same_batches_and_ends(pools: list[FacePool]) -> None:
    stream = prefetch(pools, 1, 5, 2)
    for step, batches in zip(itertools.count(5), itertools.islice(stream, 4)):
        assert np.array_equal(batches[1].inputs, batch_at(pools, 1, step, 2)[1].inputs)
    stream.close()


def test_an_error_in_the_background_reaches_the_loop() -> None:
    with pytest.raises(AttributeError):
        next(prefetch([None, None], 0, 0, 1))  # type: ignore[list-item]


def test_without_distortion_input_target_and_network_view_agree(people: tuple[Path, Path]) -> None:
    entries = read_faceset(people[0]).faces
    pool = FacePool(entries[:1], 32, STILL)
    batch = pool.draw(np.random.default_rng(0), 1)
    view = network_view(entries[0].face.crop, 32).astype(np.float32) / 255
    assert np.abs(batch.inputs - batch.targets).mean() < 0.01
    assert np.abs(batch.targets[0] - view).mean() < 0.01
    assert np.abs(pool.views([0])[0] - view).mean() < 0.01


def test_the_warp_bends_only_the_input(pools: list[FacePool]) -> None:
    batch = pools[0].draw(np.random.default_rng(0), 4)
    assert batch.inputs.shape == batch.targets.shape == (4, 32, 32, 3)
    assert batch.inputs.dtype == np.float32
    difference = np.abs(batch.inputs - batch.targets).mean()
    assert 0.005 < difference < 0.2


def test_eyes_and_mouth_weigh_more_than_skin_and_skin_more_than_background(
    people: tuple[Path, Path],
) -> None:
    pool = FacePool(read_faceset(people[0]).faces[:1], 32, STILL)
    weights = pool.draw(np.random.default_rng(0), 1).weights[0, :, :, 0]
    assert weights[0, 0] == pytest.approx(0.1, abs=0.02)
    assert weights.max() > 1.5


def test_few_people_take_turns_by_seed_and_step() -> None:
    assert people_at([3, 9], 0, 9, 2) == [0, 1]
    turns = [people_at([5] * 10, 0, step, 4) for step in range(20)]
    assert all(len(set(turn)) == 4 for turn in turns)
    assert {p for turn in turns for p in turn} == set(range(10))
    assert turns == [people_at([5] * 10, 0, step, 4) for step in range(20)]
    often = [people_at([50, 1, 1, 1, 1, 1], 0, step, 2) for step in range(20)]
    assert sum(0 in turn for turn in often) > 15


def test_a_face_set_comes_back_as_it_was_written(tmp_path: Path, people: tuple[Path, Path]) -> None:
    first = read_faceset(people[0])
    write_faceset(tmp_path / "copy", first.faces, {"note": 1})
    again = read_faceset(tmp_path / "copy")
    assert len(again) == len(first) == 24
    assert again.report == {"note": 1}
    assert again.consent is None
    assert first.consent is not None
    for one, two in zip(first.faces, again.faces, strict=True):
        assert np.array_equal(one.face.crop, two.face.crop)
        assert np.array_equal(one.mask, two.mask)
        np.testing.assert_allclose(one.face.mesh, two.face.mesh)
    (tmp_path / "copy" / "faces" / "000003.png").unlink()
    assert len(read_faceset(tmp_path / "copy")) == 23


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (None, "is not a face set"),
        ("{", "is not a face set"),
        ('{"schema": "other/9"}', "unknown form"),
        ('{"schema": "faceset/1", "faces": [{}]}', "damaged"),
    ],
)
def test_what_is_no_face_set_is_named(tmp_path: Path, index: str | None, says: str) -> None:
    if index is not None:
        (tmp_path / "index.json").write_text(index)
    with pytest.raises(UnreadableInputError, match=says):
        read_faceset(tmp_path)


def test_things_of_every_kind_cover_faces_and_leave_the_rest_alone(
    people: tuple[Path, Path],
) -> None:
    face = read_faceset(people[0]).faces[0].face
    shares = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        covered, opacity = cover_face(face, rng)
        assert covered.dtype == np.uint8 and 0.0 <= opacity.min() <= opacity.max() <= 1.0
        assert np.array_equal(covered[opacity == 0], face.crop[opacity == 0])
        shares.append(float((opacity > 0.5).mean()))
        again, _ = cover_face(face, np.random.default_rng(seed))
        assert np.array_equal(again, covered)
    assert 8 < sum(share == 0 for share in shares) < 35
    assert max(shares) > 0.2


def test_photographed_things_are_divided_by_families() -> None:
    point = np.zeros((4, 4, 4), np.float32), np.zeros((3, 2))
    names = ("surgical", "surgical_blue", "N95", "cloth", "gas")
    things = [Occluder(name, *point) for name in names]
    learnt = {o.name for o in for_training(things)}
    measured = {o.name for o in for_measuring(things)}
    assert learnt == {"gas", "surgical", "surgical_blue"}
    assert measured == set(names) - learnt


def test_photographed_things_are_put_before_faces(people: tuple[Path, Path]) -> None:
    face = read_faceset(people[0]).faces[0].face
    rgba = np.ones((900, 600, 4), np.float32) * np.float32([1.0, 0.0, 0.0, 1.0])
    corners = np.array([[0, 0], [599, 0], [300, 899]], np.float64)
    (small,) = small_templates(
        [Occluder("red", rgba, corners, ("left_cheek", "right_cheek", "chin"))]
    )
    assert max(small.rgba.shape) == 256 and np.allclose(
        small.points.max(axis=0), corners.max(axis=0) * 256 / 900
    )
    seen = [cover_face(face, np.random.default_rng(seed), [small]) for seed in range(40)]
    assert any(
        (opacity > 0.5).any() and (picture[opacity > 0.99] == (255, 0, 0)).all(axis=1).mean() > 0.9
        for picture, opacity in seen
    )
