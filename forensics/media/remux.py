"""Copy the streams of a clip into an MP4 or MOV without touching pictures or sound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.errors import OutputError, UnreadableInputError, UsageError, printable

# Written by every muxer anew; copied, they would describe another file.
_STRUCTURAL = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})
_TEXT = "mov_text"
_MAX_UNTIMED = 64


def container_tags(path: Path) -> dict[str, str]:
    """Return the tags of a clip that say something of its content.

    Raises:
        UnreadableInputError: It cannot be opened.
    """
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as clip:
            return {k: str(v) for k, v in clip.metadata.items() if k.lower() not in _STRUCTURAL}
    except (OSError, ValueError, av.FFmpegError) as error:
        raise UnreadableInputError(path, f"cannot be read ({error})") from error


def remux(source: Path, target: Path, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Write ``target`` with the packets of ``source`` and other tags.

    Args:
        source: Any clip whose codecs the target's container can hold.
        target: ``.mp4``, ``.m4v`` or ``.mov``; replaced when it exists.
        metadata: All container tags of the target.

    Returns:
        What could not be kept, one line each.

    Raises:
        UnreadableInputError: The source cannot be read to its end.
        UsageError: The container cannot hold one of the codecs.
        OutputError: The target cannot be written.
    """
    import av

    kind = "mov" if target.suffix.lower() == ".mov" else "mp4"
    notes: list[str] = []
    flags = {"movflags": "use_metadata_tags+faststart"}
    try:
        clip: Any = av.open(str(source), metadata_errors="replace")
    except (OSError, ValueError, av.FFmpegError) as error:
        raise UnreadableInputError(source, f"cannot be read ({error})") from error
    with clip:
        try:
            with av.open(str(target), "w", format=kind, options=flags) as out:
                out.metadata.update(metadata)
                copies = _streams(clip, out, notes)
                _copy(source, clip, out, copies)
        except av.FFmpegError as error:
            if isinstance(error, OSError) and error.errno in (28, 13, 30):
                cause = error.strerror or str(error)
                raise OutputError(f"{printable(target)}: cannot be written: {cause}") from error
            names = ", ".join(
                sorted({s.codec_context.name for s in clip.streams if s.codec_context})
            )
            raise UsageError(
                f"{printable(source)}: {kind} cannot hold its streams ({names}) as they are"
            ) from error
    return tuple(notes)


def _streams(clip: Any, out: Any, notes: list[str]) -> dict[int, Any]:
    """Add a copy of each stream that can be kept; return them by the source's stream number."""
    copies = {}
    for stream in clip.streams:
        context = stream.codec_context
        name = context.name if context is not None else "data"
        if stream.type in ("video", "audio") or name == _TEXT:
            copy = out.add_stream_from_template(stream)
            copy.metadata.update(stream.metadata)
            copies[stream.index] = copy
        else:
            notes.append(f"stream {stream.index} ({stream.type}, {name}) cannot be kept")
    return copies


def _copy(source: Path, clip: Any, out: Any, copies: Mapping[int, Any]) -> None:
    packets = clip.demux([clip.streams[index] for index in copies])
    waiting: dict[int, list[Any]] = {index: [] for index in copies}
    while True:
        try:
            packet = next(packets, None)
        except (OSError, ValueError) as error:
            raise UnreadableInputError(source, f"cannot be read to its end ({error})") from error
        if packet is None:
            break
        if not packet.size:
            continue
        index = packet.stream.index
        packet.stream = copies[index]
        queue = waiting[index]
        queue.append(packet)
        if packet.dts is None and len(queue) < _MAX_UNTIMED:
            continue
        _give_decode_times(queue)
        for ready in queue:
            out.mux(ready)
        queue.clear()
    for queue in waiting.values():
        _give_decode_times(queue)
        for ready in queue:
            out.mux(ready)


def _give_decode_times(queue: list[Any]) -> None:
    """Count back from the first decode time: some containers store none for the first packets."""
    if not queue or all(packet.dts is not None for packet in queue):
        return
    step = max(1, queue[0].duration or 1)
    shown = [packet.pts for packet in queue if packet.pts is not None]
    last = queue[-1].dts
    if last is None:
        last = min(shown, default=0)
    for back, packet in enumerate(reversed(queue)):
        packet.dts = last - back * step
