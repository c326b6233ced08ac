"""Occluders drawn from scratch: hand, glasses, mask, microphone and cup.

Every shape is drawn on one canvas in face units: the origin lies between the eyes, one unit is
their distance, x goes right and y down. The results are crude, but they have what matters to a
detector of occlusion: an outline, shading, texture and a soft edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

UNIT = 96
"""Pixels of the canvas per unit."""
SIDE = 5 * UNIT
ORIGIN = (SIDE / 2, 1.7 * UNIT)
"""Where the point between the eyes lies on the canvas, pixels."""

Canvas = NDArray[np.float32]
Draw = Callable[[np.random.Generator], Canvas]
_FRACTION = 4  # fractional bits of the coordinates that cv2 draws with

_SKIN = ((224, 172, 140), (198, 134, 96), (141, 85, 54), (255, 205, 178), (92, 57, 40))


def to_canvas(points: Sequence[tuple[float, float]] | NDArray[Any]) -> NDArray[np.float64]:
    """Map (n, 2) face units to canvas pixels."""
    return np.asarray(points, np.float64) * UNIT + ORIGIN


def hand(rng: np.random.Generator) -> Canvas:
    """Draw an open hand before the lower face, fingers up and sideways."""
    angle = rng.uniform(-1.1, 1.1)
    centre = np.array([rng.uniform(-0.5, 0.5), rng.uniform(1.1, 1.5)])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    cover = _blank()
    layer = _Layer(cover)
    layer.ellipse(centre, (0.52, 0.62), np.degrees(angle))
    fingers = [(-0.4, 0.85), (-0.14, 1.0), (0.13, 0.95), (0.38, 0.75)]
    edges = _blank()
    for x, length in fingers:
        root = centre + turn @ np.array([x, -0.35])
        tip = centre + turn @ np.array([x * 1.25, -0.4 - length])
        layer.capsule(root, tip, 0.13)
        _Layer(edges).capsule(root, tip, 0.13, outline=True)
    layer.capsule(centre + turn @ [-0.4, 0.2], centre + turn @ [-0.95, -0.3], 0.15)
    layer.capsule(centre, centre + turn @ np.array([0.0, 2.6]), 0.42)
    tone = np.array(_SKIN[rng.integers(len(_SKIN))], np.float32)
    return _finish(cover, tone, rng, dark=edges * 0.35, grain=0.03)


def glasses(rng: np.random.Generator) -> Canvas:
    """Draw spectacles: rims, bridge, side pieces and half-dark lenses."""
    lens, rim = _blank(), _blank()
    axes = (rng.uniform(0.36, 0.44), rng.uniform(0.26, 0.36))
    for x in (-0.5, 0.5):
        _Layer(lens).ellipse((x, 0.04), axes, 0)
        _Layer(rim).ellipse((x, 0.04), axes, 0, outline=True)
    _Layer(rim).capsule((-0.15, -0.02), (0.15, -0.02), 0.035)
    for side in (-1, 1):
        _Layer(rim).capsule((0.9 * side, 0.0), (1.2 * side, -0.05), 0.035)
    cover = np.maximum(lens * rng.uniform(0.55, 0.95), rim)
    tone = rng.uniform(10, 70, 3).astype(np.float32)
    return _finish(cover, tone, rng, bright=_glare(rng) * lens, grain=0.01)


def mask(rng: np.random.Generator) -> Canvas:
    """Draw a pleated mask from the bridge of the nose to below the chin."""
    cover = _blank()
    outline = [(-1.05, 0.45), (-0.5, 0.32), (0, 0.24), (0.5, 0.32), (1.05, 0.45),
               (1.0, 1.25), (0.6, 1.75), (0, 1.95), (-0.6, 1.75), (-1.0, 1.25)]  # fmt: skip
    _Layer(cover).polygon(outline)
    folds = _blank()
    for y in (0.75, 1.0, 1.25):
        _Layer(folds).capsule((-1.05, y), (1.05, y + rng.uniform(-0.05, 0.05)), 0.012)
    tone = rng.uniform(90, 235, 3).astype(np.float32)
    return _finish(cover, tone, rng, dark=folds * 0.4, grain=0.04)


def microphone(rng: np.random.Generator) -> Canvas:
    """Draw a microphone held before the mouth."""
    x, y = rng.uniform(-0.45, 0.45), rng.uniform(1.15, 1.4)
    lean = rng.uniform(-0.6, 0.6)
    cover, head = _blank(), _blank()
    _Layer(cover).capsule((x, y + 0.2), (x + lean, y + 2.2), 0.17)
    _Layer(head).ellipse((x, y), (0.3, 0.34), 0)
    rows, columns = np.indices((SIDE, SIDE))
    mesh = (((rows + columns) % 8 < 2) | ((rows - columns) % 8 < 2)).astype(np.float32)
    tone = rng.uniform(25, 90, 3).astype(np.float32)
    return _finish(np.maximum(cover, head), tone, rng, bright=0.35 * mesh * head, grain=0.02)


def cup(rng: np.random.Generator) -> Canvas:
    """Draw a cup at the mouth, with rim and handle."""
    x, y = rng.uniform(-0.3, 0.3), rng.uniform(0.95, 1.2)
    cover, rim = _blank(), _blank()
    layer = _Layer(cover)
    layer.polygon([(x - 0.6, y), (x + 0.6, y), (x + 0.48, y + 1.4), (x - 0.48, y + 1.4)])
    layer.ellipse((x, y), (0.6, 0.14), 0)
    side = 1 if rng.random() < 0.5 else -1
    layer.ellipse((x + 0.62 * side, y + 0.65), (0.28, 0.36), 0, outline=True, width=0.12)
    _Layer(rim).ellipse((x, y), (0.52, 0.1), 0)
    tone = rng.uniform(60, 240, 3).astype(np.float32)
    return _finish(cover, tone, rng, dark=rim * 0.5, bright=_glare(rng) * 0.5, grain=0.02)


SHAPES: dict[str, Draw] = {
    "hand": hand,
    "glasses": glasses,
    "mask": mask,
    "microphone": microphone,
    "cup": cup,
}
"""The shapes by name; each takes a random generator and returns (SIDE, SIDE, 4) RGBA, 0..1."""


class _Layer:
    """Draw in face units on one plane."""

    def __init__(self, plane: NDArray[np.float32]) -> None:
        self._plane: Any = plane

    def ellipse(
        self,
        centre: Any,
        axes: tuple[float, float],
        degrees: float,
        *,
        outline: bool = False,
        width: float = 0.05,
    ) -> None:
        """Draw an ellipse, filled or as a line of the given width."""
        middle = _fixed(to_canvas(np.asarray(centre)))
        size = _fixed(np.asarray(axes) * UNIT)
        thick = max(1, round(width * UNIT)) if outline else -1
        cv2.ellipse(self._plane, middle, size, degrees, 0, 360, 1.0, thick, cv2.LINE_AA, _FRACTION)

    def capsule(self, start: Any, end: Any, radius: float, *, outline: bool = False) -> None:
        """Draw a line with round ends."""
        ends = [_fixed(to_canvas(np.asarray(p))) for p in (start, end)]
        thick = max(1, round(2 * radius * UNIT))
        cv2.line(self._plane, ends[0], ends[1], 1.0, thick, cv2.LINE_AA, _FRACTION)
        if outline:
            cv2.line(self._plane, ends[0], ends[1], 0.0, max(1, thick - 5), cv2.LINE_AA, _FRACTION)

    def polygon(self, points: Sequence[tuple[float, float]]) -> None:
        """Fill a polygon."""
        corners = np.round(to_canvas(points) * 2**_FRACTION).astype(np.int32)
        cv2.fillPoly(self._plane, [corners], 1.0, cv2.LINE_AA, _FRACTION)


def _fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    x, y = np.round(point * 2**_FRACTION).astype(int)
    return int(x), int(y)


def _blank() -> NDArray[np.float32]:
    return np.zeros((SIDE, SIDE), np.float32)


def _glare(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a slanted streak of light, 0..0.4."""
    y, x = np.indices((SIDE, SIDE), np.float32) / UNIT
    phase = rng.uniform(0, 6)
    streak = np.maximum(np.sin(2.2 * (x + 0.6 * y) + phase), 0) ** 8
    return np.asarray(0.4 * streak, np.float32)


def _finish(
    cover: NDArray[np.float32],
    tone: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    dark: NDArray[np.float32] | float = 0.0,
    bright: NDArray[np.float32] | float = 0.0,
    grain: float,
) -> Canvas:
    """Give a plane of cover its colour, roundness, texture and soft edge."""
    # Brightness falls off towards the outline, as on a rounded body lit from the camera.
    depth = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    round_ = 0.6 + 0.4 * np.minimum(depth / (0.3 * UNIT), 1.0)
    y, x = np.indices((SIDE, SIDE), np.float32) / SIDE
    slope = rng.uniform(-0.25, 0.25, 2)
    light = round_ * (1 + slope[0] * (x - 0.5) + slope[1] * (y - 0.5))
    noise = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), 1.2)
    light = light * (1 - dark) + bright + grain * 3 * noise
    canvas = np.empty((SIDE, SIDE, 4), np.float32)
    canvas[..., :3] = np.clip(light[..., None] * tone / 255, 0, 1)
    canvas[..., 3] = cv2.GaussianBlur(np.clip(cover, 0, 1), (0, 0), 1.5)
    return canvas
