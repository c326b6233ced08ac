"""From a sampling plan and a packet table to the runs of packets that must be decoded.

Short clips: targets are the centres of equal strata of time, and since nearly every group of
pictures then holds a target, decoding is one pass. Long clips in mode ``frames``: keyframes are
surveyed first (at most four per wanted picture), cuts between them divide the clip into shots,
every shot gets at least one picture while the budget lasts, and targets move to a keyframe of
their own stratum, so that one packet is decoded instead of half a group. Limit: a shot without
any surveyed keyframe is not seen in a long clip.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.media._index import PacketIndex
from forensics.media.plan import SamplingPlan

LONG = 20.0
SURVEY = 4
_BRIDGE = 16
_SKIP_FROM = 4.0
_PLAN = SamplingPlan()
_TAIL = 6  # packets after a target that hold the next pictures, however they are ordered


@dataclass(frozen=True)
class Run:
    """Consecutive packets to decode.

    Attributes:
        start: First packet, a keyframe.
        stop: One past the last packet.
        targets: Times at or after which a picture is taken, ascending; None takes every picture.
        bursts: Those of the targets that start a burst.
    """

    start: int
    stop: int
    targets: tuple[float, ...] | None
    bursts: frozenset[float] = frozenset()


def wants_survey(index: PacketIndex, plan: SamplingPlan) -> bool:
    """Tell whether the clip is long and has enough keyframes for a survey to pay."""
    return (
        plan.mode == "frames"
        and not index.derived
        and index.duration > LONG
        and len(index.keys) > 2
    )


def survey_positions(index: PacketIndex, plan: SamplingPlan) -> NDArray[np.int64]:
    """Return keyframe packets spread evenly over time, at most ``4 * plan.frames``."""
    wanted = min(SURVEY * plan.frames, len(index.keys))
    times = index.pts[index.keys]
    centres = (np.arange(wanted) + 0.5) * index.duration / wanted
    nearest = np.abs(times[None, :] - centres[:, None]).argmin(axis=1)
    return np.unique(index.keys[nearest])


def spread_over_shots(
    times: Sequence[float], shots: Sequence[int], duration: float, count: int
) -> list[float]:
    """Choose times so that every shot is seen, and longer shots more often.

    Args:
        times: Ascending times of the surveyed keyframes, seconds.
        shots: Their shot numbers, ascending.
        duration: End of the clip, seconds.
        count: Number of times to choose.

    Returns:
        At most ``count`` ascending times; a surveyed keyframe where one lies in the stratum. If
        there are more shots than ``count``, the longest ones are seen.
    """
    first = [i for i in range(len(times)) if i == 0 or shots[i] != shots[i - 1]]
    starts = [0.0] + [times[i] for i in first[1:]]
    spans = list(zip(starts, [*starts[1:], duration], strict=True))
    kept = sorted(heapq.nlargest(count, range(len(spans)), key=lambda i: spans[i][1] - spans[i][0]))
    share = dict.fromkeys(kept, 1)
    heap = [(-(spans[i][1] - spans[i][0]) / 2, i) for i in kept]
    heapq.heapify(heap)
    for _ in range(count - len(kept)):
        _, i = heap[0]
        share[i] += 1
        heapq.heapreplace(heap, (-(spans[i][1] - spans[i][0]) / (share[i] + 1), i))
    known = np.asarray(times)
    chosen: list[float] = []
    for i in kept:
        start, end = spans[i]
        width = (end - start) / share[i]
        for k in range(share[i]):
            low, centre = start + k * width, start + (k + 0.5) * width
            inside = known[(known >= low) & (known < low + width)]
            near = inside[np.abs(inside - centre).argmin()] if len(inside) else centre
            chosen.append(float(near))
    return chosen


def plan_runs(
    index: PacketIndex, targets: Sequence[float] | None, plan: SamplingPlan = _PLAN
) -> list[Run]:
    """Return the runs of packets that hold the targets, in file order.

    Args:
        index: The packet table.
        targets: Ascending times in seconds, or None for every picture.
        plan: Says which of the targets start a burst.
    """
    count = len(index.pts)
    if targets is None:
        return [Run(0, count, None)]
    if index.derived:
        starts = [t for i, t in enumerate(targets) if plan.starts_burst(i, len(targets))]
        return [Run(0, count, tuple(targets), frozenset(starts))]
    order = np.argsort(index.pts, kind="stable")
    shown = index.pts[order]
    at = np.clip(np.searchsorted(shown, np.asarray(targets) + 1e-9, side="right") - 1, 0, None)
    runs: list[Run] = []
    ranks = np.unique(at)
    for number, rank in enumerate(ranks):
        position, time = int(order[rank]), float(shown[rank])
        start = _start_for(index, position, time)
        stop = position + 1
        bursts: frozenset[float] = frozenset()
        if plan.starts_burst(number, len(ranks)):
            stop, bursts = min(stop + _TAIL, count), frozenset((time,))
        if runs and start <= runs[-1].stop + _BRIDGE:
            last = runs.pop()
            times = (*(last.targets or ()), time)
            runs.append(Run(last.start, max(stop, last.stop), times, last.bursts | bursts))
        else:
            runs.append(Run(start, stop, (time,), bursts))
    return runs


def may_skip(index: PacketIndex, plan: SamplingPlan, targets: Sequence[float] | None) -> bool:
    """Tell whether pictures that no other depends on need not be decoded.

    In mode ``frames`` they may be left out where targets are several pictures apart: a neighbour
    serves as well. Mode ``every`` keeps its grid exactly.
    """
    return (
        plan.mode == "frames"
        and targets is not None
        and not index.derived
        and len(index.pts) >= _SKIP_FROM * max(1, len(targets))
    )


def _start_for(index: PacketIndex, position: int, time: float) -> int:
    """Return the keyframe from which the picture at ``position`` can be decoded.

    A picture shown before its keyframe leans on the group before, so that group comes along.
    """
    group = int(np.searchsorted(index.keys, position, side="right")) - 1
    while group > 0 and index.pts[index.keys[group]] > time:
        group -= 1
    return int(index.keys[max(group, 0)])
