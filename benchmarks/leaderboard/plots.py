"""Plots as inline SVG: curves in a square, and tables of coloured cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from forensics.report.markup import esc, tag

# Okabe & Ito (2008): told apart with any colour vision; the dash tells the rest.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5f5f5f")
_DASHES = (None, "6 3", "2 3", "9 3 2 3")
_SIDE, _LEFT, _TOP, _BOTTOM, _RIGHT = 300, 52, 12, 44, 12
_CELL_W, _CELL_H, _NAME_W = 88, 30, 250

Points = Sequence[Sequence[float]]
Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a square plot.

    Attributes:
        title: Under or beside it.
        ticks: Values that get a line and a label.
        scale: From a value to 0..1.
        form: How a tick is written.
    """

    title: str
    ticks: Sequence[float]
    scale: Scale = float
    form: str = "{:g}"


SHARE = (0.0, 0.25, 0.5, 0.75, 1.0)
_NORMAL = NormalDist()
_LOW, _HIGH = 0.005, 0.9


def probit(value: float) -> float:
    """Map an error rate to 0..1 of an axis of normal deviates (DET, Martin et al. 1997)."""
    low, high = _NORMAL.inv_cdf(_LOW), _NORMAL.inv_cdf(_HIGH)
    return (_NORMAL.inv_cdf(min(max(value, _LOW), _HIGH)) - low) / (high - low)


DET_TICKS = (0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve.

    Attributes:
        name: In the legend.
        points: Pairs (x, y).
        style: Number of its colour and dash; the same detector has the same in every plot.
        dots: Whether every point is marked.
    """

    name: str
    points: Points
    style: int = 0
    dots: bool = False

    @property
    def colour(self) -> str:
        """Its colour."""
        return COLOURS[self.style % len(COLOURS)]

    @property
    def dash(self) -> str | None:
        """Its dashes; None for a whole line."""
        return _DASHES[self.style // len(COLOURS) % len(_DASHES)]


def square_plot(
    title: str, x: Axis, y: Axis, lines: Sequence[Line], *, diagonal: bool = False
) -> str:
    """Draw curves in a square, with a legend below.

    Args:
        title: Text alternative.
        x: Horizontal axis.
        y: Vertical axis.
        lines: Curves.
        diagonal: Whether to draw the line of knowing nothing, or of perfect calibration.
    """

    def place(px: float, py: float) -> tuple[float, float]:
        return _LEFT + _SIDE * x.scale(px), _TOP + _SIDE * (1 - y.scale(py))

    parts = [tag("rect", x=_LEFT, y=_TOP, width=_SIDE, height=_SIDE, class_="frame")]
    for tick in x.ticks:
        at = _LEFT + _SIDE * x.scale(tick)
        parts.append(tag("line", x1=at, x2=at, y1=_TOP, y2=_TOP + _SIDE, class_="grid"))
        parts.append(tag("text", x.form.format(tick), x=at, y=_TOP + _SIDE + 16, class_="mid"))
    for tick in y.ticks:
        at = _TOP + _SIDE * (1 - y.scale(tick))
        parts.append(tag("line", x1=_LEFT, x2=_LEFT + _SIDE, y1=at, y2=at, class_="grid"))
        parts.append(tag("text", y.form.format(tick), x=_LEFT - 6, y=at + 4, class_="end"))
    middle = _TOP + _SIDE / 2
    parts.append(tag("text", esc(x.title), x=_LEFT + _SIDE / 2, y=_TOP + _SIDE + 36, class_="mid"))
    turned = f"rotate(-90 14 {middle})"
    parts.append(tag("text", esc(y.title), x=14, y=middle, class_="mid", transform=turned))
    if diagonal:
        parts.append(
            tag("line", x1=_LEFT, y1=_TOP + _SIDE, x2=_LEFT + _SIDE, y2=_TOP, class_="grid strong")
        )
    for line in lines:
        spots = [place(px, py) for px, py, *_ in line.points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in spots)
        parts.append(
            tag("polyline", points=path, fill="none", stroke=line.colour, stroke_width=2,
                stroke_dasharray=line.dash)
        )  # fmt: skip
        if line.dots:
            parts += [tag("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=3.5, fill=line.colour)
                      for a, b in spots]  # fmt: skip
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM
    svg = tag(
        "svg", tag("title", esc(title)), *parts, viewBox=f"0 0 {width} {height}", role="img",
        width=width, height=height,
    )  # fmt: skip
    return tag("figure", svg, _legend(lines), tag("figcaption", esc(title)))


def _legend(lines: Sequence[Line]) -> str:
    items = []
    for line in lines:
        key = tag(
            "svg",
            tag("line", x1=0, x2=22, y1=6, y2=6, stroke=line.colour, stroke_width=3,
                stroke_dasharray=line.dash),
            width=22, height=12, aria_hidden="true",
        )  # fmt: skip
        items.append(tag("li", key, " ", esc(line.name)))
    return tag("ul", *items, class_="legend")


def heat_map(
    title: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None]]],
    *,
    low: float,
    high: float,
) -> str:
    """Draw a table of values as coloured cells; the value stands in each.

    Args:
        title: Caption and text alternative.
        columns: Names above.
        rows: Name and values of each row; None is an empty cell.
        low: Value at the dark end of the scale.
        high: Value at the light end.
    """
    parts = [
        tag("text", esc(name), x=_NAME_W + _CELL_W * (i + 0.5), y=18, class_="mid")
        for i, name in enumerate(columns)
    ]
    for j, (name, values) in enumerate(rows):
        top = 26 + _CELL_H * j
        parts.append(tag("text", esc(name), x=_NAME_W - 8, y=top + 20, class_="end"))
        for i, value in enumerate(values):
            left = _NAME_W + _CELL_W * i
            fill, ink = ("none", "currentColor") if value is None else _heat(value, low, high)
            parts.append(
                tag("rect", x=left, y=top, width=_CELL_W - 2, height=_CELL_H - 2, fill=fill)
            )
            parts.append(
                tag("text", "" if value is None else f"{value:.3f}", x=left + _CELL_W / 2 - 1,
                    y=top + 19, class_="mid cell", fill=ink)
            )  # fmt: skip
    width, height = _NAME_W + _CELL_W * len(columns), 30 + _CELL_H * len(rows)
    svg = tag(
        "svg", tag("title", esc(title)), *parts, viewBox=f"0 0 {width} {height}", role="img",
        width=width, height=height,
    )  # fmt: skip
    return tag("figure", tag("div", svg, class_="scroll"), tag("figcaption", esc(title)))


def _heat(value: float, low: float, high: float) -> tuple[str, str]:
    """Return fill and ink: dark orange for bad, pale for middling, blue for good."""
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    ends = ((166, 54, 3), (247, 247, 247), (5, 112, 176))
    a, b, t = (*ends[:2], share * 2) if share < 0.5 else (*ends[1:], share * 2 - 1)
    rgb = tuple(round(p + (q - p) * t) for p, q in zip(a, b, strict=True))
    dark = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 140
    return "#{:02x}{:02x}{:02x}".format(*rgb), "#ffffff" if dark else "#111111"
