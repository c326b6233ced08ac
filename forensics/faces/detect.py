"""Find faces, near and far, with BlazeFace (Bazarevsky et al. 2019, MediaPipe models).

The full-range network sees the whole frame at 192 px, which finds faces down to about a
fifteenth of the frame. Overlapping tiles of the same network find smaller ones, and the
short-range network catches faces so near that they fill the frame. Where a face was a moment ago
is known, the short-range network looks at its surroundings only, for a third of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces._net import TfliteNet
from forensics.models import model_path

_SCORE_LIMIT = 80.0  # keeps exp() finite
_TILE = 0.6  # side of a tile over the frame's shorter side: eight tiles cover 16:9
_OVERLAP = 0.3  # boxes that share more are one face
_WINDOW = 3.0  # side of the surroundings of a known face over its box: it may move its own width


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """One face in one frame.

    Attributes:
        box: (4,) left, top, right, bottom in pixels; may reach beyond the frame.
        landmarks: (5, 2) eyes, nose tip, mouth corners in pixels, left to right in the picture.
            From the detector alone the two mouth corners are estimates around its mouth point.
        confidence: 0..1.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    confidence: float

    @property
    def side(self) -> float:
        """Longer side of the box in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))


def _anchors(size: int, layers: tuple[tuple[int, int], ...]) -> NDArray[np.float32]:
    """Centres of the network's anchors, (n, 2) in 0..1; ``layers`` holds (stride, count)."""
    parts = []
    for stride, count in layers:
        cells = size // stride
        ys, xs = np.mgrid[:cells, :cells]
        centres = np.stack([xs, ys], -1).reshape(-1, 2) + 0.5
        parts.append(np.repeat(centres / cells, count, axis=0))
    return np.concatenate(parts).astype(np.float32)


class _BlazeFace:
    """One BlazeFace network over square pictures."""

    def __init__(self, model: str, size: int, layers: tuple[tuple[int, int], ...]) -> None:
        self._anchors = _anchors(size, layers)
        n = len(self._anchors)
        self._net = TfliteNet(model_path(model), size, (n, n * 16))
        self.size = size

    def __call__(self, image: NDArray[np.uint8], threshold: float) -> NDArray[np.float32]:
        """Return (k, 17) rows for one picture: score, box (4), six points (12), in pixels."""
        h, w = image.shape[:2]
        scale = self.size / max(h, w)
        rw, rh = max(1, round(w * scale)), max(1, round(h * scale))
        small = _shrink(image, rw, rh)
        canvas = np.zeros((self.size, self.size, 3), np.float32)
        left, top = (self.size - rw) // 2, (self.size - rh) // 2
        canvas[top : top + rh, left : left + rw] = small / 127.5 - 1.0
        logits, raw = self._net(canvas)
        limit = float(np.log(threshold / (1.0 - threshold)))
        keep = np.flatnonzero(logits > limit)
        if not len(keep):
            return np.zeros((0, 17), np.float32)
        raw = raw.reshape(-1, 16)[keep]
        anchors = self._anchors[keep] * self.size
        points = raw.reshape(-1, 8, 2).copy()
        points[:, 0] += anchors
        points[:, 2:] += anchors[:, None]
        half = points[:, 1] / 2
        boxes = np.concatenate([points[:, 0] - half, points[:, 0] + half], 1)
        coords = np.concatenate([boxes, points[:, 2:].reshape(len(keep), 12)], 1)
        coords = (coords - np.tile([left, top], 8)) / scale
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[keep], -_SCORE_LIMIT, _SCORE_LIMIT)))
        return np.concatenate([scores[:, None], coords], 1).astype(np.float32)


