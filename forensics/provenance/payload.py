"""The 64 bits that the invisible watermark carries: tag, id and checksum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["synthetic", "control"]

KIND_CODES: dict[Kind, int] = {"synthetic": 0x35, "control": 0xCA}
"""Low byte of the tag. The codes differ in every bit, so that noise cannot turn one into the
other: a marked real clip of a training set must never read as synthetic."""

_VERSION = 0xD1
_TAG_BITS, _ID_BITS, _CRC_BITS = 16, 32, 16
PAYLOAD_BITS = _TAG_BITS + _ID_BITS + _CRC_BITS
TAG_BITS = _TAG_BITS


@dataclass(frozen=True, slots=True)
class Payload:
    """What a watermark says.

    Attributes:
        kind: ``synthetic`` for generated pictures, ``control`` for real clips that carry a mark
            only so that the mark tells a detector nothing.
        id: Number of the output, 0..2**32-1.

    Raises:
        ValueError: The kind is unknown or the id does not fit.
    """

    kind: Kind
    id: int = field(kw_only=True)

    def __post_init__(self) -> None:
        if self.kind not in KIND_CODES:
            raise ValueError(f"kind must be one of {', '.join(KIND_CODES)}, got {self.kind!r}")
        if not 0 <= self.id < 1 << _ID_BITS:
            raise ValueError(f"id must fit {_ID_BITS} bits, got {self.id}")

    @property
    def bits(self) -> NDArray[np.uint8]:
        """The payload as (64,) zeros and ones, most significant bit first."""
        head = tag(self.kind).to_bytes(2, "big") + self.id.to_bytes(4, "big")
        whole = head + crc16(head).to_bytes(2, "big")
        return np.unpackbits(np.frombuffer(whole, np.uint8))


def tag(kind: Kind) -> int:
    """Return the 16-bit tag of ``kind``: format version, then the kind's code."""
    return _VERSION << 8 | KIND_CODES[kind]


def tag_bits(kind: Kind) -> NDArray[np.uint8]:
    """Return the tag as (16,) zeros and ones."""
    return np.unpackbits(np.frombuffer(tag(kind).to_bytes(2, "big"), np.uint8))


def read_payload(kind: Kind, bits: NDArray[np.uint8]) -> Payload | None:
    """Return the payload that ``bits`` carry, or None when the checksum does not hold.

    Args:
        kind: What the tag was read as. The tag's own bits are not looked at again: its reading
            may hold errors that the statistical test has already allowed for.
        bits: (64,) zeros and ones as read.
    """
    raw = np.packbits(bits).tobytes()
    head = tag(kind).to_bytes(2, "big") + raw[2:6]
    if crc16(head) != int.from_bytes(raw[6:8], "big"):
        return None
    return Payload(kind, id=int.from_bytes(raw[2:6], "big"))


def crc16(data: bytes) -> int:
    """Return the CRC-16/CCITT-FALSE checksum (polynomial 0x1021, start 0xFFFF)."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x1021 if register & 0x8000 else 0)
        register &= 0xFFFF
    return register
