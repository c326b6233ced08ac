"""Tags of a Matroska or WebM file (RFC 9559), read within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from forensics.container.tags import Tag, TagList

MAX_ELEMENTS = 50_000
MAX_BODY = 1 << 20
_MAX_DEPTH = 6

_SEGMENT, _TAGS, _TAG, _SIMPLE = 0x18538067, 0x1254C367, 0x7373, 0x67C8
_NAME, _STRING, _INFO, _WRITER, _MUXER = 0x45A3, 0x4487, 0x1549A966, 0x5741, 0x4D80
_EBML = b"\x1a\x45\xdf\xa3"


def looks_like_matroska(head: bytes) -> bool:
    """Tell whether the first bytes of a file begin an EBML document."""
    return head.startswith(_EBML)


def read_matroska(file: BinaryIO, size: int) -> tuple[TagList, tuple[str, ...]]:
    """Return the tags and writing programs of a file, and codes of what was malformed.

    Raises:
        OSError: The file cannot be read.
    """
    problems: list[str] = []
    found = TagList()
    for ident, body, end in _elements(file, 0, size, problems):
        if ident == _SEGMENT:
            for kind, start, stop in _elements(file, body, end, problems):
                if kind not in (_TAGS, _INFO):
                    continue
                for tag in _texts(_read(file, start, stop), kind):
                    found.add(*tag)
                if found.full:
                    return found, (*dict.fromkeys(problems), "too_many")
    return found, tuple(dict.fromkeys(problems))


def _texts(data: bytes, kind: int) -> Iterator[Tag]:
    if kind == _INFO:
        for ident, body in _inner(data):
            if ident in (_WRITER, _MUXER):
                yield "segment/info", "encoder", body.decode("utf-8", "replace")
        return
    for ident, tag in _inner(data):
        if ident == _TAG:
            yield from _simple(tag, 0)


def _simple(data: bytes, depth: int) -> Iterator[Tag]:
    if depth > _MAX_DEPTH:
        return
    for ident, body in _inner(data):
        if ident == _SIMPLE:
            parts = dict(_inner(body))
            name = parts.get(_NAME, b"").decode("utf-8", "replace")
            yield "segment/tags", name, parts.get(_STRING, b"").decode("utf-8", "replace")
            yield from _simple(body, depth + 1)


def _inner(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (id, content) of the elements in a piece of memory."""
    at = 0
    while at < len(data):
        ident, at = _vint(data, at, keep=True)
        length, at = _vint(data, at, keep=False)
        if ident <= 0 or length < 0 or at + length > len(data):
            return
        yield ident, data[at : at + length]
        at += length


def _elements(
    file: BinaryIO, start: int, end: int, problems: list[str]
) -> Iterator[tuple[int, int, int]]:
    """Yield (id, start, end of content) of the elements of a part of the file."""
    at = start
    for _ in range(MAX_ELEMENTS):
        if at >= end:
            return
        file.seek(at)
        head = file.read(16)
        ident, used = _vint(head, 0, keep=True)
        length, used = _vint(head, used, keep=False)
        if ident <= 0 or used < 0:
            problems.append("bad_size" if head else "truncated")
            return
        body = at + used
        stop = end if length < 0 else body + length  # a live recording leaves the size open
        if stop > end:
            problems.append("truncated")
            stop = end
        yield ident, body, stop
        at = stop
    problems.append("too_many")


def _vint(data: bytes, at: int, *, keep: bool) -> tuple[int, int]:
    """Read a variable-length integer: its value (-1 when unknown) and where it ends (-1: bad).

    An element's id keeps its length marker, a size does not.
    """
    if not 0 <= at < len(data) or data[at] == 0:
        return -1, -1
    width = 9 - data[at].bit_length()
    if at + width > len(data):
        return -1, -1
    raw = int.from_bytes(data[at : at + width], "big")
    if keep:
        return raw, at + width
    value = raw & ((1 << (7 * width)) - 1)
    return (-1 if value == (1 << (7 * width)) - 1 else value), at + width


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(max(0, min(end - start, MAX_BODY)))
