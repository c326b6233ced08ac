"""An XMP packet in a file of any kind, found by its own marks (XMP specification, part 3)."""

from __future__ import annotations

import re
from typing import BinaryIO

SEARCHED = 4 << 20
"""Bytes that are searched at the start and at the end of a file."""

_LONGEST = 1 << 20
_OPEN, _CLOSE = re.compile(rb"<x:xmpmeta[\s>]"), b"</x:xmpmeta>"


def find_packet(file: BinaryIO, size: int) -> str | None:
    """Return the first XMP packet near the start or end of a file, or None.

    This is how GIF, TIFF and other kinds without a parser here are read: a packet stands in them
    as it is.

    Raises:
        OSError: The file cannot be read.
    """
    for start in dict.fromkeys((0, max(0, size - SEARCHED))):
        file.seek(start)
        part = file.read(SEARCHED)
        found = _OPEN.search(part)
        if found is None:
            continue
        end = part.find(_CLOSE, found.start(), found.start() + _LONGEST)
        if end >= 0:
            return part[found.start() : end + len(_CLOSE)].decode("utf-8", "replace")
    return None
