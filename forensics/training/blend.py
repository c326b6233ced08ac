"""Self-blended images (Shiohara and Yamasaki, CVPR 2022): one face against a changed self.

Both members of a pair come from the same picture, so that they differ in nothing but the
statistics across one blend. numpy and OpenCV only: the demo makes its labelled example with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.mesh import OVAL

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]

# Parts of the face that manipulations replace, as mesh outlines (their convex hull is filled).
_BROW_TO_LIP = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 454, 291, 17, 61, 234)
_EYES_TO_NOSE = (70, 105, 107, 336, 334, 300, 263, 429, 2, 209, 33)
_LOWER_FACE = (234, 116, 197, 345, 454, 361, 397, 378, 152, 149, 172, 132)
_MOUTH = (57, 37, 267, 287, 405, 17, 181, 205, 425)
_INNER = (
    63, 105, 66, 336, 334, 293, 368, 447, 366, 401, 435, 367, 364, 395, 369, 175,
    140, 170, 135, 138, 215, 177, 137, 227, 139,
)  # fmt: skip
_HULLS = (OVAL, _INNER, _BROW_TO_LIP, _LOWER_FACE, _EYES_TO_NOSE, _MOUTH)
_HULL_SHARE = (0.42, 0.22, 0.16, 0.08, 0.07, 0.05)


def _smooth_noise(rng: np.random.Generator, size: int, cells: int) -> NDArray[np.float32]:
    noise = rng.standard_normal((cells, cells, 2)).astype(np.float32)
    return np.asarray(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def face_hull(mesh: NDArray[np.floating], size: int, rng: np.random.Generator) -> Mask:
    """Draw a random part of the face as a hard mask, its outline shaken.

    Args:
        mesh: (468, 2+) points in pixels.
        size: Side of the picture.
        rng: Source of chance.

    Returns:
        (size, size) float32, 0 or 1.
    """
    outline = _HULLS[rng.choice(len(_HULLS), p=_HULL_SHARE)]
    points = mesh[list(outline), :2].astype(np.float32)
    centre = points.mean(0)
    points = (points - centre) * rng.uniform(0.86, 1.1, 2) + centre
    if rng.random() < 0.12:  # some tools paste the whole aligned square
        low, high = points.min(0), points.max(0)
        points = np.array([low, [high[0], low[1]], high, [low[0], high[1]]], np.float32)
    hull = cv2.convexHull(points.astype(np.float32)).round().astype(np.int32)
    mask = np.zeros((size, size), np.float32)
    cv2.fillConvexPoly(mask, hull, 1.0)
    span = float(np.ptp(points, axis=0).max())
    shake = _smooth_noise(rng, size, int(rng.integers(5, 12))) * span * rng.uniform(0.005, 0.04)
    xs, ys = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    shaken = cv2.remap(mask, xs + shake[..., 0], ys + shake[..., 1], cv2.INTER_LINEAR)
    return np.asarray(shaken, np.float32)


def soften(mask: Mask, rng: np.random.Generator, span: float) -> Mask:
    """Erode or grow a hard mask, feather it, and scale its strength.

    Args:
        mask: (n, n) 0..1.
        rng: Source of chance.
        span: Size of the face in pixels.

    Returns:
        (n, n) float32 0..1.
    """
    wide = 2.0 * max(span * rng.uniform(0.005, 0.055), 0.6)
    first = cv2.GaussianBlur(mask, (0, 0), wide)
    hard = (first > rng.uniform(0.25, 0.75)).astype(np.float32)
    soft = cv2.GaussianBlur(hard, (0, 0), max(span * rng.uniform(0.003, 0.05), 0.5))
    return soft * np.float32(rng.choice([0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0]))


def shift_colour(image: Image, rng: np.random.Generator, strength: float = 1.0) -> Image:
    """Change colour, brightness and contrast a little, as another camera or paint would."""
    x = image.astype(np.float32)
    x = (x - 127.5) * (1 + rng.uniform(-0.12, 0.12) * strength) + 127.5
    x += rng.uniform(-18, 18, 3).astype(np.float32) * np.float32(strength)
    x += rng.uniform(-10, 10) * strength
    if rng.random() < 0.5:
        gray = x.mean(-1, keepdims=True)
        x = gray + (x - gray) * (1 + rng.uniform(-0.3, 0.3) * strength)
    return np.clip(x, 0, 255).astype(np.uint8)


def shift_detail(image: Image, rng: np.random.Generator) -> Image:
    """Lose or exaggerate fine detail: reduce and enlarge, blur, or sharpen."""
    kind = rng.random()
    n = image.shape[0]
    if kind < 0.45:
        factor = rng.uniform(1.3, 4.5)
        small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        kernels = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)
        how = kernels[rng.choice(3, p=(0.5, 0.4, 0.1))]
        return np.asarray(cv2.resize(small, (n, n), interpolation=how), np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 3.0)), np.uint8)
    if kind < 0.7:
        return blurred
    amount = rng.uniform(0.4, 1.6)
    return np.asarray(cv2.addWeighted(image, 1 + amount, blurred, -amount, 0), np.uint8)


def _jog(image: Image, mask: Mask, rng: np.random.Generator, span: float) -> tuple[Image, Mask]:
    """Shift, scale and turn the pasted face slightly, with its mask."""
    n = image.shape[0]
    scale = rng.uniform(0.95, 1.05)
    turn = cv2.getRotationMatrix2D((n / 2, n / 2), rng.uniform(-2, 2), scale)
    matrix = np.asarray(turn, np.float64)
    matrix[:, 2] += rng.uniform(-0.03, 0.03, 2) * span
    moved = cv2.warpAffine(
        image, matrix, (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    moved_mask = cv2.warpAffine(mask, matrix, (n, n), flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8), np.asarray(moved_mask, np.float32)


def paste(target: Image, source: Image, mask: Mask) -> Image:
    """Blend ``source`` over ``target`` where ``mask`` (0..1) is set."""
    weight = mask[..., None]
    mixed = target.astype(np.float32) * (1 - weight) + source.astype(np.float32) * weight
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def self_blend(
    image: Image, mesh: NDArray[np.floating], rng: np.random.Generator
) -> tuple[Image, Mask]:
    """Blend a face with a changed copy of itself.

    Args:
        image: (n, n, 3) RGB ``uint8``.
        mesh: (468, 2+) points in pixels.
        rng: Source of chance.

    Returns:
        The blended picture and its (n, n) mask, 0..1.
    """
    span = float(np.ptp(mesh[:, 1]))
    source, target = image, image
    changed = image
    if rng.random() < 0.9:
        changed = shift_colour(changed, rng)
    if rng.random() < 0.75:
        changed = shift_detail(changed, rng)
    if rng.random() < 0.6:
        source = changed
    else:
        target = changed
    hard = face_hull(mesh, image.shape[0], rng)
    source, hard = _jog(source, hard, rng, span)
    mask = soften(hard, rng, span)
    return paste(target, source, mask), mask


def self_blend_clip(
    frames: Iterable[Image], meshes: Iterable[NDArray[np.floating]], *, seed: int = 0
) -> Iterator[Image]:
    """Self-blend every frame of a clip in one way, as a face swapper would treat it.

    Args:
        frames: (n, n, 3) RGB ``uint8`` pictures.
        meshes: (468, 2+) points of each.
        seed: Of the one way that serves the whole clip.

    Yields:
        The blended pictures. The caller labels them: they are fakes.
    """
    for image, mesh in zip(frames, meshes, strict=True):
        yield self_blend(image, mesh, np.random.default_rng(seed))[0]