def _shrink(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Resize by averaging, halving first while that is exact: OpenCV halves three times faster."""
    h, w = image.shape[:2]
    while w >= 2 * width and h >= 2 * height:
        w, h = w // 2, h // 2
        # An odd last row or column is left out, as it would take the slow way for all.
        half = cv2.resize(image[: 2 * h, : 2 * w], (w, h), interpolation=cv2.INTER_AREA)
        image = np.asarray(half, np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _overlaps(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share that ``box`` has in common with each of ``boxes``: of the union or, if larger, 0.8 of
    the share of the smaller one (a tile may cut a face and return a part of it)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    inter = np.prod(np.clip(high - low, 0, None), axis=1)
    area = float(np.prod(box[2:] - box[:2]))
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    union = inter / np.maximum(area + areas - inter, 1e-9)
    smaller = inter / np.maximum(np.minimum(area, areas), 1e-9)
    result: NDArray[np.float32] = np.maximum(union, 0.8 * smaller - 0.3)
    return result


def same_face(box: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two (4,) boxes overlap so much that they show one face."""
    return bool(_overlaps(box, other[None])[0] > _OVERLAP)


def _merge(rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Join overlapping rows into one face each, weighted by score (MediaPipe's rule)."""
    rows = rows[np.argsort(-rows[:, 0])]
    faces = []
    while len(rows):
        same = _overlaps(rows[0, 1:5], rows[:, 1:5]) > _OVERLAP
        same[0] = True
        group = rows[same]
        face = np.average(group, axis=0, weights=group[:, 0] ** 2)
        face[0] = group[0, 0]
        faces.append(face.astype(np.float32))
        rows = rows[~same]
    return faces


def _to_face(row: NDArray[np.float32]) -> DetectedFace:
    eye_l, eye_r, nose, mouth = row[5:13].reshape(4, 2)
    # BlazeFace gives the middle of the mouth; corners lie about 0.4 eye distances off it.
    half = 0.4 * (eye_r - eye_l)
    points = np.stack([eye_l, eye_r, nose, mouth - half, mouth + half])
    return DetectedFace(row[1:5].copy(), points.astype(np.float32), float(row[0]))


class FaceFinder:
    """Find every face of a picture.

    Args:
        threshold: Least confidence, 0..1.
        smallest: Faces whose longer side is below this many pixels are not looked for.
        max_faces: At most this many faces a picture, the largest first.

    Raises:
        ModelMissingError: The models were not pulled.
    """

    def __init__(self, *, threshold: float = 0.55, smallest: int = 24, max_faces: int = 24) -> None:
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"threshold must lie in 0..1, got {threshold}")
        self.threshold = threshold
        self.smallest = smallest
        self.max_faces = max_faces
        self._full = _BlazeFace("blazeface_full", 192, ((4, 1),))
        self._short = _BlazeFace("blazeface_short", 128, ((8, 2), (16, 6)))

    def detect(self, image: NDArray[np.uint8], *, thorough: bool = True) -> list[DetectedFace]:
        """Find faces.

        Args:
            image: (h, w, 3) RGB ``uint8``.
            thorough: Also ask the short-range network, and look through overlapping tiles for
                small faces, which costs about eight times as much; without it this is done only
                where the first look finds nothing.

        Returns:
            Faces, largest first.
        """
        rows = [self._full(image, self.threshold)]
        if thorough or not len(rows[0]):
            rows.append(self._near(image))
        if thorough or not sum(map(len, rows)):
            rows += self._tiles(image)
        return self._faces(np.concatenate(rows))

    def _faces(self, rows: NDArray[np.float32]) -> list[DetectedFace]:
        faces = [_to_face(row) for row in _merge(rows)]
        faces = [face for face in faces if face.side >= self.smallest and _plausible(face)]
        return sorted(faces, key=lambda face: -face.side)[: self.max_faces]

    def refind(
        self, image: NDArray[np.uint8], boxes: Sequence[NDArray[np.float32]]
    ) -> list[DetectedFace]:
        """Look for known faces again, each in the surroundings of its last box.

        Args:
            image: (h, w, 3) RGB ``uint8``.
            boxes: (4,) last known boxes; a face may have moved by its own width.

        Returns:
            The faces seen there, largest first; a face that two windows show is one.
        """
        h, w = image.shape[:2]
        rows = [np.zeros((0, 17), np.float32)]
        for box in boxes:
            centre = (box[:2] + box[2:]) / 2
            reach = _WINDOW / 2 * float((box[2:] - box[:2]).max())
            left, top = np.clip(np.floor(centre - reach), 0, None).astype(int)
            right, bottom = np.minimum(np.ceil(centre + reach), (w, h)).astype(int)
            if right - left < 2 or bottom - top < 2:
                continue
            found = self._near(image[top:bottom, left:right])
            found[:, 1:] += np.tile([left, top], 8)
            rows.append(found)
        return self._faces(np.concatenate(rows))

    def _near(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        # Alone the short-range network fires on textures, so it is asked to be surer.
        return self._short(image, max(self.threshold, 0.75))

    def _tiles(self, image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        h, w = image.shape[:2]
        side = max(int(min(h, w) * _TILE), 192)
        if max(h, w) <= side * 1.25:
            return []
        rows = []
        for top in _starts(h, side):
            for left in _starts(w, side):
                found = self._full(image[top : top + side, left : left + side], self.threshold)
                # A face cut by an inner tile edge is seen whole by a neighbour.
                found = found[_inside(found, side, left, top, w, h)]
                found[:, 1:] += np.tile([left, top], 8)
                rows.append(found)
        return rows


def _starts(length: int, side: int) -> list[int]:
    """Evenly spread tile starts along one axis with at least a quarter of overlap."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (0.75 * side))) + 1
    return [int(round(x)) for x in np.linspace(0, length - side, count)]


def _inside(
    rows: NDArray[np.float32], side: int, left: int, top: int, w: int, h: int
) -> NDArray[np.bool_]:
    edge = 0.02 * side
    boxes = rows[:, 1:5]
    keep = (boxes[:, 0] > edge) | (left == 0)
    keep &= (boxes[:, 1] > edge) | (top == 0)
    keep &= (boxes[:, 2] < side - edge) | (left + side >= w)
    keep &= (boxes[:, 3] < side - edge) | (top + side >= h)
    result: NDArray[np.bool_] = keep
    return result


def _plausible(face: DetectedFace) -> bool:
    """Whether the points lie like a face's: apart, and within reach of the box."""
    eyes = float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))
    return eyes > 0.08 * face.side
