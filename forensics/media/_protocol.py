"""Messages between the reader and its decoding process: a JSON header and raw bytes, no pickle.

A message is the header's length as a big-endian unsigned 32-bit number, the header as ASCII JSON
(its ``bytes`` says how long the payload is), then the payload.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
MAX_HEADER = 1 << 20


class ProtocolError(Exception):
    """The other side closed the pipe in mid message or sent something else."""


def send(pipe: BinaryIO, header: dict[str, Any], payload: memoryview | None = None) -> None:
    """Write one message and flush it.

    Args:
        pipe: Unbuffered or buffered binary stream.
        header: JSON-ready values; ``bytes`` is set here.
        payload: Contiguous bytes that follow the header.
    """
    size = 0 if payload is None else payload.nbytes
    text = json.dumps({**header, "bytes": size}).encode("ascii")
    _write_all(pipe, memoryview(_LENGTH.pack(len(text)) + text))
    if payload is not None:
        _write_all(pipe, payload.cast("B"))
    pipe.flush()


def receive(
    pipe: BinaryIO, *, cap: Callable[[], int] = lambda: 0
) -> tuple[dict[str, Any], bytearray] | None:
    """Read one message.

    Args:
        pipe: Binary stream.
        cap: Tells the largest payload to accept, bytes; asked once the header has come.

    Returns:
        Header and payload, or None when the other side closed the pipe between messages.

    Raises:
        ProtocolError: The message is cut short, malformed or too large.
    """
    length = _read_exactly(pipe, _LENGTH.size, at_start=True)
    if length is None:
        return None
    (size,) = _LENGTH.unpack(length)
    if size > MAX_HEADER:
        raise ProtocolError(f"header of {size} bytes")
    text = _read_exactly(pipe, size)
    try:
        header = json.loads(text or b"")
        payload_size = int(header["bytes"])
    except (ValueError, KeyError, TypeError) as error:
        raise ProtocolError("malformed header") from error
    if not 0 <= payload_size <= cap():
        raise ProtocolError(f"payload of {payload_size} bytes")
    return header, _read_exactly(pipe, payload_size) or bytearray()


def _write_all(pipe: BinaryIO, data: memoryview) -> None:
    while data.nbytes:
        written = pipe.write(data)
        data = data[written:]


def _read_exactly(pipe: BinaryIO, size: int, *, at_start: bool = False) -> bytearray | None:
    buffer = bytearray(size)
    view = memoryview(buffer)
    filled = 0
    while filled < size:
        got = pipe.readinto(view[filled:])  # type: ignore[attr-defined]
        if not got:
            if at_start and filled == 0:
                return None
            raise ProtocolError("the pipe was closed in mid message")
        filled += got
    return buffer
