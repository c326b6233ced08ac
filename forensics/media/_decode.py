"""Decode the chosen pictures of a video in bounded memory (in the decoding process)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from forensics.media._choose import (
    Run,
    may_skip,
    plan_runs,
    spread_over_shots,
    survey_positions,
    wants_survey,
)
from forensics.media._container import Orientation
from forensics.media._fault import MediaFault
from forensics.media._index import PacketIndex, read_index
from forensics.media._luma import thumb_of
from forensics.media._runs import RunDecoder, Shown
from forensics.media.limits import Limits
from forensics.media.plan import BURST, SamplingPlan
from forensics.media.shots import ShotCounter

# The decoder's own threads already fill the cores; older PyAV has no choice here.
_ONE_THREAD: dict[str, Any] = (
    {"threads": 1} if "threads" in (VideoReformatter.reformat.__doc__ or "") else {}
)
Emit = Callable[[NDArray[np.uint8], float, int, "int | None", bool], None]
Tick = Callable[[], None]


def stream_video(
    path: str, plan: SamplingPlan, limits: Limits, emit: Emit, tick: Tick
) -> list[str]:
    """Decode the pictures that ``plan`` asks for and hand them to ``emit`` in time order.

    Args:
        path: The file.
        plan: What to take.
        limits: Caps on picture size and duration.
        emit: Takes (h, w, 3) upright RGB ``uint8``, seconds, the shot number, the number of its
            burst or None, and whether it was taken for the burst alone.
        tick: Called often, to report progress and to stop early.

    Returns:
        Warnings.

    Raises:
        MediaFault: Nothing could be decoded, or a limit is exceeded.
    """
    index = read_index(path, limits, tick)
    targets = _targets(path, index, plan, limits, tick)
    with RunDecoder(path, index, limits, tick, skip=may_skip(index, plan, targets)) as decoder:
        taken = _take(decoder, plan_runs(index, targets, plan), emit, plan, len(index.pts))
    if not taken:
        raise MediaFault("no picture could be decoded")
    return [*index.warnings, *decoder.warnings]


def _targets(
    path: str, index: PacketIndex, plan: SamplingPlan, limits: Limits, tick: Tick
) -> Sequence[float] | None:
    if plan.all:
        return None
    if not wants_survey(index, plan):
        return plan.target_times(index.duration if plan.mode == "frames" else index.pts.max())
    shots = ShotCounter()
    seen: list[tuple[float, int]] = []
    with RunDecoder(path, index, limits, tick) as decoder:
        for position in survey_positions(index, plan).tolist():
            for shown in decoder.decode(Run(position, position + 1, None)):
                seen.append((shown.pts, shots.update(thumb_of(shown.frame), adjacent=False)))
    if not seen:
        return plan.target_times(index.duration)
    times, numbers = zip(*seen, strict=True)
    return spread_over_shots(times, numbers, index.duration, plan.frames)


def _take(
    decoder: RunDecoder, runs: Sequence[Run], emit: Emit, plan: SamplingPlan, count: int
) -> int:
    """Pick the pictures at the targets, and those that complete bursts.

    Returns:
        How many pictures of the sample were handed on.
    """
    converter = VideoReformatter()
    shots = ShotCounter()
    bursts = _Bursts()
    taken = 0
    for run in runs:
        waiting = list(run.targets or ())[::-1]
        spare: tuple[Shown, int] | None = None
        for shown in decoder.decode(run):
            shot = shots.update(thumb_of(shown.frame), adjacent=shown.adjacent)
            hit = run.targets is None
            starts = hit and plan.starts_burst(taken, count)
            while waiting and shown.pts >= waiting[-1] - 1e-6:
                starts |= waiting.pop() in run.bursts
                hit = True
            burst = bursts.of(shot, starts=starts, adjacent=shown.adjacent)
            if hit or burst is not None:
                emit(_upright_rgb(shown.frame, converter), shown.pts, shot, burst, not hit)
                taken += hit
            spare = None if hit else (shown, shot)
        if waiting and spare is not None:
            emit(_upright_rgb(spare[0].frame, converter), spare[0].pts, spare[1], None, False)
            taken += 1
    return taken


class _Bursts:
    """Number the bursts; one ends when it is full or at a cut."""

    def __init__(self) -> None:
        self._number = -1
        self._left = 0
        self._shot = -1

    def of(self, shot: int, *, starts: bool, adjacent: bool) -> int | None:
        """Return the number of the burst that the next picture belongs to, or None."""
        if self._left and (shot != self._shot or not adjacent):
            self._left = 0
        if starts and not self._left:
            self._number, self._left, self._shot = self._number + 1, BURST, shot
        if not self._left:
            return None
        self._left -= 1
        return self._number


def _upright_rgb(frame: Any, converter: VideoReformatter) -> NDArray[np.uint8]:
    """Convert to (h, w, 3) contiguous RGB ``uint8`` as displayed."""
    rgb = converter.reformat(frame, format="rgb24", **_ONE_THREAD)
    plane = rgb.planes[0]
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(
        rgb.height, plane.line_size
    )
    image = rows[:, : rgb.width * 3].reshape(rgb.height, rgb.width, 3)
    return np.ascontiguousarray(Orientation.of(frame).apply(image))
