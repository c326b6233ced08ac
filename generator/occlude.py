"""Put known things before known faces: ground truth for what a swap does to occluders.

An occluder is a picture with transparency and a few points that belong on named spots of the
face. It is fastened to the landmarks, so it follows the face through a clip; everything about it
is fixed by the seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError, UsageError
from forensics.faces.align import similarity
from generator._occluder_shapes import SHAPES, to_canvas

Points = NDArray[np.float32] | NDArray[np.float64]

SPOTS: dict[str, tuple[int, tuple[float, float]]] = {
    "left_temple": (127, (-1.15, 0.0)),
    "right_temple": (356, (1.15, 0.0)),
    "left_cheek": (234, (-1.15, 0.45)),
    "right_cheek": (454, (1.15, 0.45)),
    "bridge": (6, (0.0, 0.1)),
    "chin": (152, (0.0, 1.75)),
}
"""Named spots: mesh vertex, and where it lies on an average face in units of the eye distance
from the point between the eyes. Left is the picture's left."""

_EYES = ((33, 133), (362, 263))
_TURN = 0.18  # share of the face width by which the nose leaves the middle when a head is turned


@dataclass(frozen=True, slots=True)
class Occluder:
    """One thing to put before a face.

    Attributes:
        name: For the sidecar.
        rgba: (h, w, 4) ``float32`` in 0..1, colour not premultiplied.
        points: (n, 2) pixels of ``rgba``.
        spots: n names of `SPOTS` that the points belong on; empty for a shape drawn in face
            units, which is fastened to the eyes and the mouth.
        left: The same seen from a head turned to the picture's left, or None.
        right: The same for the other side.
    """

    name: str
    rgba: NDArray[np.float32] = field(repr=False)
    points: NDArray[np.float64] = field(repr=False)
    spots: tuple[str, ...] = ()
    left: Occluder | None = field(default=None, repr=False)
    right: Occluder | None = field(default=None, repr=False)


