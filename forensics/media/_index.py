"""A table of a stream's packets, read without decoding: what lies when, and where to start."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from forensics.media._container import choose_stream, frame_rate, header_duration, open_container
from forensics.media._fault import MediaFault
from forensics.media._probe import check_duration
from forensics.media.limits import Limits

_REORDER = 17
_MAX_REPEATED = 0.1
_EARLY_END = 0.5
_NO_TIME = -(1 << 62)


@dataclass(frozen=True)
class PacketIndex:
    """Packets in decoding order.

    Attributes:
        pts: (n,) seconds from the first picture; packet positions over ``fps`` when ``derived``.
        keys: (k,) positions of packets at which decoding can start.
        derived: Whether the file's time stamps are unusable, so that times come from counting.
        origin: Presentation time of the first picture in the stream's time base units.
        fps: Frames per second.
        warnings: What was odd.
    """

    pts: NDArray[np.float64]
    keys: NDArray[np.int64]
    derived: bool
    origin: int
    fps: float
    warnings: tuple[str, ...]

    @property
    def duration(self) -> float:
        """Time from the first picture to the last one's end, in seconds."""
        return float(self.pts.max()) + 1.0 / self.fps if len(self.pts) else 0.0


def read_index(path: str, limits: Limits, tick: Callable[[], None]) -> PacketIndex:
    """Read all packet headers of the chosen stream.

    Args:
        path: The file.
        limits: ``max_duration`` is enforced on what is found.
        tick: Called for every packet, to report progress.

    Raises:
        MediaFault: The stream is empty or over a limit.
    """
    stamps = array("q")
    keys = array("q")
    with open_container(path) as container:
        stream = choose_stream(container)
        fps = frame_rate(stream)
        claimed = header_duration(container, stream)
        time_base = float(stream.time_base)
        cut_off = False
        try:
            for packet in usable_packets(container, stream):
                tick()
                if packet.is_keyframe:
                    keys.append(len(stamps))
                stamps.append(_NO_TIME if packet.pts is None else packet.pts)
        except av.error.FFmpegError:
            cut_off = True
    if not stamps:
        raise MediaFault("its picture stream holds no pictures")
    ticks = np.frombuffer(stamps, dtype=np.int64)
    derived = _unusable(ticks, time_base, limits)
    origin = 0 if derived else int(ticks.min())
    counted = np.arange(len(ticks), dtype=np.float64) / fps
    pts: NDArray[np.float64] = counted if derived else (ticks - origin) * np.float64(time_base)
    index = PacketIndex(
        pts=pts,
        keys=np.unique(np.append(np.frombuffer(keys, dtype=np.int64), 0))
        if keys
        else np.zeros(1, dtype=np.int64),
        derived=derived,
        origin=origin,
        fps=fps,
        warnings=tuple(_oddities(derived, cut_off, float(pts.max()) + 1 / fps, claimed)),
    )
    check_duration(index.duration, limits)
    return index


def usable_packets(container: Any, stream: Any) -> Any:
    """Yield the packets that hold a whole picture, always the same ones for the same file."""
    return (
        packet for packet in container.demux(stream) if packet.size > 0 and not packet.is_corrupt
    )


def _unusable(ticks: NDArray[np.int64], time_base: float, limits: Limits) -> bool:
    """Tell whether times are missing, repeated, out of any order or absurdly far apart."""
    if bool((ticks == _NO_TIME).any()):
        return True
    if len(np.unique(ticks)) < (1 - _MAX_REPEATED) * len(ticks):
        return True
    if len(ticks) > _REORDER:
        highest = np.maximum.accumulate(ticks)
        if bool((ticks[_REORDER:] < highest[:-_REORDER]).any()):
            return True
    return float(ticks.max() - ticks.min()) * time_base > limits.max_duration


def _oddities(derived: bool, cut_off: bool, found: float, claimed: float) -> list[str]:
    notes = []
    if derived:
        notes.append("time stamps are missing or broken; times are counted from the frame rate")
    if cut_off or (not derived and found < claimed - max(_EARLY_END, 0.02 * claimed)):
        notes.append(f"the file ends early: {found:.1f} s of {claimed:.1f} s")
    return notes
