"""Chunks of a RIFF file: AVI and WebP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from forensics.container.tags import TagList

MAX_CHUNKS = 20_000
MAX_BODY = 1 << 20
_MAX_DEPTH = 4


def looks_like_riff(head: bytes) -> bool:
    """Tell whether the first 12 bytes of a file begin an AVI or WebP."""
    return head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WEBP")


def read_riff(file: BinaryIO, size: int) -> tuple[TagList, bytes, tuple[str, ...]]:
    """Return the texts of a file, its EXIF block or nothing, and codes of what was malformed.

    Texts are the chunks of ``LIST INFO`` (AVI) and the ``XMP `` chunk (WebP), named ``xmp``.

    Raises:
        OSError: The file cannot be read.
    """
    problems: list[str] = []
    tags = TagList()
    exif = b""
    for place, kind, start, end in _chunks(file, 12, size, "", problems, 0):
        if place.endswith("INFO"):
            tags.add(place, kind, _text(_read(file, start, end)))
        elif kind == "XMP ":
            tags.add("webp", "xmp", _text(_read(file, start, end)))
        elif kind == "EXIF":
            exif = _read(file, start, end)
        if tags.full:
            problems.append("too_many")
            break
    return tags, exif.removeprefix(b"Exif\0\0"), tuple(dict.fromkeys(problems))


def _chunks(
    file: BinaryIO, start: int, end: int, place: str, problems: list[str], depth: int
) -> Iterator[tuple[str, str, int, int]]:
    at = start
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(12)
        kind = head[:4].decode("latin-1")
        length = int.from_bytes(head[4:8], "little")
        body, stop = at + 8, at + 8 + length
        if stop > end:
            problems.append("truncated")
            stop = end
        if kind in ("LIST", "RIFF") and depth < _MAX_DEPTH:
            name = head[8:12].decode("latin-1").strip()
            # The pictures are most of the file and hold no text.
            if name != "movi":
                yield from _chunks(file, body + 4, stop, f"{place}/{name}", problems, depth + 1)
        else:
            yield place, kind, body, stop
        at = stop + length % 2
    problems.append("too_many")


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(max(0, min(end - start, MAX_BODY)))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip("\0")
