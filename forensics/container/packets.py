"""Sizes of the coded pictures of an ISO base media file, from its sample tables alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import BinaryIO

from forensics.container.boxes import Box, BoxTree, read_body

MAX_PACKETS = 3_000
"""Packets that are read: about two minutes of a clip."""

_LEAST = 60  # packets that tell one coding from another
_LEAST_SIZES = 30  # different ones: some codecs give every picture the same


@dataclass(frozen=True, slots=True)
class Packets:
    """The first coded pictures of the first picture track, in decoding order.

    Attributes:
        sizes: Bytes of each packet.
        keys: Numbers of those that can be decoded alone; all of them where no table says.
        reordered: Whether pictures are shown in another order than they are decoded (B-frames).
        codec: Four characters that name the coding.
    """

    sizes: tuple[int, ...] = ()
    keys: frozenset[int] = field(kw_only=True, default=frozenset())
    reordered: bool = field(kw_only=True, default=False)
    codec: str = field(kw_only=True, default="")

    @property
    def sha256(self) -> str | None:
        """Digest of sizes, key pictures and codec; None where they are too few to mean anything.

        It stays the same when a file is put into another container, cut loose from its metadata
        or given other sound. Who pads packets can make it what they like, so it is a pointer.
        """
        if len(self.sizes) < _LEAST or len(set(self.sizes)) < _LEAST_SIZES:
            return None
        told = f"{self.codec} {self.sizes} {sorted(self.keys)}"
        return hashlib.sha256(told.encode()).hexdigest()


def read_packets(file: BinaryIO, tree: BoxTree) -> Packets:
    """Read the tables of the first picture track; nothing where there is none (also fragmented)."""
    for track in tree.find("moov/trak"):
        handler = next((read_body(file, b, 12) for b in track.find("mdia/hdlr")), b"")
        if handler[8:12] != b"vide":
            continue
        tables = {kind: next(track.find(f"mdia/minf/stbl/{kind}"), None) for kind in _TABLES}
        sizes = _sizes(_body(file, tables["stsz"], 12 + 4 * MAX_PACKETS))
        return Packets(
            sizes,
            keys=_keys(file, tables["stss"], len(sizes)),
            reordered=_reordered(_body(file, tables["ctts"], 8 + 8 * MAX_PACKETS)),
            codec=_body(file, tables["stsd"], 16)[12:16].decode("latin-1").strip("\0 "),
        )
    return Packets()


_TABLES = ("stsd", "stsz", "stss", "ctts")


def _body(file: BinaryIO, box: Box | None, limit: int) -> bytes:
    return b"" if box is None else read_body(file, box, limit)


def _sizes(body: bytes) -> tuple[int, ...]:
    """Read ``stsz``: one size for all, or a table."""
    common, count = _number(body, 4), min(_number(body, 8), MAX_PACKETS)
    if common:
        return (common,) * count
    return tuple(_number(body, at) for at in range(12, min(12 + 4 * count, len(body) - 3), 4))


def _keys(file: BinaryIO, box: Box | None, count: int) -> frozenset[int]:
    if box is None:  # without a table every picture stands alone
        return frozenset(range(count))
    body = read_body(file, box, 8 + 4 * MAX_PACKETS)
    last = min(8 + 4 * _number(body, 4), len(body) - 3)
    return frozenset(n for at in range(8, last, 4) if 0 <= (n := _number(body, at) - 1) < count)


def _reordered(body: bytes) -> bool:
    """Read ``ctts``: pictures are reordered where the offsets differ."""
    last = min(8 + 8 * _number(body, 4), len(body) - 7)
    return len({_number(body, at + 4) for at in range(8, last, 8)}) > 1


def _number(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 4], "big")
