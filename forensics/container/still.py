"""Segments of JPEG and chunks of PNG that hold texts, read within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from forensics.container.tags import TagList

MAX_PARTS = 20_000
MAX_BODY = 1 << 20

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PNG = b"\x89PNG\r\n\x1a\n"
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


def looks_like_jpeg(head: bytes) -> bool:
    """Tell whether the first bytes of a file begin a JPEG."""
    return head.startswith(b"\xff\xd8\xff")


def looks_like_png(head: bytes) -> bool:
    """Tell whether the first bytes of a file begin a PNG."""
    return head.startswith(_PNG)


def read_jpeg(file: BinaryIO, size: int) -> tuple[TagList, bytes, tuple[str, ...]]:
    """Return the texts of a JPEG, its EXIF block or nothing, and codes of what was malformed.

    XMP packets are named ``xmp``. Labels that stand bare in an application segment are named
    ``AIGC``.

    Raises:
        OSError: The file cannot be read.
    """
    tags = TagList()
    exif, problems, at = b"", list[str](), 2
    for _ in range(MAX_PARTS):
        if tags.full:
            problems.append("too_many")
            break
        file.seek(at)
        head = file.read(4)
        if len(head) < 4:
            problems.append("truncated")
            break
        if head[0] != 0xFF:
            problems.append("bad_size")
            break
        if head[1] == 0xFF:  # fill
            at += 1
            continue
        if head[1] in (0xD9, 0xDA):  # end of picture, start of coded data: no text behind it
            break
        if head[1] in _ALONE:
            at += 2
            continue
        length = int.from_bytes(head[2:4], "big")
        body = file.read(max(length - 2, 0))
        if len(body) < length - 2:
            problems.append("truncated")
        name = f"APP{head[1] - 0xE0}" if 0xE0 <= head[1] <= 0xEF else f"marker {head[1]:02x}"
        if body.startswith(_XMP):
            tags.add(name, "xmp", body[len(_XMP) :].decode("utf-8", "replace"))
        elif body.startswith(b"Exif\0\0"):
            exif = body[6:]
        elif head[1] >= 0xE0 and b"AIGC" in body[:64]:
            start = body.index(b"AIGC")
            tags.add(name, "AIGC", body[start:].decode("utf-8", "replace").strip("\0"))
        at += 2 + max(length, 2)
    else:
        problems.append("too_many")
    return tags, exif, tuple(dict.fromkeys(problems))


def read_png(file: BinaryIO, size: int) -> tuple[TagList, bytes, tuple[str, ...]]:
    """Return the texts of a PNG, its EXIF block or nothing, and codes of what was malformed.

    Raises:
        OSError: The file cannot be read.
    """
    tags = TagList()
    exif, problems = b"", list[str]()
    for kind, body in _png_chunks(file, problems):
        if tags.full:
            problems.append("too_many")
            break
        if kind == "eXIf":
            exif = body
        elif kind in ("tEXt", "zTXt", "iTXt"):
            name, _, rest = body.partition(b"\0")
            text = _TEXTS[kind](rest, problems)
            key = name.decode("latin-1")
            tags.add(kind, "xmp" if key == "XML:com.adobe.xmp" else key, text)
    return tags, exif, tuple(dict.fromkeys(problems))


def _png_chunks(file: BinaryIO, problems: list[str]) -> Iterator[tuple[str, bytes]]:
    at = len(_PNG)
    for _ in range(MAX_PARTS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            problems.append("truncated")
            return
        length, kind = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1")
        if kind == "IEND":
            return
        if kind in ("tEXt", "zTXt", "iTXt", "eXIf"):
            body = file.read(min(length, MAX_BODY))
            if len(body) < length:
                problems.append("truncated" if length <= MAX_BODY else "too_long")
            yield kind, body
        at += 12 + length
    problems.append("too_many")


def _plain(rest: bytes, problems: list[str]) -> str:
    return rest.decode("latin-1")


def _packed(rest: bytes, problems: list[str]) -> str:
    return _inflated(rest[1:], problems).decode("latin-1")


def _international(rest: bytes, problems: list[str]) -> str:
    """Read iTXt: compression flag and method, language, translated keyword, text."""
    packed, body = rest[:1] == b"\1", rest[2:]
    text = body.split(b"\0", 2)[-1]
    return (_inflated(text, problems) if packed else text).decode("utf-8", "replace")


def _inflated(data: bytes, problems: list[str]) -> bytes:
    """Decompress at most `MAX_BODY` bytes: a few kilobytes can unfold to gigabytes."""
    try:
        machine = zlib.decompressobj()
        out = machine.decompress(data, MAX_BODY)
    except zlib.error:
        problems.append("bad_compression")
        return b""
    if machine.unconsumed_tail:
        problems.append("too_long")
    return out


_TEXTS = {"tEXt": _plain, "zTXt": _packed, "iTXt": _international}
