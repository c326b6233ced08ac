"""Write a display rotation into an MP4: the muxer at hand offers no way to set it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from forensics.errors import UsageError

_ONE = 1 << 16
_MATRICES = {
    90: (0, _ONE, -_ONE, 0),
    180: (-_ONE, 0, 0, -_ONE),
    270: (0, -_ONE, _ONE, 0),
}
"""Clockwise degrees -> a, b, c, d of the track header's matrix, 16.16 fixed point."""


def set_rotation(path: Path, degrees: int) -> None:
    """Make players turn the picture clockwise by ``degrees`` (0, 90, 180 or 270), in place.

    Raises:
        UsageError: Another angle.
    """
    if degrees == 0:
        return
    if degrees not in _MATRICES:
        raise UsageError(f"rotation must be 0, 90, 180 or 270 degrees, got {degrees}")
    a, b, c, d = _MATRICES[degrees]
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        for start, end in _find(file, (b"moov", b"trak", b"tkhd"), 0, size):
            file.seek(start)
            version = file.read(1)[0]
            at = start + (52 if version == 1 else 40)
            file.seek(end - 8)
            width = struct.unpack(">I", file.read(4))[0]
            if width:  # sound tracks have none
                file.seek(at)
                file.write(struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))


def _find(
    file: BinaryIO, path: tuple[bytes, ...], low: int, high: int
) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the bodies of every box at ``path``."""
    while low + 8 <= high:
        file.seek(low)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        end = high if size == 0 else low + size
        if end <= low:
            return
        if kind == path[0]:
            if len(path) == 1:
                yield low + head, end
            else:
                yield from _find(file, path[1:], low + head, end)
        low = end
