"""Animate a portrait by its mesh: a talking head whose truth is known, for demos and calibration.

Every frame is the same photograph warped, so it shows no manipulation that a blend detector looks
for; it is still no recording, and whoever publishes one says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import align_face
from forensics.faces.detect import FaceFinder
from forensics.faces.mesh import FaceMesh, five_points, mesh_in_crop
from forensics.training.warp import displacement, move_pixels, turn_head

Image = NDArray[np.uint8]
Mesh = NDArray[np.float32]

_CHIN, _LIP, _BROW = 152, 17, 9


def _drift(
    rng: np.random.Generator, times: NDArray[np.float64], rate: float
) -> NDArray[np.float64]:
    """A smooth random movement of about unit size: three slow sines."""
    phases = rng.uniform(0, 2 * np.pi, 3)
    rates = rate * rng.uniform(0.5, 1.6, 3)
    waves = [np.sin(2 * np.pi * r * times + p) for r, p in zip(rates, phases, strict=True)]
    return np.asarray(np.sum(waves, axis=0) / 2.0)


def animate_face(
    image: Image, mesh: Mesh, *, seconds: float, fps: float = 25.0, seed: int = 0,
    strength: float = 1.0,
) -> Iterator[tuple[Image, Mesh]]:
    """Let an aligned face nod, turn and talk.

    Args:
        image: (n, n, 3) RGB ``uint8``, one face with some room around it.
        mesh: (468, 3) points in its pixels.
        seconds: Length.
        fps: Frames per second.
        seed: Of the movement.
        strength: 1 is a lively talker.

    Yields:
        Frames of the same size with their (468, 3) mesh.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(max(1, round(seconds * fps))) / fps
    yaw, pitch, roll = (_drift(rng, times, rate) for rate in (0.25, 0.2, 0.15))
    talk = np.clip(_drift(rng, times, 2.2), 0, None) * (_drift(rng, times, 0.35) > -0.3)
    brow = _drift(rng, times, 0.3)
    size = float(np.ptp(mesh[:, 1]))
    at = mesh[:, :2]
    jaw = np.clip((at[:, 1] - mesh[_LIP, 1]) / size * 6.0 + 0.5, 0, 1)
    jaw *= np.exp(-(((at[:, 0] - mesh[_CHIN, 0]) / (0.45 * size)) ** 2))
    brows = np.exp(-(((at - mesh[_BROW, :2]) / (0.32 * size)) ** 2).sum(1))
    for k in range(len(times)):
        target = turn_head(
            mesh, 9.0 * strength * yaw[k], 4.5 * strength * pitch[k], 2.0 * strength * roll[k]
        )
        target[:, 1] += (jaw * talk[k] * 0.05 - brows * brow[k] * 0.012) * size * strength
        field = displacement(target[:, :2], target[:, :2] - mesh[:, :2], image.shape[0])
        yield move_pixels(image, field), target


def portrait_face(image: Image, *, size: int = 512, margin: float = 0.55) -> tuple[Image, Mesh]:
    """Cut a portrait's largest face out with room around it.

    Args:
        image: (h, w, 3) RGB ``uint8`` photograph.
        size: Side of the result, pixels.
        margin: Room around the tight face square.

    Returns:
        (size, size, 3) picture and its (468, 3) mesh.

    Raises:
        ValueError: No face was found.
    """
    found = FaceFinder().detect(image)
    if not found:
        raise ValueError("no face in the portrait")
    mesh, _ = FaceMesh().points(image, found[0])
    crop, to_frame = align_face(image, five_points(mesh), size=size, margin=margin)
    return crop, mesh_in_crop(mesh, to_frame)


def animate_portrait(
    image: Image, *, seconds: float = 6.0, fps: float = 25.0, seed: int = 0, size: int = 512
) -> Iterator[tuple[Image, Mesh]]:
    """Find the face of a photograph and animate it, see `animate_face`.

    Raises:
        ValueError: No face was found.
    """
    face, mesh = portrait_face(image, size=size)
    yield from animate_face(face, mesh, seconds=seconds, fps=fps, seed=seed)

