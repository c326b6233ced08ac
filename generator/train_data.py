"""Training pairs: a distorted face goes in, the undistorted one is asked for.

The distortion is what makes the code general: a network that may copy learns to copy; one that
must unwarp has to know what a face of this person looks like. Batch ``k`` is a pure function of
(seed, k), so a resumed training sees exactly what an uninterrupted one would have seen.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity
from generator.faceset import FaceEntry
from generator.methods import COVERAGE, FACE_SIZE
from generator.occlude import Occluder

# MediaPipe mesh outlines of the parts that must be right for a face to look alive.
_EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
_MOUTH = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a face is distorted. Lengths are shares of the 256 px face unless said otherwise.

    Attributes:
        rotation: Largest turn, degrees.
        zoom: Largest change of size.
        shift: Largest shift.
        flip: Probability of mirroring.
        warp: Standard deviation of the 5 x 5 grid's points, pixels of the 256 px face.
        light: Standard deviation of gain and offset of each channel, the same for both pictures.
            Wide enough that two clips' colours overlap: else the encoder can tell the people by
            colour, codes each in its own way, and one's expression says nothing to the other.
        eyes: Weight of the eyes in the loss; skin has 1.
        mouth: Weight of the mouth.
        background: Weight outside the face.
    """

    rotation: float = 10.0
    zoom: float = 0.05
    shift: float = 0.05
    flip: float = 0.4
    warp: float = 5.0
    light: float = 0.08
    eyes: float = 3.0
    mouth: float = 4.0
    background: float = 0.1


