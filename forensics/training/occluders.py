"""Things before a face, for teaching and measuring what a careless swap does to them.

Every thing is a picture with opacity and points that belong on the face's mesh, so that it
follows the face through a clip. Templates and kinds of drawings are split between training,
calibration and test: a detector is never measured on a thing that it was fitted on, and its scores
are never calibrated on one, which would make them look surer than they are on new things.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity, template
from forensics.faces.mesh import five_points

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]

_SIDE = 256
_FIVE = template(_SIDE, 0.15)
# Mesh vertices that a template's points belong on, as the picture shows them.
_CHEEKS = (234, 454, 6, 152)
_TEMPLES = (127, 356)
_TEST_TEMPLATES = ("cloth", "N95", "gas", "sunglasses_4", "sunglasses_6")
_FOUND = {"train": 0.45, "calibrate": 0.7, "test": 0.7}
"""How often a photographed thing is chosen before a drawn one."""
_SKIN = ((224, 172, 140), (198, 134, 96), (141, 85, 54), (255, 205, 178), (92, 57, 40))


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that may lie before a face.

    Attributes:
        name: Kind of drawing or template.
        rgba: (h, w, 4) float32, colours 0..255, opacity 0..1.
        points: (n, 2) pixels of ``rgba``.
        vertices: n mesh vertices that the points belong on; empty for a drawing in the frame of
            the aligned face.
    """

    name: str
    rgba: NDArray[np.float32]
    points: NDArray[np.float64]
    vertices: tuple[int, ...] = ()

    def put(self, image: Image, mesh: NDArray[np.floating]) -> tuple[Image, Mask]:
        """Lay the thing before a face; return the picture and the thing's opacity there."""
        if self.vertices:
            goal = mesh[list(self.vertices), :2].astype(np.float64)
        else:
            goal = five_points(np.asarray(mesh, np.float32)).astype(np.float64)
        if len(goal) == 4:
            known = np.column_stack([self.points, np.ones(4)])
            matrix = np.linalg.lstsq(known, goal, rcond=None)[0].T
        else:
            matrix = similarity(self.points, goal)
        layer = self.rgba.copy()
        layer[..., :3] *= layer[..., 3:]
        size = image.shape[1::-1]
        placed = cv2.warpAffine(layer, matrix, size, flags=cv2.INTER_AREA)
        alpha = np.clip(placed[..., 3], 0.0, 1.0).astype(np.float32)
        mixed = image * (1.0 - alpha[..., None]) + placed[..., :3]
        return np.clip(mixed + 0.5, 0, 255).astype(np.uint8), alpha


def load_templates(folder: Path | None, part: str) -> list[Thing]:
    """Read the templates of a part, ``train``, ``calibrate`` or ``test``; none without a folder.

    Calibration has the side views of the designs that training sees from the front, and their
    forms printed with other cloth.
    """
    found: list[Thing] = []
    if folder is None:
        return found
    for kind, vertices in (("masks", _CHEEKS), ("glasses", _TEMPLES)):
        for path in sorted((folder / kind).glob("*.png")):
            design = path.stem.removesuffix("_left").removesuffix("_right")
            if (design in _TEST_TEMPLATES) != (part == "test"):
                continue
            if (design != path.stem) and part != "calibrate":
                continue
            raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if raw is None or raw.ndim != 3 or raw.shape[2] != 4:
                continue
            thing = _template(path.stem, raw, vertices)
            if design != path.stem or part != "calibrate":
                found.append(thing)
            elif kind == "masks":
                found += [_printed(thing, cloth) for cloth in sorted(folder.glob("textures/*.jpg"))]
    return found


def _printed(thing: Thing, cloth: Path) -> Thing:
    """The thing made of another cloth; its own light and shade stay."""
    print_ = cv2.imread(str(cloth), cv2.IMREAD_COLOR)
    if print_ is None:
        return thing
    height, width = thing.rgba.shape[:2]
    laid = cv2.resize(print_, (width, height), interpolation=cv2.INTER_AREA)[..., ::-1]
    light = thing.rgba[..., :3].mean(axis=2, keepdims=True)
    shade = light / max(float(light[thing.rgba[..., 3] > 0.5].mean()), 1.0)
    colours = np.clip(laid * shade, 0, 255)
    rgba = np.concatenate([colours, thing.rgba[..., 3:]], axis=2).astype(np.float32)
    return Thing(f"{thing.name}_{cloth.stem}", rgba, thing.points, thing.vertices)


