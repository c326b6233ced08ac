"""Occluders: drawn or read, fastened to the face, with exact ground truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from forensics.errors import UnreadableInputError, UsageError
from generator._occluder_shapes import SHAPES
from generator.occlude import OccluderCompositor, draw_occluder, load_occluders

FACE = np.array([[80, 80], [130, 80], [105, 110], [88, 138], [122, 138]], np.float32)
FRAME = np.full((240, 220, 3), 120, np.uint8)


@pytest.mark.parametrize("name", list(SHAPES))
def test_shape_covers_part_of_the_face_and_nothing_else_changes(name: str) -> None:
    out, alpha = OccluderCompositor(draw_occluder(name, seed=3)).apply(FRAME, FACE)
    assert out.dtype == np.uint8 and alpha.shape == FRAME.shape[:2]
    assert alpha.min() >= 0.0 and 0.9 < alpha.max() <= 1.0 or name == "glasses"
    assert np.array_equal(out[alpha == 0], FRAME[alpha == 0])
    face = alpha[60:180, 55:155]
    assert 0.03 < (face > 0.5).mean() < 0.9
    solid = alpha > 0.99
    assert np.abs(out[solid].astype(int) - 120).mean() > 5
    soft = (alpha > 0.02) & (alpha < 0.98)
    assert soft.any()


def test_seed_fixes_everything_and_changes_something() -> None:
    first, again, other = (draw_occluder("hand", seed=s).rgba for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_follows_the_face_without_change() -> None:
    compositor = OccluderCompositor(draw_occluder("cup"))
    _, here = compositor.apply(FRAME, FACE)
    _, there = compositor.apply(FRAME, FACE + np.float32([7, 5]))
    assert np.abs(here[:-5, :-7] - there[5:, 7:]).max() < 0.02


def template(path: Path, colour: tuple[int, int, int]) -> None:
    image = np.zeros((60, 100, 4), np.uint8)
    cv2.ellipse(image, (50, 30), (48, 28), 0, 0, 360, (*colour, 255), -1)
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), image)


def test_templates_choose_a_view_once_per_clip(tmp_path: Path) -> None:
    template(tmp_path / "masks" / "a.png", (0, 0, 255))
    template(tmp_path / "masks" / "a_left.png", (0, 255, 0))
    template(tmp_path / "glasses" / "g.png", (255, 0, 0))
    cv2.imwrite(str(tmp_path / "glasses" / "opaque.png"), np.full((9, 9, 4), 255, np.uint8))
    mask, shades = load_occluders(tmp_path)
    assert (mask.name, shades.name) == ("a", "g") and mask.right is None
    turned = FACE.copy()
    turned[2, 0] -= 20
    front = OccluderCompositor(mask, brightness=False)
    out, alpha = front.apply(FRAME, FACE)
    assert out[135, 105].tolist() == [255, 0, 0]
    assert front.apply(FRAME, turned)[0][135, 105].tolist() == [255, 0, 0]
    side = OccluderCompositor(mask, brightness=False).apply(FRAME, turned)[0]
    assert side[135, 105].tolist() == [0, 255, 0]
    assert alpha[80, 80] < 0.5  # eyes stay free
    eyes = OccluderCompositor(shades, brightness=False).apply(FRAME, FACE)[1]
    assert eyes[82, 85] == 1.0 and eyes[150, 105] == 0.0


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'umbrella'"):
        draw_occluder("umbrella")
    with pytest.raises(UnreadableInputError, match="no occluder"):
        load_occluders(tmp_path)
