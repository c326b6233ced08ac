"""Reports on a terminal: a result table, then per file the verdict in words and its timelines."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from forensics.errors import printable
from forensics.report.origin_words import origin_rows
from forensics.report.reasons import explain
from forensics.report.rules_words import RuleRow, action_words, rule_rows
from forensics.report.words import (
    VERDICTS,
    declaration_words,
    faces_words,
    interval_words,
    percent,
    verdict_title,
)
from forensics.types import SCOPE, Report, TrackResult

_BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII_BLOCKS = ".:-=+*%@"
_STYLE = {"suspect": "bold red", "inconclusive": "yellow", "no_evidence": "blue"}
_RULE_STYLE = {"noncompliant": "bold red", "inconclusive": "yellow", "compliant": "green",
               "not_found": "dim"}
_TIMELINE = 24
_DETAILED = 10


def sparkline(
    scores: Sequence[tuple[float, float]],
    span: tuple[float, float],
    *,
    width: int = _TIMELINE,
    blocks: str = _BLOCKS,
) -> str:
    """Draw scores over time as ``width`` characters; a blank is a time that was not judged.

    Each character shows the highest score of its slice of ``span``, 0 lowest and 1 highest block.
    """
    kept = [(pts, score) for pts, score in scores if math.isfinite(score) and math.isfinite(pts)]
    length = span[1] - span[0]
    if not length > 0.0:
        width = min(width, max(1, len(kept)))
    cells: list[float | None] = [None] * width
    for pts, score in kept:
        place = int((pts - span[0]) / length * width) if length > 0.0 else 0
        place = min(max(place, 0), width - 1)
        before = cells[place]
        cells[place] = score if before is None else max(before, score)
    top = len(blocks) - 1
    return "".join(
        " " if cell is None else blocks[round(min(max(cell, 0.0), 1.0) * top)] for cell in cells
    )


def render(reports: Sequence[Report], console: Console) -> None:
    """Print reports to ``console``.

    On a terminal, tables wrap to its width. Elsewhere they take the width they need, so that no
    cell is cut or folded and lines can be searched.
    """
    if not reports:
        console.print("No file was examined.")
        return
    _print_table(_overview(reports, console), console)
    detailed = [r for r in reports if len(reports) <= _DETAILED or r.verdict.label == "suspect"]
    for report in detailed:
        _print_details(report, console)
    if len(detailed) < len(reports):
        _say(f"Details of {len(reports) - len(detailed)} further files: --format json or html.",
             console)  # fmt: skip
    console.print()
    _say(SCOPE, console, style="dim")


def reports_to_text(reports: Sequence[Report]) -> str:
    """Return what `render` prints off a terminal."""
    stream = io.StringIO()
    render(reports, Console(file=stream, force_terminal=False, color_system=None, width=80))
    return stream.getvalue()


def _overview(reports: Sequence[Report], console: Console) -> Table:
    table = Table(title="Results", title_justify="left")
    table.add_column("File", overflow="fold", ratio=3)
    table.add_column("Verdict", overflow="fold")
    table.add_column("Probability", overflow="fold")
    table.add_column("Faces", overflow="fold")
    table.add_column("Why", overflow="fold", ratio=4)
    for report in reports:
        verdict = report.verdict
        chance = "-" if verdict.probability is None else percent(verdict.probability)
        if interval := interval_words(verdict.interval):
            chance += "\n" + interval.replace("95 % interval ", "").replace(" to ", " - ")
        why = report.error or " ".join(explain(code).sentence for code in verdict.reasons)
        table.add_row(
            _text(report.path, console),
            Text(VERDICTS[verdict.label].short, style=_STYLE[verdict.label]),
            Text(chance),
            Text(faces_words(report)),
            _text(why, console),
        )
    return table


def _print_details(report: Report, console: Console) -> None:
    verdict = report.verdict
    words = VERDICTS[verdict.label]
    console.print()
    _say(report.path, console, style="bold")
    _say(f"{verdict_title(verdict)}.", console, style=_STYLE[verdict.label])
    if verdict.probability is not None:
        _say(
            f"Probability of manipulation {percent(verdict.probability)}"
            f" ({interval_words(verdict.interval) or 'no interval'}), if "
            f"{percent(verdict.prior)} of such files were manipulated to begin with.",
            console,
        )
    _say(f"What this does not prove: {words.limits}", console)
    remedies = dict.fromkeys(explain(code).remedy for code in verdict.reasons)
    for remedy in filter(None, remedies):
        _say(f"You can: {remedy}", console)
    if report.declaration.status != "none":
        # Kept apart from the verdict: it alone may be why the exit code says more than that.
        _say(f"What the file declares: {' '.join(declaration_words(report.declaration))}", console)
    if rows := origin_rows(report):
        _print_table(_origin(rows, console), console)
    if report.tracks:
        _print_table(_tracks(report.tracks, console), console)
    _print_findings(report, console)


def _origin(rows: Sequence[tuple[str, str]], console: Console) -> Table:
    table = Table(show_header=False, title="Provenance", title_justify="left")
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold", ratio=1)
    for name, value in rows:
        table.add_row(name, _text(value, console))
    return table


def _print_findings(report: Report, console: Console) -> None:
    """Print what has to be done, then every rule that is met, not met, or cannot be told."""
    for en, zh in action_words(report.actions):
        _say(f"To do: {en} {zh if _fits(zh, console) else ''}".rstrip(), console)
    quiet = 0
    for place, rows in rule_rows(report).items():
        shown = [row for row in rows if row.finding.outcome != "not_found"]
        quiet += len(rows) - len(shown)
        if shown:
            _print_table(_rules(place, shown, console), console)
    if quiet:
        _say(f"{quiet} rules found nothing to hold against the file.", console)


def _rules(place: str, rows: Sequence[RuleRow], console: Console) -> Table:
    table = Table(title=place, title_justify="left")
    table.add_column("Rule", no_wrap=True)
    table.add_column("Outcome", overflow="fold")
    table.add_column("Why, and what to do", overflow="fold", ratio=1)
    for row in rows:
        table.add_row(
            _text(row.finding.rule, console),
            Text(row.outcome, style=_RULE_STYLE[row.finding.outcome]),
            _text(row.finding.message.get("en", ""), console),
        )
    return table


def _tracks(tracks: Sequence[TrackResult], console: Console) -> Table:
    blocks = _BLOCKS if _fits(_BLOCKS, console) else _ASCII_BLOCKS
    table = Table()
    table.add_column("Face", justify="right")
    table.add_column("Seconds", overflow="fold")
    table.add_column("Score over time (0-1)", no_wrap=True)
    table.add_column("Peak", justify="right")
    table.add_column("Notes", overflow="fold", ratio=1)
    for track in tracks:
        peak = max((s for _, s in track.scores if math.isfinite(s)), default=None)
        notes = " ".join(explain(code).sentence for code in track.reasons)
        if track.abstained:
            notes = f"Not judged. {notes}"
        table.add_row(
            str(track.id),
            f"{track.span[0]:.1f} - {track.span[1]:.1f}",
            sparkline(track.scores, track.span, blocks=blocks),
            "-" if peak is None else f"{peak:.2f}",
            _text(notes.strip(), console),
        )
    return table


def _print_table(table: Table, console: Console) -> None:
    """Print a table; off a terminal as wide as its content, whatever the console's width."""
    if console.is_terminal:
        console.print(table)
        return
    before = console.width
    roomy = console.options.update(width=1_000_000)
    needed = Measurement.get(console, roomy, table).maximum
    console.width = max(needed, before)
    try:
        console.print(table, width=needed)
    finally:
        console.width = before


def _say(line: object, console: Console, style: str = "") -> None:
    """Print one paragraph; off a terminal on one line, so that it can be searched."""
    console.print(_text(line, console, style), soft_wrap=not console.is_terminal)


def _text(value: object, console: Console, style: str = "") -> Text:
    """Return text that cannot carry markup, control characters or what the encoding lacks."""
    safe = printable(str(value))
    encoding = console.encoding or "utf-8"
    return Text(safe.encode(encoding, "backslashreplace").decode(encoding), style=style)


def _fits(text: str, console: Console) -> bool:
    try:
        text.encode(console.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
