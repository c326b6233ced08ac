"""Evidence cards, the file's own declaration, and rule findings."""

from __future__ import annotations

from collections.abc import Callable

from forensics.policy.actions import ACTIONS
from forensics.policy.rules import find_rule
from forensics.report.markup import esc, facts, label, prose, table, tag, value_html
from forensics.report.plain import plain
from forensics.report.words import (
    OUTCOMES,
    PROVENANCE,
    declaration_words,
    finite,
    place_name,
    ratio_words,
)
from forensics.types import Evidence, Finding, Report

MAX_CARDS = 100

def evidence_section(report: Report, prefix: str) -> str:
    """Return one card per fact that was measured in the pictures."""
    heading = tag("h2", "Evidence: what was measured in the pictures", id=f"{prefix}evidence")
    cards = _cards(report, prefix, lambda item: item.source != PROVENANCE)
    return tag("section", heading, *(cards or [tag("p", "Nothing was measured.")]))


def _cards(report: Report, prefix: str, wanted: Callable[[Evidence], bool]) -> list[str]:
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


def declaration_section(report: Report, prefix: str) -> str:
    """Return what the file says of itself, apart from what its pictures show."""
    said, trust = declaration_words(report.declaration)
    parts = [
        tag("h2", "Provenance: what the file says of itself", id=f"{prefix}declaration"),
        tag("p", prose(said)),
        tag("p", prose(trust)),
    ]
    if report.declaration.codes:
        codes = ", ".join(tag("code", esc(code)) for code in report.declaration.codes)
        parts.append(tag("p", "Validation codes: ", codes))
    parts.append(tag("p", "This did not influence the verdict above.", class_="soft"))
    parts += _cards(report, prefix, lambda item: item.source == PROVENANCE)
    return tag("section", *parts)


def findings_section(report: Report, prefix: str) -> str:
    """Return what has to be done, and rule outcomes in one table per jurisdiction."""
    heading = tag("h2", "What the rules ask for", id=f"{prefix}findings")
    if not report.findings:
        return tag("section", heading, tag("p", "No rule set was applied (see --policy)."))
    parts = [heading, _actions(report.actions)]
    places: dict[str, list[Finding]] = {}
    for finding in report.findings:
        places.setdefault(finding.jurisdiction, []).append(finding)
    columns = ("Rule", "Outcome", "What was found, and what to do", "Evidence")
    for place, findings in places.items():
        rows = [_row(finding, prefix, len(report.evidence)) for finding in findings]
        parts.append(table(place_name(place), columns, rows))
    note = "These are checks by rule, not legal advice. "
    note += "A rule whose wording was not compared with its source informs, and never fails a file."
    return tag("section", *parts, tag("p", note, class_="soft"))


def _actions(codes: tuple[str, ...]) -> str:
    """Return the actions in both languages, the gravest first."""
    if not codes:
        return tag("p", "Nothing has to be done.")
    items = []
    for code in codes:
        en, zh = ACTIONS.get(code, (code, ""))
        items.append(tag("li", prose(en), " ", tag("span", prose(zh), lang="zh", class_="soft")))
    return tag("h3", "To do") + tag("ul", *items)


def _row(finding: Finding, prefix: str, count: int) -> tuple[str, ...]:
    rule = find_rule(finding.rule)
    titles = dict(rule.title) if rule else {}
    name = tag("code", esc(finding.rule))
    if rule:
        name += tag("div", prose(titles["en"]), class_="soft")
        name += tag("div", prose(titles["zh"]), lang="zh", class_="soft")
        if not rule.verified:
            name += tag("div", "wording not verified", class_="soft")
    messages = "".join(
        tag("div", prose(message), lang=language) for language, message in finding.message.items()
    )
    links = ", ".join(
        tag("a", str(n + 1), href=f"#{prefix}evidence-{n}")
        if n < min(count, MAX_CARDS)
        else str(n + 1)
        for n in finding.evidence
    )
    outcome = OUTCOMES.get(finding.outcome, finding.outcome)
    if finding.outcome in ("noncompliant", "inconclusive"):
        outcome += f" ({finding.severity})"
    return name, esc(outcome), messages or "none", links or "none"
