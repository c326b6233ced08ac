"""What a container tells of its making: brands, handlers, writing library, times, edit lists."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from forensics.container.boxes import BoxTree, read_body
from forensics.container.tags import Tag

_EPOCH = dt.datetime(1904, 1, 1, tzinfo=dt.timezone.utc)
_WRITERS = frozenset({"\xa9too", "encoder", "com.apple.quicktime.software", "\xa9swr", "\xa9enc"})
_MAKERS = frozenset({"\xa9mak", "com.apple.quicktime.make", "com.android.manufacturer", "make"})
_MODELS = frozenset({"\xa9mod", "com.apple.quicktime.model", "com.android.model", "model"})
_MAX_ENTRIES = 64

# Encoders that sign their streams with a user-data text (H.264 and H.265 SEI).
_SIGNATURES = re.compile(
    rb"x26[45] (?:- core|\(build) \d+[\x20-\x7e]{0,1200}|Lavc\d+[\x20-\x7e]{0,40}"
    rb"|SVT-AV1[\x20-\x7e]{0,80}"
)
SCANNED = 256 * 1024
"""Bytes of coded pictures that are searched for an encoder's text."""


@dataclass(frozen=True, slots=True)
class ContainerHistory:
    """Facts about how a file was written.

    Attributes:
        brands: Major brand first, then the compatible ones.
        handlers: Names that the handlers of the tracks carry.
        writers: Writing libraries or programs, as the tags name them.
        cameras: Camera makers and models that the tags claim.
        encoders: Texts that encoders left in the coded pictures.
        created: Creation and modification times, by box, ISO 8601 in UTC; zero times are left out.
        edits: Edit list entries: (duration in movie ticks, media time in media ticks).
        pieces: Most parts that the edit list of one track plays; a track played whole has one.
        order: Kinds of the outermost boxes, in order.
        problems: Codes of what was malformed.
    """

    brands: tuple[str, ...] = field(kw_only=True, default=())
    handlers: tuple[str, ...] = field(kw_only=True, default=())
    writers: tuple[str, ...] = field(kw_only=True, default=())
    cameras: tuple[str, ...] = field(kw_only=True, default=())
    encoders: tuple[str, ...] = field(kw_only=True, default=())
    created: tuple[tuple[str, str], ...] = field(kw_only=True, default=())
    edits: tuple[tuple[int, int], ...] = field(kw_only=True, default=())
    pieces: int = field(kw_only=True, default=0)
    order: tuple[str, ...] = field(kw_only=True, default=())
    problems: tuple[str, ...] = field(kw_only=True, default=())


def read_history(file: BinaryIO, tree: BoxTree, tags: list[Tag]) -> ContainerHistory:
    """Read the history of an ISO base media file.

    Args:
        file: Seekable.
        tree: Its boxes.
        tags: Its metadata texts.
    """
    handlers = [_handler(read_body(file, box)) for box in tree.find("moov/trak/mdia/hdlr")]
    times: list[tuple[str, str]] = []
    for place in ("moov/mvhd", "moov/trak/tkhd", "moov/trak/mdia/mdhd"):
        for number, box in enumerate(tree.find(place)):
            times += _times(read_body(file, box, 64), f"{place}[{number}]")
    lists = [_edits(read_body(file, box)) for box in tree.find("moov/trak/edts/elst")]
    return ContainerHistory(
        brands=_brands(file, tree),
        handlers=_distinct(handlers),
        writers=_named(tags, _WRITERS),
        cameras=_named(tags, _MAKERS) + _named(tags, _MODELS),
        encoders=_encoders(file, tree),
        created=tuple(times[:_MAX_ENTRIES]),
        edits=tuple(edit for edits in lists for edit in edits)[:_MAX_ENTRIES],
        # A media time of -1 is a pause before the track begins, no part of it.
        pieces=max((sum(media >= 0 for _, media in edits) for edits in lists), default=0),
        order=tuple(box.kind for box in tree.boxes[:_MAX_ENTRIES]),
        problems=tree.problems,
    )


def find_encoders(data: bytes) -> tuple[str, ...]:
    """Return the texts that encoders left in a piece of coded pictures, each once."""
    return _distinct([m.group().decode("latin-1").strip() for m in _SIGNATURES.finditer(data)])


def _encoders(file: BinaryIO, tree: BoxTree) -> tuple[str, ...]:
    for box in tree.find("mdat"):
        if box.end - box.body > 0:
            return find_encoders(read_body(file, box, SCANNED))
    return ()


def _brands(file: BinaryIO, tree: BoxTree) -> tuple[str, ...]:
    body = next((read_body(file, box, 8 + 4 * _MAX_ENTRIES) for box in tree.find("ftyp")), b"")
    brands = [body[:4], *(body[i : i + 4] for i in range(8, len(body) - 3, 4))]
    return _distinct([brand.decode("latin-1").strip() for brand in brands if brand])


def _handler(body: bytes) -> str:
    """Return a handler's name; QuickTime puts its length before it."""
    name = body[24:]
    if name[:1] and name[0] == len(name) - 1:
        name = name[1:]
    return name.split(b"\0")[0].decode("utf-8", "replace")[:100]


def _times(body: bytes, place: str) -> list[tuple[str, str]]:
    width = 8 if body[:1] == b"\x01" else 4
    found = []
    for name, at in (("created", 4), ("modified", 4 + width)):
        seconds = int.from_bytes(body[at : at + width], "big")
        if 0 < seconds < 2**33 and len(body) >= at + width:
            moment = _EPOCH + dt.timedelta(seconds=seconds)
            found.append((f"{place} {name}", moment.isoformat()))
    return found


def _edits(body: bytes) -> list[tuple[int, int]]:
    wide = body[:1] == b"\x01"
    step = 20 if wide else 12
    count = min(int.from_bytes(body[4:8], "big"), _MAX_ENTRIES)
    half = 8 if wide else 4
    found = []
    for at in range(8, 8 + count * step, step):
        if at + step > len(body):
            break
        duration = int.from_bytes(body[at : at + half], "big")
        media = int.from_bytes(body[at + half : at + 2 * half], "big", signed=True)
        found.append((duration, media))
    return found


def _named(tags: list[Tag], names: frozenset[str]) -> tuple[str, ...]:
    found = [text[:200] for _, name, text in tags if name in names or name.lower() in names]
    return _distinct(found)


def _distinct(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
