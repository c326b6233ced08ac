"""Take an upload to disk piece by piece: constant memory, and caps on bytes, time and silence."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

PIECE = 1 << 20  # written at once
MAX_FIELDS = 8
MAX_FIELD = 256
MAX_HEADERS = 16
MAX_NAME = 120
RESERVE = 256 << 20
"""Bytes that stay free on the disk."""

_SUFFIXES = frozenset(
    ("3gp", "avi", "avif", "bmp", "flv", "gif", "heic", "jpeg", "jpg", "m2ts", "m4v", "mkv", "mov",
     "mp4", "mpeg", "mpg", "mts", "png", "tif", "tiff", "ts", "webm", "webp", "wmv")
)  # fmt: skip


class UploadRefusedError(Exception):
    """An upload that is not taken.

    Args:
        status: HTTP status.
        code: For programs.
        detail: One line for a person.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Upload:
    """What arrived.

    Attributes:
        path: Where the file is; its name was chosen here.
        name: The sender's name for it, without folders and control characters.
        bytes: Size.
        fields: The other fields of the form.
    """

    path: Path
    name: str = field(kw_only=True)
    bytes: int = field(kw_only=True)
    fields: dict[str, str] = field(kw_only=True)


def safe_name(name: str) -> str:
    """Return a sender's file name without folders, control characters and leading dots."""
    base = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(c for c in base if c.isprintable() and c not in '<>:"|?*/\\').strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if len(kept) > MAX_NAME:
        kept = f"{stem[: MAX_NAME - 12]}{dot}{suffix[:10]}" if dot else kept[:MAX_NAME]
    return kept or "upload"


def stored_name(name: str) -> str:
    """Return the name on disk: ``media``, with the suffix when it is a known one of media."""
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    return f"media.{suffix}" if suffix in _SUFFIXES else "media.bin"


class _Form:
    """Callbacks of the parser: the part ``file`` goes to a buffer, small parts to a dictionary."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.name: str | None = None
        self.buffer = bytearray()
        self.complete = self.ended = False
        self._header, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._part, self._small, self._parts = "", bytearray(), 0
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda d, a, b: self._grow(self._header, d[a:b]),
                "on_header_value": lambda d, a, b: self._grow(self._value, d[a:b]),
                "on_header_end": self._header_end,
                "on_headers_finished": self._start,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def _begin(self) -> None:
        self._parts += 1
        self._headers = {}
        if self._parts > MAX_FIELDS:
            raise _malformed("the form has too many parts")

    @staticmethod
    def _grow(store: bytearray, piece: bytes) -> None:
        if len(store) + len(piece) > 4096:
            raise _malformed("a header of the form is too long")
        store += piece

    def _header_end(self) -> None:
        if len(self._headers) >= MAX_HEADERS:
            raise _malformed("a part of the form has too many headers")
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _start(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._part = options.get(b"name", b"").decode("utf-8", "replace")
        self._small = bytearray()
        if self._part == "file":
            if self.name is not None:
                raise _malformed("one file at a time: the form has two")
            self.name = safe_name(options.get(b"filename", b"").decode("utf-8", "replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self.buffer += data[start:end]
        elif len(self._small) + end - start > MAX_FIELD:
            raise _malformed(f"the field {self._part[:40]!r} is too long")
        else:
            self._small += data[start:end]

    def _part_end(self) -> None:
        if self._part == "file":
            self.complete = True
        else:
            self.fields[self._part] = self._small.decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True


def _malformed(detail: str) -> UploadRefusedError:
    return UploadRefusedError(400, "malformed", detail)


async def receive(
    stream: AsyncIterator[bytes],
    content_type: str,
    folder: Path,
    *,
    max_bytes: int,
    timeout: float,
    stall: float,
) -> Upload:
    """Write the part ``file`` of a multipart form into ``folder``.

    Args:
        stream: Body of the request.
        content_type: Its header.
        folder: Where the file goes; whatever was written is removed when it is refused.
        max_bytes: Largest file.
        timeout: Seconds for all of it.
        stall: Seconds for the next piece.

    Raises:
        UploadRefusedError: 400 malformed, 408 too slow, 413 too large, 415 no form, 507 disk full.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary or len(boundary) > 200:
        raise UploadRefusedError(415, "no_form", "send multipart/form-data with a field 'file'")
    form = _Form(boundary)
    draft = folder / "upload.part"
    try:
        with draft.open("xb") as out:
            size = await _pump(stream, form, out, max_bytes, timeout, stall)
        if form.name is None:
            raise _malformed("the form has no file in a field 'file'")
        if not (form.complete and form.ended):
            raise _malformed("the form ends before it should")
        target = folder / stored_name(form.name)
        draft.replace(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UploadRefusedError(507, "disk_full", "the server's disk is full") from error
        raise
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return Upload(target, name=form.name, bytes=size, fields=form.fields)


async def _pump(
    stream: AsyncIterator[bytes],
    form: _Form,
    out: BinaryIO,
    max_bytes: int,
    timeout: float,
    stall: float,
) -> int:
    """Parse and write until the body ends, and return the size of the file."""
    deadline = time.monotonic() + timeout
    size = 0
    pieces = aiter(stream)
    while True:
        left = min(stall, deadline - time.monotonic())
        try:
            piece = await asyncio.wait_for(anext(pieces, None), max(left, 0.0))
        except asyncio.TimeoutError:
            raise UploadRefusedError(408, "too_slow", "the upload is too slow") from None
        if piece is None:
            break
        try:
            form.parser.write(piece)
        except MultipartParseError as error:
            raise _malformed("the form cannot be read") from error
        size += await _flush(form, out, PIECE)
        if size + len(form.buffer) > max_bytes:
            detail = f"the file is larger than the limit of {max_bytes} bytes"
            raise UploadRefusedError(413, "too_large", detail)
    return size + await _flush(form, out, 1)


async def _flush(form: _Form, out: BinaryIO, least: int) -> int:
    """Write what waits once it is worth a call, beside the event loop."""
    if len(form.buffer) < least:
        return 0
    data, form.buffer = form.buffer, bytearray()
    await asyncio.to_thread(out.write, data)
    return len(data)