@dataclass(frozen=True, slots=True)
class Batch:
    """Several pairs of one person.

    Attributes:
        inputs: (n, size, size, 3) ``float32`` in 0..1, distorted.
        targets: The same faces, only turned, moved and scaled.
        weights: (n, size, size, 1) ``float32``, weight of each pixel in the loss.
        masks: (n, size, size, 1) ``float32`` in 0..1, the visible face.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32] = field(repr=False)
    weights: NDArray[np.float32] = field(repr=False)
    masks: NDArray[np.float32] = field(repr=False)


def network_view(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return the central 160 px of an aligned face as the network sees it, (size, size, 3)."""
    work = _shrink(crop, size)
    scale = size / (COVERAGE * len(work) / FACE_SIZE)
    offset = (size - len(work) * scale) / 2 + (scale - 1) / 2  # pixel centres, not corners
    matrix = np.array([[scale, 0, offset], [0, scale, offset]])
    view = cv2.warpAffine(work, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(view, np.uint8)


def _shrink(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Reduce a 256 px picture to 2 x size: bilinear sampling at 0.8 then no longer aliases."""
    side = min(2 * size, FACE_SIZE)
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def pixel_weights(entry: FaceEntry, recipe: Recipe) -> NDArray[np.uint8]:
    """Weights of one face in 1/64: (256, 256) ``uint8``."""
    weights = np.where(entry.mask > 127, 1.0, recipe.background).astype(np.float32)
    for outline, value in ((_MOUTH, recipe.mouth), *((eye, recipe.eyes) for eye in _EYES)):
        blank = np.zeros_like(entry.mask)
        points = np.clip(entry.face.mesh[list(outline), :2], -999, 999).round().astype(np.int32)
        cv2.fillConvexPoly(blank, cv2.convexHull(points), 255)
        part = cv2.dilate(blank, np.ones((9, 9), np.uint8))
        weights[(part > 0) & (entry.mask > 127)] = value
    return np.clip(weights * 64, 0, 255).astype(np.uint8)


class FacePool:
    """All faces of one person at working size, ready to be drawn from.

    Args:
        entries: The faces.
        size: Side of the network's picture.
        recipe: The distortion.
        occlude: Put known things over the faces (for networks with a mask branch).
        templates: Photographed things among them, beside the drawn ones.
    """

    def __init__(
        self,
        entries: Sequence[FaceEntry],
        size: int,
        recipe: Recipe | None = None,
        *,
        occlude: bool = False,
        templates: Sequence[Occluder] = (),
    ) -> None:
        self.size = size
        self.recipe = recipe or Recipe()
        self.occlude = occlude
        self._templates = templates
        self._entries = list(entries) if occlude else []
        # Red, green, blue and weight as one picture: every distortion moves them together.
        self._stack = [
            _shrink(np.dstack([e.face.crop, pixel_weights(e, self.recipe)]), size) for e in entries
        ]
        self.count = len(entries)

    def views(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Undistorted faces for validation, (n, size, size, 3) in 0..1."""
        side, centre = self.size, _Placement(self._stack[0].shape[0], self.size)
        matrix = centre.to_output(np.eye(3))
        return np.stack([
            cv2.warpAffine(self._stack[i], matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
            for i in indices
        ])[..., :3].astype(np.float32) / 255.0

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw ``count`` pairs, with replacement."""
        pairs = [self._pair(rng, int(i)) for i in rng.integers(0, self.count, count)]
        inputs, targets = (np.stack(x) for x in zip(*pairs, strict=True))
        weights = targets[..., 3:4].astype(np.float32) / 64.0
        # Light differs from clip to clip; both pictures get the same change.
        gain = np.exp(rng.normal(0, self.recipe.light, (count, 1, 1, 3))).astype(np.float32)
        offset = rng.normal(0, self.recipe.light, (count, 1, 1, 3)).astype(np.float32)
        visible = (weights > 0.5).astype(np.float32)
        return Batch(
            np.clip(inputs[..., :3].astype(np.float32) / 255.0 * gain + offset, 0, 1),
            np.clip(targets[..., :3].astype(np.float32) / 255.0 * gain + offset, 0, 1),
            weights,
            visible,
        )

    def _pair(
        self, rng: np.random.Generator, index: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        picture = self._stack[index]
        if self.occlude:
            picture = self._occluded(rng, index)
        place = _Placement(len(picture), self.size)
        spot = self._random_place(rng, len(picture))
        # 5 x 5 points over the covered square, moved at random, then interpolated to every pixel.
        grid = place.grid(spot)
        sigma = self.recipe.warp * len(picture) / FACE_SIZE
        bent = (grid + rng.normal(0.0, sigma, grid.shape)).astype(np.float32)
        maps = place.upsample(bent)
        warped = cv2.remap(
            picture, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        # The target is the straight picture nearest to the bent one, so only the bends, not a
        # shift or turn they happen to add up to, have to be undone.
        straight = similarity(bent.reshape(-1, 2), place.corners.reshape(-1, 2))
        target = cv2.warpAffine(
            picture, straight, (self.size, self.size), borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(warped, np.uint8), np.asarray(target, np.uint8)

    def _random_place(self, rng: np.random.Generator, side: int) -> NDArray[np.float64]:
        """Random turn, zoom, shift and mirroring as a 3 x 3 matrix within the picture."""
        r = self.recipe
        turn = np.radians(rng.uniform(-r.rotation, r.rotation))
        zoom = 1.0 + rng.uniform(-r.zoom, r.zoom)
        shift = rng.uniform(-r.shift, r.shift, 2) * side
        mirror = -1.0 if rng.random() < r.flip else 1.0
        cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
        linear = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
        centre = np.full(2, (side - 1) / 2)
        matrix = np.eye(3)
        matrix[:2, :2] = linear
        matrix[:2, 2] = centre - linear @ centre + shift
        return matrix

    def _occluded(self, rng: np.random.Generator, index: int) -> NDArray[np.uint8]:
        from generator.occluded_pairs import cover_face

        entry = self._entries[index]
        crop, covered = cover_face(entry.face, rng, self._templates)
        weights = np.where(covered > 0.5, np.uint8(6), pixel_weights(entry, self.recipe))
        return _shrink(np.dstack([crop, weights]), self.size)


class _Placement:
    """Geometry between a working picture and the network's square in its middle."""

    def __init__(self, work: int, size: int) -> None:
        self.work, self.size = work, size
        steps = np.arange(5) * size / 4 - 0.5  # corners of the outer pixels
        self.corners = np.stack(np.meshgrid(steps, steps), axis=-1)  # (5, 5, xy) in output pixels

    def grid(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the 5 x 5 output points lie in the working picture, (5, 5, 2)."""
        scale = COVERAGE * self.work / FACE_SIZE / self.size
        middle = (self.work - 1) / 2 + (self.corners - (self.size - 1) / 2) * scale
        return middle @ place[:2, :2].T + place[:2, 2]

    def to_output(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Affine (2, 3) from working to output pixels."""
        return similarity(self.grid(place).reshape(-1, 2), self.corners.reshape(-1, 2))

    def upsample(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        """Interpolate (5, 5, 2) points to (size, size, 2) sampling positions."""
        step = self.size // 4
        # resize treats values as pixel centres, so the outer half cell is cut off.
        large = cv2.resize(grid, (5 * step, 5 * step), interpolation=cv2.INTER_LINEAR)
        edge = step // 2
        return np.asarray(large[edge : edge + self.size, edge : edge + self.size], np.float32)


def people_at(faces: Sequence[int], seed: int, step: int, most: int) -> list[int]:
    """Return whose turn it is: everybody, or ``most`` of them drawn from (seed, step).

    A person is drawn as often as there are ``faces`` of them, so that the talking heads, which
    show how faces move, are not lost among portraits of people who were photographed once.
    """
    if len(faces) <= most:
        return list(range(len(faces)))
    rng = np.random.default_rng([seed, step])
    share = np.array(faces, np.float64) / sum(faces)
    return sorted(int(i) for i in rng.choice(len(faces), most, replace=False, p=share))


def batch_at(
    pools: Sequence[FacePool], seed: int, step: int, count: int, most: int = 2
) -> dict[int, Batch]:
    """Return one batch a person for one step; depends on nothing but its arguments.

    Args:
        pools: One a person.
        seed: Of the training.
        step: Number of the step, from 0.
        count: Pairs a person.
        most: People in one step.
    """
    return {
        person: pools[person].draw(np.random.default_rng([seed, step, person]), count)
        for person in people_at([pool.count for pool in pools], seed, step, most)
    }


def prefetch(
    pools: Sequence[FacePool], seed: int, first: int, count: int, most: int = 2
) -> Generator[dict[int, Batch], None, None]:
    """Yield the batches of steps ``first``, ``first + 1``, ... made in a background thread.

    OpenCV lets go of the interpreter lock while it works, so the thread costs the training loop
    next to nothing. Close the generator to stop the thread.
    """
    waiting: queue.Queue[dict[int, Batch] | BaseException] = queue.Queue(3)
    stop = threading.Event()

    def put(item: dict[int, Batch] | BaseException) -> None:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def work() -> None:
        step = first
        try:
            while not stop.is_set():
                put(batch_at(pools, seed, step, count, most))
                step += 1
        except BaseException as error:  # handed to the training loop, which raises it
            put(error)

    thread = threading.Thread(target=work, name="training-data", daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
