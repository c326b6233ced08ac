"""Open a container with a closed list of formats and choose its picture stream."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from forensics.media._fault import MediaFault

# Playlists (hls, dash, concat) are absent on purpose: they make a demuxer open other addresses.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,flv,asf,ogg,gif,ivf,h264,"
    "hevc,av1,obu,m4v,h263,mjpeg,mxf,rm,nut,dv,yuv4mpegpipe,wav,mp3,flac,aac,ac3,aiff,amr,caf,au,"
    "wv,ape"
)
_BUFFER = 1 << 18
_HIDDEN = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.dependent
_FALLBACK_FPS = 25.0
_MAX_BOXES = 4096


@contextmanager
def open_container(path: str) -> Iterator[Any]:
    """Open ``path`` for reading; it is handed over as an open file, so its name means nothing.

    Raises:
        MediaFault: The bytes are not a known container.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - names may be undecodable
        try:
            container = av.open(
                file,
                mode="r",
                buffer_size=_BUFFER,
                metadata_errors="replace",
                options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaFault(_why_unopened(file)) from error
        with container:
            yield container


def choose_stream(container: Any) -> Any:
    """Return the picture stream to examine: the default one, then the largest, then the first.

    Raises:
        MediaFault: There is none, or none that can be decoded.
    """
    streams = picture_streams(container)
    if not streams:
        raise MediaFault(
            "no picture stream (sound only)" if container.streams.audio else "no picture stream"
        )
    known = [s for s in streams if s.codec_context is not None]
    if not known:
        raise MediaFault("no decoder for its picture stream")
    best = max(
        known,
        key=lambda s: (
            bool(s.disposition & Disposition.default),
            s.codec_context.width * s.codec_context.height,
            -s.index,
        ),
    )
    if best.codec_context.width < 1 or best.codec_context.height < 1:
        raise MediaFault("its picture stream holds no pictures")
    return best


def picture_streams(container: Any) -> list[Any]:
    """Return the picture streams that are not cover art or thumbnails."""
    return [s for s in container.streams.video if not s.disposition & _HIDDEN]


def frame_rate(stream: Any) -> float:
    """Return the stream's frame rate in frames per second, 25 when no header value is sane."""
    values = (
        stream.average_rate,
        stream.guessed_rate,
        stream.codec_context.framerate,
        stream.base_rate,
    )
    return next((float(v) for v in values if v and 0.01 <= v <= 1000), _FALLBACK_FPS)


def header_duration(container: Any, stream: Any) -> float:
    """Return the length that the header claims, in seconds; 0 when it claims none."""
    if stream.duration and stream.time_base and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    return max(0.0, (container.duration or 0) / 1_000_000)


class Orientation:
    """How stored pixels turn into displayed ones: optional transposition, then mirrorings.

    Args:
        matrix: The first five entries of an ISO display matrix (a, b, u, c, d), any scale.
    """

    def __init__(self, matrix: tuple[int, int, int, int, int] = (1, 0, 0, 0, 1)) -> None:
        a, b, _, c, d = matrix
        self.transpose = abs(b) + abs(c) > abs(a) + abs(d)
        self.mirror_x = (c if self.transpose else a) < 0
        self.mirror_y = (b if self.transpose else d) < 0

    @classmethod
    def of(cls, frame: Any) -> Orientation:
        """Read the display matrix of a decoded frame; upright when it has none."""
        for item in frame.side_data:
            if getattr(item.type, "name", "") == "DISPLAYMATRIX":
                return cls(struct.unpack_from("=5i", bytes(item)))
        return cls()

    @property
    def clockwise(self) -> int:
        """Degrees that display turns the picture clockwise: 0, 90, 180 or 270.

        A mirrored picture is given the turn that remains after undoing a left-right mirroring.
        """
        if self.transpose:
            return 270 if self.mirror_y else 90
        return 180 if self.mirror_y else 0

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a view of an (h, w, 3) picture as it is displayed."""
        if self.transpose:
            image = image.transpose(1, 0, 2)
        return image[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]


def _why_unopened(file: BinaryIO) -> str:
    """Say in a few words why no demuxer took the file."""
    file.seek(0)
    head = file.read(16)
    if head[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "not a media file (its content is of no known format)"
    size = file.seek(0, os.SEEK_END)
    position = 0
    for _ in range(_MAX_BOXES):
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break
        length, name = struct.unpack_from(">I4s", header)
        if name == b"moov":
            return "damaged MP4: its index (moov) cannot be read"
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack_from(">Q", header, 8)
        if length < 8 or position + length >= size:
            break
        position += length
    return "truncated MP4: the index (moov) is missing"
