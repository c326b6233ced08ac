"""Put an XMP packet into a JPEG or PNG without decoding the picture: all other bytes are copied."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_PNG = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp"
_MAX_PARTS = 100_000


def splice_jpeg(data: bytes, packet: bytes) -> bytes:
    """Return the JPEG with ``packet`` as its only XMP segment.

    Raises:
        ValueError: No JPEG, a packet that does not fit, or XMP spread over several segments.
    """
    body = _XMP + packet
    if len(body) + 2 > 0xFFFF:
        raise ValueError("its XMP would not fit one segment")
    new = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    out, at, done = [b"\xff\xd8"], 2, False
    for marker, start, end in _jpeg_parts(data):
        content = data[start + 4 : end]
        if marker == 0xE1 and content.startswith(_EXTENDED):
            raise ValueError("its XMP is spread over several segments")
        if marker == 0xE1 and content.startswith(_XMP):
            continue
        # After JFIF and Exif, which readers expect first.
        if not done and not (marker == 0xE0 or content.startswith(b"Exif\0")):
            out.append(new)
            done = True
        out.append(data[start:end])
        at = end
    return b"".join([*out, *([] if done else [new]), data[at:]])


def _jpeg_parts(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of the segments before the first scan."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    at = 2
    for _ in range(_MAX_PARTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            raise ValueError("its JPEG segments are damaged")
        if data[at + 1] == 0xDA:
            return
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if end > len(data) or end < at + 4:
            raise ValueError("its JPEG segments are damaged")
        yield data[at + 1], at, end
        at = end
    raise ValueError("has too many JPEG segments")


def splice_png(data: bytes, packet: bytes) -> bytes:
    """Return the PNG with ``packet`` as its only XMP chunk.

    Raises:
        ValueError: No PNG, or damaged chunks.
    """
    body = _KEYWORD + b"\0\0\0\0\0" + packet
    kind = b"iTXt"
    new = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    if data[:8] != _PNG:
        raise ValueError("no PNG")
    out, at, done = [_PNG], 8, False
    for _ in range(_MAX_PARTS):
        if at + 12 > len(data):
            break
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + size
        if end > len(data):
            break
        part = data[at:end]
        if kind == b"iTXt" and part[8:].startswith(_KEYWORD + b"\0"):
            part = b""
        if kind == b"IDAT" and not done:
            out.append(new)
            done = True
        out.append(part)
        at = end
        if kind == b"IEND" and done:
            return b"".join([*out, data[at:]])
    raise ValueError("its PNG chunks are damaged")
