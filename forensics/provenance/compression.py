"""Whether pictures were coded before, told from the sizes of their packets alone.

Where a key picture of an earlier coding comes to lie between those of the last one, its packet is
larger than its neighbours', again and again at the earlier period (Vazquez-Padin and others 2012;
a-contrario control as in Li, Morel and others 2021). For every period and offset, the packets on
that comb are held against as many largest packets: were sizes in any order, the number on both
would be hypergeometric. Its tail, multiplied by the number of combs, is the expected number of
false alarms, ``nfa``. It says nothing about a face: every platform codes what it is given again.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forensics.container.packets import Packets

LIMIT = 1e-3
"""A period counts as found at or below this expected number of false alarms a file."""
SHORTEST = 9
"""Shorter periods than this are an encoder's own layers, not an earlier coding."""
LONGEST = 300

_LEAST_PACKETS = 60
_LEAST_ON_COMB = 4
_REACH = 4  # neighbours on each side
_AFTER_KEY = 2  # packets behind a key picture that its quality still shapes
_REGULAR = 0.6

CompressionStatus = Literal["found", "none", "abstained"]


@dataclass(frozen=True, slots=True)
class Compression:
    """What the packet sizes say of an earlier coding.

    Attributes:
        status: ``abstained`` where nothing can be told.
        reason: Why not: ``no_table``, ``few_packets``, ``all_key``, ``reordered``,
            ``scene_cuts``, ``layers``.
        period: Pictures between two key pictures of the earlier coding.
        last_period: The same of the last coding; 0 when there is one key picture.
        nfa: Expected number of false alarms of such a find in a file coded once.
        packets: How many were looked at.
    """

    status: CompressionStatus
    reason: str = field(kw_only=True, default="")
    period: int = field(kw_only=True, default=0)
    last_period: int = field(kw_only=True, default=0)
    nfa: float = field(kw_only=True, default=1.0)
    packets: int = field(kw_only=True, default=0)


def examine_packets(packets: Packets) -> Compression:
    """Look for the period of an earlier coding."""
    count = len(packets.sizes)
    if not count:
        return Compression("abstained", reason="no_table")
    if len(packets.keys) > count / 3:
        return Compression("abstained", reason="all_key", packets=count)
    if packets.reordered:
        return Compression("abstained", reason="reordered", packets=count)
    last, regular = _last_period(packets.keys)
    if not regular:
        return Compression("abstained", reason="scene_cuts", packets=count)
    places, excess = _excess(packets)
    if len(places) < _LEAST_PACKETS:
        return Compression("abstained", reason="few_packets", packets=count)
    period, nfa = _best_comb(places, excess, last, SHORTEST, min(LONGEST, len(places) // 4))
    # A comb of a short period holds those of its multiples, but then it fits worse than they do.
    if _best_comb(places, excess, last, 2, SHORTEST - 1)[1] <= min(nfa, LIMIT):
        return Compression("abstained", reason="layers", packets=count, last_period=last)
    return Compression(
        "found" if nfa <= LIMIT else "none", period=period if nfa <= LIMIT else 0,
        last_period=last, nfa=min(1.0, nfa), packets=count,
    )  # fmt: skip


def _last_period(keys: frozenset[int]) -> tuple[int, bool]:
    """Return the usual distance of key pictures (0 for one), and whether most keep to it.

    Encoders put a key picture at a cut: distances then vary, and cuts enlarge packets too.
    """
    gaps = np.diff(sorted(keys)).tolist()
    if not gaps:
        return 0, True
    usual, times = Counter(gaps).most_common(1)[0]
    return int(usual), len(gaps) < 3 or times >= _REGULAR * len(gaps)


def _excess(packets: Packets) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the packets that can be judged, and their log size over their neighbours' median."""
    logs = np.log(np.maximum(np.array(packets.sizes, np.float64), 1.0))
    keys = np.fromiter(packets.keys, np.intp, len(packets.keys))
    logs[keys] = np.nan
    padded = np.pad(logs, _REACH, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1)
    around = np.delete(around, _REACH, axis=1)
    usable = np.isfinite(logs) & (np.isfinite(around).sum(axis=1) >= _REACH)
    for key in keys:
        usable[key : key + _AFTER_KEY + 1] = False
    places = np.flatnonzero(usable)
    return places, logs[places] - np.nanmedian(around[places], axis=1)


def _best_comb(
    places: NDArray[np.intp], excess: NDArray[np.float64], last: int, low: int, high: int
) -> tuple[int, float]:
    """Return the period whose comb holds most of the largest packets, with its nfa."""
    # Ties are broken by place; a comb is no more likely to win for it.
    order = places[np.argsort(-excess, kind="stable")]
    combs = sum(range(low, high + 1))
    best = (0, math.inf)
    for period in range(low, high + 1):
        if last and period % last == 0:
            continue  # the last coding's own key pictures shape this comb
        sizes = np.bincount(places % period, minlength=period)
        top = max(1, round(len(places) / period))
        hits = np.bincount(order[:top] % period, minlength=period)
        offset = int(np.argmax(hits))
        if sizes[offset] < _LEAST_ON_COMB:
            continue
        tail = _tail(int(hits[offset]), int(sizes[offset]), top, len(places))
        if combs * tail < best[1]:
            best = (period, combs * tail)
    return best


def _tail(hits: int, comb: int, top: int, total: int) -> float:
    """Return the chance that a comb holds ``hits`` or more of the ``top`` largest packets."""
    possible = math.comb(total, top)
    ways = sum(
        math.comb(comb, k) * math.comb(total - comb, top - k)
        for k in range(hits, min(comb, top) + 1)
    )
    return ways / possible