class OccluderCompositor:
    """Put one occluder before the face of one clip.

    Args:
        occluder: What to put there.
        brightness: Scale its brightness with the first frame's face, so that it does not shine
            in a dark room.
    """

    def __init__(self, occluder: Occluder, *, brightness: bool = True) -> None:
        self.occluder = occluder
        self._brightness = brightness
        self._gain: float | None = None
        self._seen: Occluder | None = None

    def apply(
        self, frame: NDArray[np.uint8], face: Points
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return the frame with the occluder, and the occluder's opacity.

        Args:
            frame: (h, w, 3) RGB ``uint8``.
            face: (468, 2+) mesh or (5, 2) landmarks, frame pixels.

        Returns:
            (h, w, 3) ``uint8`` and (h, w) ``float32`` in 0..1. Pixels of opacity 0 are untouched.
        """
        xy = np.asarray(face, np.float64)[:, :2]
        if self._seen is None:
            # Chosen once: a view that changes within a clip would flicker.
            self._seen = _view(self.occluder, xy)
        if self._gain is None:
            self._gain = _face_light(frame, xy) if self._brightness else 1.0
        shape = (frame.shape[1], frame.shape[0])
        matrix = _placement(self._seen, xy)
        premultiplied = self._seen.rgba.copy()
        premultiplied[..., :3] *= premultiplied[..., 3:] * self._gain
        warped = cv2.warpAffine(premultiplied, matrix, shape, flags=cv2.INTER_LINEAR)
        alpha = np.clip(warped[..., 3], 0.0, 1.0)
        mixed = frame * (1 - alpha[..., None]) + 255 * np.clip(warped[..., :3], 0, 1)
        out = np.where(alpha[..., None] > 0, np.clip(mixed + 0.5, 0, 255), frame)
        return out.astype(np.uint8), alpha.astype(np.float32)


def draw_occluder(name: str, *, seed: int = 0) -> Occluder:
    """Draw one of the shapes of `generator._occluder_shapes.SHAPES`.

    Raises:
        UsageError: No shape has that name.
    """
    if name not in SHAPES:
        raise UsageError(f"no occluder {name!r}; there are: {', '.join(SHAPES)}, or a file")
    rgba = SHAPES[name](np.random.default_rng(seed))
    return Occluder(name, rgba, to_canvas([(-0.5, 0.0), (0.5, 0.0), (0.0, 1.2)]))


def find_occluder(name: str, *, seed: int = 0) -> Occluder:
    """Return a drawn shape by its name, or a template by its file.

    Args:
        name: A key of `generator._occluder_shapes.SHAPES`, or the path of a picture within
            ``masks/`` or ``glasses/`` of a folder that `load_occluders` reads.
        seed: Of the drawing, or of the cloth.

    Raises:
        UsageError: Neither a shape nor a file.
        UnreadableInputError: The file is no usable template.
    """
    path = Path(name)
    if name in SHAPES or not path.is_file():
        return draw_occluder(name, seed=seed)
    for occluder in load_occluders(path.resolve().parents[1], seed=seed):
        if occluder.name == path.stem:
            return occluder
    raise UnreadableInputError(path, "is no occluder template (masks/ or glasses/, with alpha)")


def load_occluders(folder: Path, *, seed: int = 0) -> list[Occluder]:
    """Read templates from a folder: ``masks/NAME[_left|_right].png`` and ``glasses/*.png``.

    Masks get a cloth of ``textures/`` where their name starts with ``cloth``. Pictures without
    real transparency are left out.

    Args:
        folder: With any of the three sub-folders.
        seed: Chooses the cloth.

    Raises:
        UnreadableInputError: The folder holds no usable template.
    """
    cloths = sorted((folder / "textures").glob("*.jpg"))
    rng = np.random.default_rng(seed)
    found: list[Occluder] = []
    for path in sorted((folder / "masks").glob("*.png")):
        if path.stem.endswith(("_left", "_right")):
            continue
        cloth = cloths[rng.integers(len(cloths))] if cloths and path.stem == "cloth" else None
        views = [
            _template(p, ("left_cheek", "right_cheek", "bridge", "chin"), cloth)
            for p in (path, *(path.with_stem(f"{path.stem}_{s}") for s in ("left", "right")))
        ]
        if views[0] is not None:
            front = views[0]
            found.append(
                Occluder(front.name, front.rgba, front.points, front.spots, views[1], views[2])
            )
    for path in sorted((folder / "glasses").glob("*.png")):
        made = _template(path, ("left_temple", "right_temple"), None)
        if made is not None:
            found.append(made)
    if not found:
        raise UnreadableInputError(folder, "holds no occluder templates (masks/, glasses/)")
    return found


def _template(path: Path, spots: tuple[str, ...], cloth: Path | None) -> Occluder | None:
    """Read a template and say where its opaque part belongs; None when it cannot serve."""
    if not path.is_file():
        return None
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.ndim != 3 or raw.shape[2] != 4:
        return None
    corners = raw[[0, 0, -1, -1], [0, -1, 0, -1], 3]
    if np.count_nonzero(corners > 128) > 2:
        return None
    colour = cv2.cvtColor(raw, cv2.COLOR_BGRA2RGBA)
    rgba = np.asarray(colour.astype(np.float32) / np.float32(255), np.float32)
    if cloth is not None:
        rgba = _dressed(rgba, cloth)
    rows, columns = np.nonzero(rgba[..., 3] > 0.5)
    x0, x1, y0, y1 = columns.min(), columns.max(), rows.min(), rows.max()
    middle = (x0 + x1) / 2
    places = {
        "left_cheek": (x0, y0 + 0.22 * (y1 - y0)),
        "right_cheek": (x1, y0 + 0.22 * (y1 - y0)),
        "bridge": (middle, y0),
        "chin": (middle, y1 - 0.04 * (y1 - y0)),
        "left_temple": (x0, y0 + 0.3 * (y1 - y0)),
        "right_temple": (x1, y0 + 0.3 * (y1 - y0)),
    }
    return Occluder(path.stem, rgba, np.array([places[s] for s in spots], np.float64), spots)


def _dressed(rgba: NDArray[np.float32], cloth: Path) -> NDArray[np.float32]:
    """Cover a template with a texture, keeping its folds as shading."""
    texture = cv2.imread(str(cloth), cv2.IMREAD_COLOR)
    if texture is None:
        return rgba
    rgb = cv2.cvtColor(cv2.resize(texture, rgba.shape[1::-1]), cv2.COLOR_BGR2RGB)
    shade = rgba[..., :3].mean(axis=2, keepdims=True)
    base = np.median(shade[rgba[..., 3] > 0.5])
    out = rgba.copy()
    out[..., :3] = np.clip(rgb / 255.0 * np.clip(1 + 1.5 * (shade - base), 0.4, 1.4), 0, 1)
    return out


def _placement(occluder: Occluder, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (2, 3) matrix from the occluder's pixels to the frame's."""
    eyes = _eyes(xy)
    if not occluder.spots:
        mouth = xy[[13, 14]].mean(axis=0) if len(xy) > 5 else xy[3:5].mean(axis=0)
        return similarity(occluder.points, np.stack([*eyes, mouth]))
    aim = np.array([_spot(name, xy, eyes) for name in occluder.spots])
    if len(aim) < 3:
        return similarity(occluder.points, aim)
    known = np.column_stack([occluder.points, np.ones(len(aim))])
    return np.asarray(np.linalg.lstsq(known, aim, rcond=None)[0].T, np.float64)


def _spot(name: str, xy: NDArray[np.float64], eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a named spot is: its vertex, or its place on an average face."""
    vertex, (x, y) = SPOTS[name]
    if len(xy) > vertex:
        return np.asarray(xy[vertex])
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    return np.asarray(eyes.mean(axis=0) + x * across + y * down)


def _eyes(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(xy) > 5:
        return np.stack([xy[list(pair)].mean(axis=0) for pair in _EYES])
    return xy[:2]


def _view(occluder: Occluder, xy: NDArray[np.float64]) -> Occluder:
    """Choose front, left or right by how far the nose leaves the middle of the eyes."""
    eyes = _eyes(xy)
    across = eyes[1] - eyes[0]
    nose = xy[1] if len(xy) > 5 else xy[2]
    offset = float((nose - eyes.mean(axis=0)) @ across / max(float(across @ across), 1e-9))
    if offset < -_TURN and occluder.left is not None:
        return occluder.left
    if offset > _TURN and occluder.right is not None:
        return occluder.right
    return occluder


def _face_light(frame: NDArray[np.uint8], xy: NDArray[np.float64]) -> float:
    """Return the face's brightness over that of an ordinary one, limited to 0.5..1.2."""
    height, width = frame.shape[:2]
    x0, y0 = np.clip(xy.min(axis=0), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(xy.max(axis=0) + 1, 1, (width, height)).astype(int)
    part = frame[y0:y1, x0:x1]
    return float(np.clip(part.mean() / 130, 0.5, 1.2)) if part.size else 1.0
