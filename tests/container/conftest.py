"""Boxes made by hand, so that tests can malform them."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from forensics.container.boxes import BoxTree, read_boxes

Make = Callable[..., bytes]


def box(kind: str, body: bytes = b"", *, size: int | None = None) -> bytes:
    """One box; ``size`` lies about its length."""
    length = 8 + len(body) if size is None else size
    return length.to_bytes(4, "big") + kind.encode("latin-1") + body


def full(kind: str, body: bytes = b"") -> bytes:
    """One box with version and flags."""
    return box(kind, b"\0\0\0\0" + body)


def keyed(name: str, text: str) -> bytes:
    """A ``meta`` box with one keyed item."""
    key = (8 + len(name)).to_bytes(4, "big") + b"mdta" + name.encode()
    data = box("data", (1).to_bytes(4, "big") + bytes(4) + text.encode())
    item = (8 + len(data)).to_bytes(4, "big") + (1).to_bytes(4, "big") + data
    return full("meta", full("keys", (1).to_bytes(4, "big") + key) + box("ilst", item))


def tree(data: bytes) -> tuple[io.BytesIO, BoxTree]:
    """The boxes of a piece of memory, and the open file they lie in."""
    file = io.BytesIO(data)
    return file, read_boxes(file, len(data))


@pytest.fixture
def ftyp() -> bytes:
    return box("ftyp", b"isom\0\0\2\0isommp42")
