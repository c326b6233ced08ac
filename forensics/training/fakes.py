"""The families of training fakes, all made from lawful portraits and labelled to the pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity
from forensics.faces.mesh import five_points
from forensics.training.blend import (
    Image,
    Mask,
    face_hull,
    paste,
    self_blend,
    shift_colour,
    soften,
)
from forensics.training.portraits import Portrait
from forensics.training.warp import displacement, move_pixels


class Coder(Protocol):
    """Repaints a face from a short code and puts it back into the picture, unblended."""

    def repaint(
        self, image: Image, mesh: NDArray[np.floating], rng: np.random.Generator
    ) -> Image:
        """Return a picture of the same size."""


@dataclass(frozen=True, slots=True)
class Material:
    """What the makers may draw on: other people's faces and a face coder."""

    donors: Sequence[Portrait]
    coder: Coder


Maker = Callable[[Image, NDArray[np.float32], Material, np.random.Generator], tuple[Image, Mask]]


def _blend(
    target: Image, source: Image, mesh: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Image, Mask]:
    span = float(np.ptp(mesh[:, 1]))
    mask = soften(face_hull(mesh, target.shape[0], rng), rng, span)
    return paste(target, source, mask), mask


def _match_colour(
    source: Image, target: Image, mesh: NDArray[np.float32], amount: float
) -> Image:
    """Move the face colours of ``source`` towards those of ``target`` (Reinhard et al. 2001)."""
    hull = cv2.convexHull(mesh[:, :2].round().astype(np.int32))
    inside = np.zeros(source.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, hull, 255)
    mean_s, dev_s = (v.ravel() for v in cv2.meanStdDev(source, mask=inside))
    mean_t, dev_t = (v.ravel() for v in cv2.meanStdDev(target, mask=inside))
    ratio = np.clip(dev_t / np.maximum(dev_s, 1.0), 0.4, 2.5)
    matched = (source.astype(np.float32) - mean_s) * ratio + mean_t
    mixed = source * (1.0 - amount) + matched * amount
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _low_resolution(image: Image, mesh: NDArray[np.float32], rng: np.random.Generator) -> Image:
    """Pass the face through a 40 to 128 px square, as a swapper's decoder output would be."""
    span = float(np.ptp(mesh[:, 1])) * 1.1
    factor = span / rng.uniform(40, 128)
    if factor <= 1.05:
        return image
    n = image.shape[0]
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        small = cv2.bilateralFilter(small, 5, rng.uniform(10, 45), 2.0)
    how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[int(rng.integers(3))]
    return np.asarray(cv2.resize(small, (n, n), interpolation=how), np.uint8)


def self_blended(
    image: Image, mesh: NDArray[np.float32], material: Material, rng: np.random.Generator
) -> tuple[Image, Mask]:
    """The face against a changed copy of itself."""
    return self_blend(image, mesh, rng)


def repainted(
    image: Image, mesh: NDArray[np.float32], material: Material, rng: np.random.Generator
) -> tuple[Image, Mask]:
    """The face repainted from a small code, its expression kept, its details lost."""
    source = material.coder.repaint(image, mesh, rng)
    if rng.random() < 0.7:
        source = shift_colour(source, rng, 0.8)
    return _blend(image, source, mesh, rng)


def softened(
    image: Image, mesh: NDArray[np.float32], material: Material, rng: np.random.Generator
) -> tuple[Image, Mask]:
    """The face passed through a low-resolution square and slightly moved."""
    source = _low_resolution(image, mesh, rng)
    wobble = rng.standard_normal((5, 5, 2)).astype(np.float32) * np.ptp(mesh[:, 1]) * 0.012
    n = image.shape[0]
    field = cv2.resize(wobble, (n, n), interpolation=cv2.INTER_CUBIC)
    source = move_pixels(source, np.asarray(field, np.float32))
    if rng.random() < 0.8:
        source = shift_colour(source, rng)
    return _blend(image, source, mesh, rng)


def swapped(
    image: Image, mesh: NDArray[np.float32], material: Material, rng: np.random.Generator
) -> tuple[Image, Mask]:
    """Another person's face laid over this one by feature points, then often repainted."""
    donor = material.donors[int(rng.integers(len(material.donors)))]
    n = image.shape[0]
    forward = similarity(five_points(donor.mesh), five_points(mesh))
    laid = cv2.warpAffine(
        np.asarray(donor.image), forward, (n, n), borderMode=cv2.BORDER_REFLECT_101
    )
    source = np.asarray(laid, np.uint8)
    placed = donor.mesh[:, :2] @ forward[:, :2].T + forward[:, 2]
    if rng.random() < 0.75:  # the rest keeps the donor's shape: doubled brows, a second chin
        field = displacement(mesh[:, :2], mesh[:, :2] - placed, n, hold_border=False)
        source = move_pixels(source, field)
    source = _match_colour(source, image, mesh, float(rng.uniform(0.55, 1.0)))
    if rng.random() < 0.5:
        source = material.coder.repaint(source, mesh, rng)
    if rng.random() < 0.6:
        source = _low_resolution(source, mesh, rng)
    if rng.random() < 0.4:
        source = shift_colour(source, rng, 0.6)
    return _blend(image, source, mesh, rng)


MAKERS: dict[str, Maker] = {
    "self_blended": self_blended,
    "repainted": repainted,
    "softened": softened,
    "swapped": swapped,
}
"""Every family by name."""

SHARES: dict[str, float] = {
    "self_blended": 0.45,
    "repainted": 0.18,
    "softened": 0.13,
    "swapped": 0.24,
}
"""How often each family is drawn in training."""
