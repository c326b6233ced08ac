"""The box tree of an ISO base media file (ISO/IEC 14496-12), read within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

MAX_DEPTH = 16
MAX_BOXES = 20_000
MAX_BODY = 1 << 20
"""Bytes of one box's content that `read_body` returns at most."""

_PARENTS = frozenset(
    {"moov", "trak", "mdia", "minf", "stbl", "udta", "edts", "dinf", "mvex", "moof", "traf"}
    | {"mfra", "meta", "ilst", "tref"}
)


@dataclass(frozen=True, slots=True)
class Box:
    """One box.

    Attributes:
        kind: Four characters; bytes outside ASCII are read as Latin-1.
        start: Offset of its header in the file, bytes.
        body: Offset of its content.
        end: Offset behind it.
        children: Boxes within it, where its kind holds boxes.
    """

    kind: str
    start: int = field(kw_only=True)
    body: int = field(kw_only=True)
    end: int = field(kw_only=True)
    children: tuple[Box, ...] = field(kw_only=True, default=())

    def find(self, path: str) -> Iterator[Box]:
        """Yield the boxes below this one at a path such as ``udta/meta``."""
        head, _, rest = path.partition("/")
        for child in self.children:
            if child.kind == head:
                if rest:
                    yield from child.find(rest)
                else:
                    yield child


@dataclass(frozen=True, slots=True)
class BoxTree:
    """All boxes of a file.

    Attributes:
        boxes: The outermost ones, in order.
        problems: Codes: ``truncated``, ``bad_size``, ``too_deep``, ``too_many``.
    """

    boxes: tuple[Box, ...]
    problems: tuple[str, ...] = ()

    def find(self, path: str) -> Iterator[Box]:
        """Yield the boxes at a path such as ``moov/udta/meta``."""
        whole = Box("", start=0, body=0, end=0, children=self.boxes)
        yield from whole.find(path)

    def walk(self) -> Iterator[Box]:
        """Yield every box, parents first."""
        stack = list(reversed(self.boxes))
        while stack:
            box = stack.pop()
            yield box
            stack.extend(reversed(box.children))


def looks_like_boxes(head: bytes) -> bool:
    """Tell whether the first 12 bytes of a file can begin a box tree."""
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"uuid")


def read_boxes(file: BinaryIO, size: int) -> BoxTree:
    """Read the tree of a file that is open for reading.

    Args:
        file: Seekable.
        size: Bytes in it.

    Returns:
        What could be read; problems name what could not. Never raises for its content.

    Raises:
        OSError: The file cannot be read.
    """
    reader = _Reader(file)
    boxes = reader.children(0, size, 0)
    return BoxTree(boxes, tuple(dict.fromkeys(reader.problems)))


def read_body(file: BinaryIO, box: Box, limit: int = MAX_BODY) -> bytes:
    """Return a box's content, at most ``limit`` bytes of it."""
    file.seek(box.body)
    return file.read(max(0, min(box.end - box.body, limit)))


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._count = 0
        self.problems: list[str] = []

    def children(self, start: int, end: int, depth: int, parent: str = "") -> tuple[Box, ...]:
        if depth > MAX_DEPTH:
            self.problems.append("too_deep")
            return ()
        found: list[Box] = []
        at = start
        while at + 8 <= end:
            if self._count >= MAX_BOXES:
                self.problems.append("too_many")
                break
            self._count += 1
            header = self._header(at, end)
            if header is None:
                break
            kind, body, stop = header
            if stop > end:
                self.problems.append("truncated")
                stop = end
            inner: tuple[Box, ...] = ()
            if kind in _PARENTS or parent == "ilst":  # items of a list have any kind
                first = self._first_child(kind, body, stop)
                inner = self.children(first, stop, depth + 1, parent=kind)
            found.append(Box(kind, start=at, body=body, end=stop, children=inner))
            at = stop
        return tuple(found)

    def _header(self, at: int, end: int) -> tuple[str, int, int] | None:
        """Return (kind, body, end) of the box at an offset, or None when there is none."""
        self._file.seek(at)
        head = self._file.read(16)
        if len(head) < 8:
            self.problems.append("truncated")
            return None
        size, kind, body = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1"), at + 8
        if size == 1:  # the size stands behind the kind, in 64 bits
            if len(head) < 16:
                self.problems.append("truncated")
                return None
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        stop = end if size == 0 else at + size
        if stop < body:
            self.problems.append("bad_size")
            return None
        return kind, body, stop

    def _first_child(self, kind: str, body: int, stop: int) -> int:
        """Skip the version of a full box; QuickTime writes ``meta`` without one."""
        if kind != "meta" or stop - body < 12:
            return body
        self._file.seek(body)
        head = self._file.read(12)
        return body if head[4:8] in (b"hdlr", b"keys", b"mhdr", b"ilst") else body + 4

