"""Read the facts of a file from its header and first picture (in the decoding process)."""

from __future__ import annotations

from typing import Any

import av

from forensics.media._container import (
    Orientation,
    choose_stream,
    frame_rate,
    header_duration,
    open_container,
    picture_streams,
)
from forensics.media._fault import MediaFault
from forensics.media._images import is_still, probe_still
from forensics.media.limits import Limits

_MAX_PACKETS = 300


def probe(path: str, limits: Limits) -> dict[str, Any]:
    """Return the fields of `forensics.types.Clip` that lie in the file, JSON-ready.

    One picture of a video is decoded, because the turn that display applies comes with it.

    Raises:
        MediaFault: The file cannot be examined or is over a limit.
    """
    if is_still(path):
        return probe_still(path, limits)
    with open_container(path) as container:
        stream = choose_stream(container)
        width, height = stream.codec_context.width, stream.codec_context.height
        check_pixels(width, height, limits)
        duration = header_duration(container, stream)
        check_duration(duration, limits)
        orientation = _first_orientation(container, stream)
        return {
            "kind": "video",
            "duration": duration,
            "fps": frame_rate(stream),
            "size": [height, width] if orientation.transpose else [width, height],
            "codec": stream.codec_context.name,
            "container": container.format.name,
            "rotation": orientation.clockwise,
            "streams": len(picture_streams(container)),
            "has_audio": bool(container.streams.audio),
        }


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuse pictures over the cap.

    Raises:
        MediaFault: Kind ``over_limit``.
    """
    if width * height > limits.max_pixels:
        raise MediaFault(
            f"pictures of {width} x {height} pixels are over the limit of {limits.max_pixels}",
            "over_limit",
        )


def check_duration(duration: float, limits: Limits) -> None:
    """Refuse videos over the cap.

    Raises:
        MediaFault: Kind ``over_limit``.
    """
    if duration > limits.max_duration:
        raise MediaFault(
            f"lasts {duration:.0f} s, over the limit of {limits.max_duration:.0f} s", "over_limit"
        )


def _first_orientation(container: Any, stream: Any) -> Orientation:
    stream.codec_context.thread_count = 1
    seen = 0
    try:
        for packet in container.demux(stream):
            seen += packet.size > 0
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                frames = []
            if frames:
                return Orientation.of(frames[0])
            if seen >= _MAX_PACKETS:
                break
    except av.error.FFmpegError:
        pass
    if not seen:
        raise MediaFault("its picture stream holds no pictures")
    return Orientation()
