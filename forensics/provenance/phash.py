"""Perceptual hashes: PDQ (Facebook 2019, "The TMK+PDQF video-hashing algorithm and the PDQ
image-hashing algorithm"), written anew in NumPy, since its packages have to be compiled.

Two pictures whose hashes differ in at most `NEAR` of 256 bits look the same to a person nearly
always. They may still differ where it matters: a swapped face covers a small part of a picture.
So such a match is a link for a person to follow, never a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.types import Frame

NEAR = 31
"""Bits of 256 that may differ, the value that PDQ's authors recommend."""

LEAST_QUALITY = 50
"""Pictures with less detail (of 100) give hashes that mean nothing."""

_SIDE = 64
_LARGEST = 512
_KEPT = 256  # side of the pictures that wait for their hash
_UNPLANNED = 96  # pictures that count as the plan where every picture is looked at
_MOMENTS = (1 / 6, 1 / 2, 5 / 6)


@cache
def _cosines() -> NDArray[np.float32]:
    """Return rows 1 to 16 of the 64-point DCT-II, (16, 64)."""
    rows, columns = np.arange(1, 17)[:, None], np.arange(_SIDE)[None]
    return np.asarray(
        np.sqrt(2 / _SIDE) * np.cos(np.pi / 2 / _SIDE * rows * (2 * columns + 1)), np.float32
    )


def _box(values: NDArray[np.float32], window: int, axis: int) -> NDArray[np.float32]:
    """Mean over a window that is cut off at the ends, as PDQ's reference defines it."""
    n = values.shape[axis]
    right = (window + 2) // 2 - 1
    left = window - 1 - right
    sums = np.cumsum(values, axis=axis, dtype=np.float64)
    zero = np.zeros_like(np.take(sums, [0], axis=axis))
    sums = np.concatenate([zero, sums], axis=axis)
    high = np.minimum(np.arange(n) + right + 1, n)
    low = np.maximum(np.arange(n) - left, 0)
    shape = [1, 1]
    shape[axis] = n
    span = np.take(sums, high, axis=axis) - np.take(sums, low, axis=axis)
    return np.asarray(span / (high - low).reshape(shape), np.float32)


def pdq(image: NDArray[np.uint8]) -> tuple[bytes, int]:
    """Return the PDQ hash of a picture and its quality.

    Args:
        image: (h, w, 3) RGB ``uint8``. Larger sides than 512 pixels are scaled down first.

    Returns:
        32 bytes, and 0..100: how much detail the hash rests on.
    """
    height, width = image.shape[:2]
    if max(height, width) > _LARGEST:
        size = (min(width, _LARGEST), min(height, _LARGEST))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = image.shape[:2]
    luma = np.asarray(image @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
    for _ in range(2):
        for axis, n in ((1, width), (0, height)):
            luma = _box(luma, (n + 2 * _SIDE - 1) // (2 * _SIDE), axis)
    places = np.arange(_SIDE) + 0.5
    rows = (places * height / _SIDE).astype(int)
    columns = (places * width / _SIDE).astype(int)
    small = luma[rows][:, columns]
    d = _cosines()
    block = d @ small @ d.T
    median = np.sort(block, axis=None)[block.size // 2 - 1]  # the lower one, as the reference
    bits = (block > median).reshape(-1)
    return np.packbits(bits[::-1]).tobytes(), _quality(small)


def _quality(small: NDArray[np.float32]) -> int:
    steps = [np.trunc(np.diff(small, axis=axis) * 100 / 255) for axis in (0, 1)]
    total = sum(int(np.abs(step).sum()) for step in steps)
    return min(100, total // 90)


def distance(one: bytes, other: bytes) -> int:
    """Return in how many bits two hashes differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


class Looks:
    """Gathers what a clip looks like from the pictures that a scan sees anyway.

    The pictures at one, three and five sixths of those planned are kept as hashes; what has no
    detail is left out.
    """

    def __init__(self) -> None:
        self._first: NDArray[np.uint8] | None = None
        self._kept: list[NDArray[np.uint8]] = []

    def take(self, frame: Frame, number: int, planned: int | None) -> None:
        """See one picture, its number from 0 and how many are planned."""
        wanted = {int(share * (planned or _UNPLANNED)) for share in _MOMENTS}
        if number in wanted:
            self._kept.append(_small(frame.image))
        elif number == 0:
            self._first = _small(frame.image)

    def text(self) -> str | None:
        """Return the hashes in hex, joined by spaces; None where there is nothing to compare."""
        pictures = self._kept or ([] if self._first is None else [self._first])
        found = [pdq(picture) for picture in pictures]
        return " ".join(code.hex() for code, quality in found if quality >= LEAST_QUALITY) or None


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (min(image.shape[1], _KEPT), min(image.shape[0], _KEPT))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def alike(one: Sequence[bytes], other: Sequence[bytes]) -> int | None:
    """Return the median distance of two clips' hashes when they look the same, else None.

    Most of the hashes of the clip with fewer must have a near one in the other clip.
    """
    if not one or not other:
        return None
    few, many = sorted((one, other), key=len)
    nearest = sorted(min(distance(a, b) for b in many) for a in few)
    middle = nearest[len(nearest) // 2]
    return middle if middle <= NEAR else None
