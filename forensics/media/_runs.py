"""Decode runs of packets of one file (in the decoding process)."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, NamedTuple

import av

from forensics.media._choose import Run
from forensics.media._container import choose_stream, open_container
from forensics.media._index import PacketIndex, usable_packets
from forensics.media._probe import check_pixels
from forensics.media.limits import Limits

_MAX_THREADS = 8
_DEEPEST = 16  # frames that a decoder may reorder (H.264, HEVC); older PyAV does not tell how many


def _cores() -> int:
    """Cores this process may use: a container or a scheduler may grant fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Shown(NamedTuple):
    """A decoded picture, its time in seconds and whether it follows the one before closely."""

    frame: Any
    pts: float
    adjacent: bool


class _Damage(Exception):
    """Several threads met damaged data."""


class RunDecoder:
    """Decode runs given in file order, without seeking. Use as a context manager.

    What several threads make of damaged data depends on how far each has come, and would differ
    from one reading of a file to the next. So from the first damage on the file is read again
    by one thread.

    Args:
        path: The file.
        index: Its packet table.
        limits: Cap on picture size.
        tick: Called for every packet, to report progress and to stop early.
        skip: Leave out pictures that no other picture depends on.
    """

    def __init__(
        self,
        path: str,
        index: PacketIndex,
        limits: Limits,
        tick: Callable[[], None],
        *,
        skip: bool = False,
    ) -> None:
        self._path, self._index, self._limits = path, index, limits
        self._tick, self._skip = tick, skip
        self._stack = ExitStack()
        self._context: Any = None
        self._packets: Any = None
        self._last = float("-inf")
        self._shown = 0
        self._bad_packets = 0
        self._bad_pictures = 0

    def __enter__(self) -> RunDecoder:
        self._open(min(_MAX_THREADS, _cores()))
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._stack.close()
        # PyAV's objects refer to each other; without this the decoder's pictures stay in memory.
        self._context = self._packets = None
        gc.collect()

    def _open(self, threads: int) -> None:
        container = self._stack.enter_context(open_container(self._path))
        stream = choose_stream(container)
        self._context = stream.codec_context
        self._context.thread_type = "AUTO"
        self._context.thread_count = threads
        self._threads = threads
        if self._skip:
            self._context.skip_frame = "NONREF"
        self._time_base = float(stream.time_base)
        self._packets = enumerate(usable_packets(container, stream))

    @property
    def warnings(self) -> list[str]:
        """What went wrong without stopping the work."""
        parts = ((self._bad_packets, "packets"), (self._bad_pictures, "pictures"))
        return [f"{n} damaged {what} left out" for n, what in parts if n]

    def decode(self, run: Run) -> Iterator[Shown]:
        """Decode one run and yield its undamaged pictures in display order.

        Raises:
            MediaFault: A picture is larger than the cap.
        """
        adjacent = False
        for frame in self._frames(run):
            if frame.is_corrupt:
                self._bad_pictures += 1
                continue
            check_pixels(frame.width, frame.height, self._limits)
            yield Shown(frame, self._time(frame), adjacent)
            adjacent = True

    def _frames(self, run: Run) -> Iterator[Any]:
        given, bad_before = 0, self._bad_packets
        if self._threads > 1:
            try:
                for frame in self._before_damage(run):
                    given += 1
                    yield frame
            except _Damage:
                self._bad_packets = bad_before
                self._close()
                self._open(1)
            else:
                return
        yield from islice(self._decoded(run), given, None)

    def _before_damage(self, run: Run) -> Iterator[Any]:
        """Yield frames while none is damaged of which they, or those before them, are made.

        Raises:
            _Damage: A packet or a frame is damaged.
        """
        waiting = deque[Any]()
        for frame in self._decoded(run):
            if frame.is_corrupt:
                raise _Damage
            waiting.append(frame)
            # A frame may be made of ones that are shown after it, as far as frames are reordered.
            if len(waiting) > getattr(self._context, "reorder_depth", _DEEPEST):
                yield waiting.popleft()
        yield from waiting

    def _decoded(self, run: Run) -> Iterator[Any]:
        try:
            for position, packet in self._packets:
                self._tick()
                if position >= run.start:
                    yield from self._feed(packet)
                if position >= run.stop - 1:
                    break
        except av.error.FFmpegError:
            self._bad_packets += 1
        yield from self._feed(None)
        self._context.flush_buffers()

    def _feed(self, packet: Any) -> Iterator[Any]:
        """Give the decoder one packet, or None to drain it; a bad packet yields nothing."""
        try:
            yield from self._context.decode(packet)
        except EOFError:
            return
        except (av.error.FFmpegError, MemoryError) as error:
            if self._threads > 1:
                raise _Damage from error
            self._bad_packets += 1

    def _time(self, frame: Any) -> float:
        """Return a time that always grows, counted from the frame rate where none is usable."""
        step = 1.0 / self._index.fps
        if self._index.derived:
            pts = self._shown * step
        elif frame.pts is None:
            pts = self._last
        else:
            pts = (frame.pts - self._index.origin) * self._time_base
        if pts <= self._last:
            pts = self._last + step
        self._last = pts
        self._shown += 1
        return max(0.0, pts)
