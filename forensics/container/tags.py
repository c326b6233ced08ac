"""Metadata texts of an ISO base media file, wherever writers put them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import BinaryIO

from forensics.container.boxes import Box, BoxTree, read_body

XMP_UUID = uuid.UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
"""Kind of the ``uuid`` box that holds an XMP packet."""

MAX_TAGS = 2_000

MAX_TEXT = 16 << 20
"""Characters of all texts of one file together."""

Tag = tuple[str, str, str]
"""Site in the file, name, and text."""


class TagList:
    """The texts of one file, as many as the caps allow.

    Attributes:
        tags: What was kept.
        full: Whether a cap was reached: nothing more is taken, and nothing more need be read.
    """

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.full = False
        self._room = MAX_TEXT

    def add(self, site: str, name: str, text: str) -> None:
        """Keep one text, or nothing once a cap is reached."""
        self._room -= len(name) + len(text)
        self.full = self.full or self._room < 0 or len(self.tags) >= MAX_TAGS
        if not self.full:
            self.tags.append((site, name, text))


def read_tags(file: BinaryIO, tree: BoxTree) -> TagList:
    """Return every metadata text, within the caps.

    Sites: the path of the list for keyed and keyless items, ``moov/udta`` for QuickTime's own
    texts, ``uuid-xmp`` for XMP packets (named ``xmp``).
    """
    found = TagList()
    for tag in _all_tags(file, tree):
        found.add(*tag)
        if found.full:
            break
    return found


def _all_tags(file: BinaryIO, tree: BoxTree) -> Iterator[Tag]:
    for place in ("moov/udta/meta", "moov/meta", "meta", "moov/trak/meta", "moov/trak/udta/meta"):
        for meta in tree.find(place):
            yield from _items(file, meta, place)
    for place in ("moov/udta", "moov/trak/udta"):
        for holder in tree.find(place):
            yield from _quicktime(file, holder, place)
    for box in tree.walk():
        if box.kind == "uuid":
            file.seek(box.body)
            if file.read(16) == XMP_UUID:
                yield "uuid-xmp", "xmp", _text(read_body(file, box)[16:])
        elif box.kind == "XMP_":
            yield "moov/udta/XMP_", "xmp", _text(read_body(file, box))


def _items(file: BinaryIO, meta: Box, place: str) -> Iterator[Tag]:
    names = [name for keys in meta.find("keys") for name in _keys(read_body(file, keys))]
    for item in meta.find("ilst"):
        for entry in item.children:
            name = entry.kind
            number = int.from_bytes(entry.kind.encode("latin-1"), "big")
            if 0 < number <= len(names):
                name = names[number - 1]
            elif entry.kind == "----":
                name = "".join(_text(read_body(file, box)[4:]) for box in entry.find("name"))
            for data in entry.find("data"):
                # Type and locale come first, 4 bytes each.
                yield place, name, _text(read_body(file, data)[8:])


def _keys(body: bytes) -> Iterator[str]:
    """Read the ``keys`` box: a count, then size, namespace and name of each."""
    at, count = 8, int.from_bytes(body[4:8], "big")
    for _ in range(min(count, MAX_TAGS)):
        size = int.from_bytes(body[at : at + 4], "big")
        if size < 8 or at + size > len(body):
            return
        yield _text(body[at + 8 : at + size])
        at += size


def _quicktime(file: BinaryIO, holder: Box, place: str) -> Iterator[Tag]:
    """Read texts like ``\xa9too``: a 16-bit length, a language, and the text."""
    for box in holder.children:
        if box.kind[:1] == "\xa9" and not box.children:
            body = read_body(file, box)
            length = int.from_bytes(body[:2], "big")
            yield place, box.kind, _text(body[4 : 4 + length])
        elif "AIGC" in box.kind.upper():
            yield place, box.kind, _text(read_body(file, box))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip("\0")
