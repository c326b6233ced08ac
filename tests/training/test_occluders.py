"""Things before faces: what is learnt, what is calibrated on and what is tested stay apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from forensics.training.fakes import Material
from forensics.training.occluders import draw_thing, load_templates, part_of

_PARTS = ("train", "calibrate", "test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind, names in (
        ("masks", ("KN95", "KN95_left", "surgical", "cloth", "cloth_right")),
        ("glasses", ("sunglasses", "sunglasses_4")),
    ):
        (tmp_path / kind).mkdir()
        for name in names:
            picture = np.zeros((60, 90, 4), np.uint8)
            picture[10:50, 10:80] = (200, 180, 160, 255)
            cv2.imwrite(str(tmp_path / kind / f"{name}.png"), picture)
    (tmp_path / "textures").mkdir()
    red = np.full((40, 40, 3), (0, 0, 250), np.uint8)
    cv2.imwrite(str(tmp_path / "textures" / "dots.jpg"), red)
    return tmp_path


def test_no_part_has_a_thing_of_another(folder: Path) -> None:
    names = {part: {thing.name for thing in load_templates(folder, part)} for part in _PARTS}
    assert names["train"] == {"KN95", "surgical", "sunglasses"}
    assert names["calibrate"] == {"KN95_left", "KN95_dots", "surgical_dots"}
    assert names["test"] == {"cloth", "sunglasses_4"}


def test_a_printed_mask_has_the_form_of_one_and_the_colour_of_another(folder: Path) -> None:
    train = {thing.name: thing for thing in load_templates(folder, "train")}
    printed = {thing.name: thing for thing in load_templates(folder, "calibrate")}["KN95_dots"]
    assert np.array_equal(printed.rgba[..., 3], train["KN95"].rgba[..., 3])
    red, green, _ = printed.rgba[printed.rgba[..., 3] > 0.9][:, :3].mean(axis=0)
    assert red > 200 and green < 40


def test_splits_choose_their_things() -> None:
    assert [part_of([s]) for s in ("train", "validate", "calibrate", "test")] == [
        "train", "calibrate", "calibrate", "test",
    ]  # fmt: skip


def test_drawings_of_different_parts_differ_and_cover_a_face(material: Material) -> None:
    drawn: dict[str, set[str]] = {}
    portrait = material.donors[0]
    for part in _PARTS:
        for seed in range(12):
            thing = draw_thing(np.random.default_rng(seed), [], part)
            drawn.setdefault(part, set()).add(thing.name)
            picture, opacity = thing.put(np.asarray(portrait.image), portrait.mesh)
            assert picture.dtype == np.uint8 and opacity.min() >= 0 and 0.5 < opacity.max() <= 1
    assert not drawn["train"] & drawn["calibrate"] and not drawn["calibrate"] & drawn["test"]
