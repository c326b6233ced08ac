"""Evidence cards: one per fact, with its sentence and its measured values."""

from __future__ import annotations

from collections.abc import Callable

from forensics.report.markup import esc, facts, label, prose, tag, value_html
from forensics.report.plain import plain
from forensics.report.words import PROVENANCE, finite, ratio_words
from forensics.types import Evidence, Report

MAX_CARDS = 100


def evidence_section(report: Report, prefix: str) -> str:
    """Return one card per fact that was measured in the pictures."""
    heading = tag("h2", "Evidence: what was measured in the pictures", id=f"{prefix}evidence")
    cards = evidence_cards(report, prefix, lambda item: item.source != PROVENANCE)
    return tag("section", heading, *(cards or [tag("p", "Nothing was measured.")]))


def evidence_cards(report: Report, prefix: str, wanted: Callable[[Evidence], bool]) -> list[str]:
    """Return the cards of some facts, and how many were left out when there are too many."""
    numbers = [n for n, item in enumerate(report.evidence) if wanted(item)]
    cards = [_card(report.evidence[n], n, prefix) for n in numbers if n < MAX_CARDS]
    if len(cards) < len(numbers):
        more = len(numbers) - len(cards)
        cards.append(tag("p", f"{more} more facts are in the JSON report."))
    return cards


def _card(item: Evidence, number: int, prefix: str) -> str:
    where = "whole file" if item.track_id is None else f"face {item.track_id}"
    if item.span[1] > item.span[0]:
        where += f", {item.span[0]:.1f} to {item.span[1]:.1f} s"
    parts = [
        tag("h3", f"{number + 1}. {esc(label(item.kind))}"),
        tag("p", f"Measured by {esc(item.source)}; {esc(where)}.", class_="soft"),
        tag("p", prose(item.explanation or "No explanation was given.")),
    ]
    if finite(item.llr) is not None:
        parts.append(tag("p", esc(ratio_words(item.llr))))
    values = plain(item.values)
    if values:
        rows = [(label(name), value_html(value)) for name, value in values.items()]
        parts.append(
            tag("details", tag("summary", "Measured values"), facts("Measured values", rows))
        )
    return tag("div", *parts, class_="card", id=f"{prefix}evidence-{number}")
