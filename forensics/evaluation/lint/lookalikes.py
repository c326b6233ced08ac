"""Near-duplicate files: pictures that look the same after scaling, recoding or mirroring.

Two people before the same backdrop are not near-duplicates; a picture with little structure has no
hash and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.provenance.phash import NEAR, pdq

BITS = 256
LEAST_QUALITY = 20
"""Of 100. PDQ's own 50 leaves out blurred face crops that it tells apart well."""
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


def hash_file(path: Path | str, *, frames: int = 4) -> ClipHash:
    """Hash a video or still picture.

    Args:
        path: The file.
        frames: Pictures to look at, spread over the length.

    Raises:
        UnreadableInputError: The file cannot be decoded.
    """
    own, mirrored = [], []
    with stream_frames(open_clip(path), SamplingPlan(frames=frames)) as pictures:
        for frame in pictures:
            image = np.asarray(frame.image)
            code, quality = pdq(image)
            if quality >= LEAST_QUALITY:
                own.append(code)
                mirrored.append(pdq(np.ascontiguousarray(image[:, ::-1]))[0])
    return ClipHash(_array(own), _array(mirrored))


def _array(codes: Sequence[bytes]) -> Hashes:
    return np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), BITS // 8)


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
