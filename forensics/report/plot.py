"""Score-over-time plots and the probability scale, drawn as SVG without a script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from forensics.report.markup import tag
from forensics.types import TrackResult

_WIDTH, _HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 22, 44
_STEPS = (1.0, 2.0, 5.0, 10.0)


def ticks(start: float, end: float, target: int = 7) -> list[float]:
    """Return round positions between ``start`` and ``end`` (seconds), about ``target`` of them."""
    length = end - start
    if not length > 0.0:
        return [start]
    power = 10.0 ** math.floor(math.log10(length / target))
    step = next(power * factor for factor in _STEPS if power * factor * target >= length)
    first = math.ceil(start / step - 1e-9)
    return [step * n for n in range(first, math.floor(end / step + 1e-9) + 1)]


def segments(scores: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Split scores where an instant was not judged: NaN, or a gap of over 3 median steps."""
    times = [pts for pts, _ in scores]
    steps = sorted(b - a for a, b in zip(times, times[1:], strict=False) if b > a)
    longest = 3.0 * steps[len(steps) // 2] if steps else math.inf
    runs: list[list[tuple[float, float]]] = [[]]
    for pts, score in scores:
        if not (math.isfinite(pts) and math.isfinite(score)):
            runs.append([])
            continue
        if runs[-1] and pts - runs[-1][-1][0] > longest:
            runs.append([])
        runs[-1].append((pts, min(max(score, 0.0), 1.0)))
    return [run for run in runs if run]


def score_plot(
    track: TrackResult, threshold: float | None, marks: Mapping[str, tuple[float, float]]
) -> str:
    """Draw one face's scores over time.

    Args:
        track: The face; scores 0..1 at times in seconds.
        threshold: Score above which a picture counts as suspicious, or None.
        marks: Letter of each shown picture to its (seconds, score).

    Returns:
        An ``svg`` element with a text alternative; an empty text without any judged score.
    """
    runs = segments(track.scores)
    if not runs:
        return ""
    start = min(track.span[0], runs[0][0][0])
    end = max(track.span[1], runs[-1][-1][0])
    length = (end - start) or 1.0

    def x(pts: float) -> float:
        return round(_LEFT + (pts - start) / length * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(score: float) -> float:
        return round(_HEIGHT - _BOTTOM - score * (_HEIGHT - _TOP - _BOTTOM), 1)

    parts = [_gap(x(a), x(b), y(1.0), y(0.0)) for a, b in _gaps(runs, start, end)]
    for level in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(level), y2=y(level), class_="grid"),
            _label(f"{level:g}", _LEFT - 8, y(level) + 4, "end"),
        ]
    shown = ticks(start, end)
    digits = max(0, -math.floor(math.log10(shown[1] - shown[0]))) if len(shown) > 1 else 1
    parts += [_label(f"{t:.{digits}f}", x(t), _HEIGHT - _BOTTOM + 18, "middle") for t in shown]
    parts.append(_label("time in seconds", _WIDTH / 2, _HEIGHT - 6, "middle"))
    parts.append(_label("score (higher: more suspicious)", _LEFT, 12, "start"))
    if threshold is not None and 0.0 <= threshold <= 1.0:
        at = y(threshold)
        parts.append(
            tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=at, y2=at, class_="limit")
            + _label(f"threshold {threshold:.2f}", _WIDTH - _RIGHT, 12, "end", "limit-text")
        )
    for run in runs:
        line = " ".join(f"{x(pts)},{y(score)}" for pts, score in run)
        parts.append(tag("polyline", points=line, class_="curve"))
        parts += [tag("circle", cx=x(pts), cy=y(s), r=2.6, class_="dot") for pts, s in run]
    for letter, (pts, score) in marks.items():
        parts.append(tag("circle", cx=x(pts), cy=y(score), r=6.5, class_="mark"))
        parts.append(_label(letter, x(pts), y(score) + 20, "middle", "mark-text"))
    scores = [score for run in runs for _, score in run]
    title = (
        f"Face {track.id}: {len(scores)} scores from {start:.1f} to {end:.1f} seconds, "
        f"lowest {min(scores):.2f}, highest {max(scores):.2f}."
    )
    box = f"0 0 {_WIDTH} {_HEIGHT}"
    return tag("svg", tag("title", title), *parts, viewBox=box, role="img", class_="plot")


def probability_scale(value: float, interval: tuple[float, float] | None) -> str:
    """Draw a probability (0..1) and its 95 % interval on a scale from 0 to 100 %."""
    parts = [tag("line", x1=10, x2=310, y1=14, y2=14, class_="scale")]
    if interval is not None and all(map(math.isfinite, interval)):
        low, high = (10 + 300 * min(max(end, 0.0), 1.0) for end in interval)
        parts.append(
            tag("line", x1=round(low, 1), x2=round(high, 1), y1=14, y2=14, class_="interval")
        )
    parts.append(tag("circle", cx=round(10 + 300 * value, 1), cy=14, r=6, class_="point"))
    for share, anchor in ((0, "start"), (50, "middle"), (100, "end")):
        parts.append(_label(f"{share} %", {0: 4, 50: 160, 100: 316}[share], 38, anchor))
    alt = tag("title", "Probability and its 95 % interval on a scale from 0 to 100 %")
    return tag("svg", alt, *parts, viewBox="0 0 320 44", role="img", class_="prob")


def _gaps(
    runs: Sequence[Sequence[tuple[float, float]]], start: float, end: float
) -> list[tuple[float, float]]:
    """Return the times between judged runs, and before and after them."""
    edges = [start, *(t for run in runs for t in (run[0][0], run[-1][0])), end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(a, b) for a, b in pairs if b > a]


def _gap(left: float, right: float, top: float, bottom: float) -> str:
    return tag(
        "rect", x=left, y=top, width=round(right - left, 1), height=bottom - top, class_="gap"
    )


def _label(words: str, x: float, y: float, anchor: str, class_: str | None = None) -> str:
    return tag("text", words, x=x, y=y, text_anchor=anchor, class_=class_)