def _template(name: str, raw: NDArray[Any], vertices: tuple[int, ...]) -> Thing:
    rgba = np.asarray(raw, np.float32)[..., [2, 1, 0, 3]]
    rgba[..., 3] /= 255.0
    step = max(1, max(rgba.shape[:2]) // 320)
    rgba = np.ascontiguousarray(rgba[::step, ::step])
    rows, columns = np.nonzero(rgba[..., 3] > 0.5)
    x0, x1, y0, y1 = columns.min(), columns.max(), rows.min(), rows.max()
    tall = y1 - y0
    if len(vertices) == 2:
        points = [(x0, y0 + 0.3 * tall), (x1, y0 + 0.3 * tall)]
    else:
        middle, side = (x0 + x1) / 2, y0 + 0.22 * tall
        points = [(x0, side), (x1, side), (middle, y0), (middle, y1 - 0.04 * tall)]
    return Thing(name, rgba, np.array(points, np.float64), vertices)


def _cloth(rng: np.random.Generator) -> NDArray[np.float32]:
    """A woven or printed surface, (256, 256, 3), 0..255."""
    cells = int(rng.integers(1, 24))
    threads = (rng.uniform(-1, 1, (cells, cells, 3)) * rng.uniform(0, 60)).astype(np.float32)
    cloth = cv2.resize(threads, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    slope = np.linspace(-1, 1, _SIDE)[:, None, None] * rng.uniform(-30, 30)
    colour = rng.uniform(10, 245, 3) + cloth.reshape(_SIDE, _SIDE, 3) + slope
    grain = rng.normal(0, rng.uniform(0, 6), (_SIDE, _SIDE, 1))
    return np.asarray(np.clip(colour + grain, 0, 255), np.float32)


def _skin(rng: np.random.Generator) -> NDArray[np.float32]:
    tone = np.array(_SKIN[int(rng.integers(len(_SKIN)))]) * rng.uniform(0.7, 1.05)
    shade = cv2.resize(
        rng.uniform(0.85, 1.1, (4, 4)).astype(np.float32), (_SIDE, _SIDE),
        interpolation=cv2.INTER_CUBIC,
    )
    grain = rng.normal(0, 2.5, (_SIDE, _SIDE, 1))
    return np.asarray(np.clip(tone * shade[..., None] + grain, 0, 255), np.float32)


def _drawn(name: str, cover: NDArray[np.uint8], surface: NDArray[np.float32], soft: float) -> Thing:
    alpha = cv2.GaussianBlur(cover, (0, 0), soft).astype(np.float32)[..., None] / 255
    return Thing(name, np.concatenate([surface, alpha], 2).astype(np.float32), _FIVE)


def _patch(rng: np.random.Generator) -> Thing:
    """A piece of cloth or paper of any form."""
    turn = np.sort(rng.uniform(0, 2 * np.pi, 9))
    reach = rng.uniform(0.1, 0.32) * _SIDE * rng.uniform(0.6, 1.3, (9, 1))
    middle = rng.uniform(0.25, 0.75, 2) * _SIDE
    corners = middle + reach * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    cover = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(cover, [np.round(corners).astype(np.int32)], 255)
    return _drawn("patch", cover, _cloth(rng), float(rng.uniform(0.6, 2.0)))


def _fingers(rng: np.random.Generator) -> Thing:
    """Some fingers before the mouth, a cheek or the chin."""
    cover = np.zeros((_SIDE, _SIDE), np.uint8)
    surface = _skin(rng)
    root = np.array([rng.uniform(0.2, 0.8), rng.uniform(0.75, 1.0)]) * _SIDE
    angle = rng.uniform(-2.2, -0.9)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    for finger in range(int(rng.integers(2, 5))):
        start = root + across * (finger - 1.5) * 20
        end = start + along * rng.uniform(45, 100)
        a, b = (tuple(int(v) for v in p) for p in (start, end))
        cv2.line(cover, a, b, 255, 17)
        cv2.line(surface, a, b, tuple(float(v) for v in surface.mean((0, 1)) * 0.75), 19)
        cv2.line(surface, a, b, tuple(float(v) for v in surface.mean((0, 1))), 13)
    return _drawn("fingers", cover, surface, 1.0)


def _stick(rng: np.random.Generator) -> Thing:
    """A microphone, a straw or a strand of hair."""
    cover = np.zeros((_SIDE, _SIDE), np.uint8)
    start = np.array([rng.uniform(0.1, 0.9), rng.uniform(0.45, 0.85)]) * _SIDE
    end = start + rng.uniform(-1, 1, 2) * 160
    width = int(rng.integers(5, 26))
    cv2.line(cover, tuple(int(v) for v in start), tuple(int(v) for v in end), 255, width)
    cv2.circle(cover, tuple(int(v) for v in start), int(width * rng.uniform(0.6, 1.6)), 255, -1)
    return _drawn("stick", cover, _cloth(rng) * np.float32(rng.uniform(0.2, 1.0)), 0.9)


def _cup(rng: np.random.Generator) -> Thing:
    """A cup with a handle before mouth and chin."""
    cover = np.zeros((_SIDE, _SIDE), np.uint8)
    x, y = rng.uniform(0.4, 0.6) * _SIDE, rng.uniform(0.62, 0.8) * _SIDE
    wide, tall = rng.uniform(28, 46), rng.uniform(36, 60)
    corners = [(x - wide, y), (x + wide, y), (x + 0.8 * wide, y + tall), (x - 0.8 * wide, y + tall)]
    cv2.fillConvexPoly(cover, np.round(corners).astype(np.int32), 255)
    cv2.ellipse(cover, (int(x), int(y)), (int(wide), int(wide * 0.25)), 0, 0, 360, 255, -1)
    handle = (int(x + wide), int(y + tall / 2))
    cv2.ellipse(cover, handle, (int(wide * 0.4), int(tall * 0.3)), 0, 0, 360, 255, 7)
    return _drawn("cup", cover, _cloth(rng), 1.0)


def _phone(rng: np.random.Generator) -> Thing:
    """A phone, or a card, held before an eye, a cheek or the mouth."""
    middle = tuple(float(v) for v in rng.uniform(0.25, 0.75, 2) * _SIDE)
    size = tuple(float(v) for v in (rng.uniform(40, 70), rng.uniform(85, 130)))
    box = cv2.boxPoints((middle, size, float(rng.uniform(-40, 40))))
    corners = np.round(box).astype(np.int32)
    cover = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillConvexPoly(cover, corners, 255)
    surface = _cloth(rng) * np.float32(rng.uniform(0.1, 1.0))
    cv2.polylines(surface, [corners], True, tuple(float(v) for v in rng.uniform(0, 255, 3)), 7)
    return _drawn("phone", cover, surface, 0.8)


def _scarf(rng: np.random.Generator) -> Thing:
    """A band of cloth with a waved edge over mouth and chin."""
    x = np.linspace(0, _SIDE, 24)
    top = rng.uniform(0.5, 0.68) * _SIDE + rng.uniform(2, 12) * np.sin(
        x / _SIDE * rng.uniform(3, 14) + rng.uniform(0, 6)
    )
    edge = np.stack([x, top], axis=1)
    corners = np.concatenate([edge, [[_SIDE, _SIDE], [0, _SIDE]]])
    cover = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(cover, [np.round(corners).astype(np.int32)], 255)
    return _drawn("scarf", cover, _cloth(rng), float(rng.uniform(0.6, 1.6)))


_DRAWINGS: dict[str, tuple[Callable[[np.random.Generator], Thing], ...]] = {
    "train": (_patch, _fingers, _stick),
    "calibrate": (_phone, _scarf),
    "test": (_cup,),
}

def part_of(splits: Sequence[str]) -> str:
    """Return whose things the clips of some splits show; validation has those of calibration."""
    return next((part for part in ("test", "train") if part in splits), "calibrate")


def draw_thing(rng: np.random.Generator, templates: Sequence[Thing], part: str) -> Thing:
    """Draw a thing of one part, or choose a template of it.

    Args:
        rng: Source of chance.
        templates: From `load_templates` of the same part; may be empty.
        part: ``train``, ``calibrate`` or ``test``.
    """
    if templates and rng.random() < _FOUND[part]:
        thing = templates[int(rng.integers(len(templates)))]
        rgba = thing.rgba.copy()
        rgba[..., :3] = np.clip(rgba[..., :3] * rng.uniform(0.6, 1.1, 3), 0, 255)
        return Thing(thing.name, rgba, thing.points, thing.vertices)
    kinds = _DRAWINGS[part]
    return kinds[int(rng.integers(len(kinds)))](rng)
