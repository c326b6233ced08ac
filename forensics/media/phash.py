"""Near-duplicate pictures and clips: a perceptual hash of 256 bits, after PDQ.

The idea and the threshold are those of PDQ (Facebook, "The TMK+PDQF video-hashing algorithm and
the PDQ image-hashing algorithm", 2019): luma at 64 x 64, the 16 x 16 lowest frequencies of its DCT
without the mean, each compared with their median. It uses area averaging where PDQ uses two box
filters, so the bits are not those of PDQ and the two must not be compared.

A near-duplicate is the same picture again after scaling, recoding or a change of brightness. Two
people before the same backdrop are not; a picture with little structure has no usable hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.media.limits import Limits
from forensics.media.plan import SamplingPlan
from forensics.media.reader import open_clip, stream_frames

BITS = 256
NEAR = 31
"""Bits that may differ between near-duplicates; the threshold that PDQ recommends."""
LEAST_STRUCTURE = 2.0
"""Mean difference of neighbouring cells, grey levels, below which a picture has no usable hash."""

_SIDE = 64
_LOW = 16
_BLOCK = 2048

Hashes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ClipHash:
    """Hashes of the pictures of one file, over its whole length.

    Attributes:
        bits: (n, 32) bytes; none where no picture has enough structure.
        mirrored: (n, 32) bytes of the same pictures mirrored left to right.
    """

    bits: Hashes
    mirrored: Hashes

    def __len__(self) -> int:
        return len(self.bits)


@lru_cache(maxsize=1)
def _basis() -> NDArray[np.float64]:
    """Return the (16, 64) rows 1 to 16 of the type-II DCT."""
    u = np.arange(1, _LOW + 1)[:, None]
    x = np.arange(_SIDE)[None, :]
    return np.asarray(np.cos(np.pi * u * (2 * x + 1) / (2 * _SIDE)) * np.sqrt(2 / _SIDE))


def perceptual_hash(image: NDArray[np.uint8]) -> tuple[Hashes, Hashes] | None:
    """Return the hash of a picture and of its mirror image.

    Args:
        image: (h, w, 3) RGB.

    Returns:
        Twice (32,) bytes, or None where the picture has too little structure to be told apart.
    """
    import cv2

    gray = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    small = np.asarray(
        cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float64
    )
    structure = sum(float(np.abs(np.diff(small, axis=axis)).mean()) for axis in (0, 1))
    if structure < LEAST_STRUCTURE:
        return None
    basis = _basis()
    low = basis @ small @ basis.T
    # Mirroring turns the sign of the odd horizontal frequencies.
    signs = np.where(np.arange(1, _LOW + 1) % 2, -1.0, 1.0)
    return _bits(low), _bits(low * signs)


def _bits(low: NDArray[np.float64]) -> Hashes:
    return np.packbits((low > np.median(low)).ravel())


def hash_file(path: Path | str, *, frames: int = 4, limits: Limits | None = None) -> ClipHash:
    """Hash a video or still picture.

    Args:
        path: The file.
        frames: Pictures to look at, spread over the length.
        limits: Caps on what is decoded.

    Raises:
        UnreadableInputError: The file cannot be decoded.
    """
    bound = limits or Limits()
    found = []
    clip = open_clip(path, limits=bound)
    with stream_frames(clip, SamplingPlan(frames=frames), limits=bound) as pictures:
        for frame in pictures:
            hashes = perceptual_hash(np.asarray(frame.image))
            if hashes is not None:
                found.append(hashes)
    if not found:
        empty = np.zeros((0, BITS // 8), np.uint8)
        return ClipHash(empty, empty)
    return ClipHash(np.stack([own for own, _ in found]), np.stack([other for _, other in found]))


def distances(a: Hashes, b: Hashes) -> NDArray[np.int64]:
    """Return the (n, m) numbers of differing bits between (n, 32) and (m, 32) hashes."""
    return np.rint((BITS - _signs(a) @ _signs(b).T) / 2).astype(np.int64)


def _signs(hashes: Hashes) -> NDArray[np.float32]:
    return np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1


def near_pairs(
    hashes: Sequence[ClipHash], *, near: int = NEAR
) -> Iterator[tuple[int, int, int]]:
    """Yield the pairs of files that share a picture, mirrored or not.

    Args:
        hashes: One for each file.
        near: Bits that may differ.

    Yields:
        (i, j, bits): Positions with i < j, in order, and the bits by which their nearest pictures
        differ. Every pair comes once.
    """
    owner = np.repeat(np.arange(len(hashes)), [len(h) for h in hashes])
    if not len(owner):
        return
    own = _signs(np.concatenate([h.bits for h in hashes]))
    mirrored = _signs(np.concatenate([h.mirrored for h in hashes]))
    # Rows are whole files, so that the nearest pictures of two files meet in one block.
    starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    ends = np.append(starts[1:], len(owner))
    first = 0
    while first < len(starts):
        last = first + 1
        while last < len(starts) and ends[last] - starts[first] <= _BLOCK:
            last += 1
        rows = slice(int(starts[first]), int(ends[last - 1]))
        rest = slice(rows.start, None)
        # Bits d differ where the product of signs is 256 - 2 d.
        product = np.maximum(own[rows] @ own[rest].T, own[rows] @ mirrored[rest].T)
        yield from _pairs(product, owner[rows], owner[rest], BITS - 2 * near)
        first = last


def _pairs(
    product: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64], least: float
) -> Iterator[tuple[int, int, int]]:
    best: dict[tuple[int, int], int] = {}
    for r, c in zip(*np.nonzero(product >= least - 0.5), strict=True):
        pair = (int(rows[r]), int(columns[c]))
        if pair[0] < pair[1]:
            bits = round((BITS - float(product[r, c])) / 2)
            best[pair] = min(bits, best.get(pair, BITS))
    for (i, j), bits in sorted(best.items()):
        yield i, j, bits
