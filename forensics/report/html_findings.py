"""Evidence cards, the file's own declaration, and rule findings."""

from __future__ import annotations

from forensics.report.markup import esc, facts, label, prose, table, tag, value_html
from forensics.report.plain import plain
from forensics.report.words import declaration_words, finite, ratio_words
from forensics.types import Evidence, Finding, Report

MAX_CARDS = 100
_PLACES = {"cn": "China", "eu": "European Union", "": "General"}
_OUTCOMES = {
    "compliant": "compliant",
    "noncompliant": "not compliant",
    "not_found": "not found",
    "inconclusive": "cannot be told",
}


def evidence_section(report: Report, prefix: str) -> str:
    """Return one card per measured fact."""
    heading = tag("h2", "Evidence: what was measured", id=f"{prefix}evidence")
    if not report.evidence:
        return tag("section", heading, tag("p", "Nothing was measured."))
    cards = [_card(item, n, prefix) for n, item in enumerate(report.evidence[:MAX_CARDS])]
    more = len(report.evidence) - len(cards)
    if more:
        cards.append(tag("p", f"{more} more facts are in the JSON report."))
    return tag("section", heading, *cards)


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
    return tag("section", *parts)


def findings_section(report: Report, prefix: str) -> str:
    """Return rule outcomes, one table per jurisdiction."""
    heading = tag("h2", "Findings by jurisdiction", id=f"{prefix}findings")
    if not report.findings:
        return tag("section", heading, tag("p", "No rule set was applied, or none had a finding."))
    places: dict[str, list[Finding]] = {}
    for finding in report.findings:
        places.setdefault(finding.jurisdiction, []).append(finding)
    columns = ("Rule", "Outcome", "Severity", "Message", "Evidence")
    tables = [
        table(
            _PLACES.get(place, place.upper()),
            columns,
            [_row(finding, prefix, len(report.evidence)) for finding in findings],
        )
        for place, findings in places.items()
    ]
    note = tag("p", "These are checks by rule, not legal advice.", class_="soft")
    return tag("section", heading, *tables, note)


def _row(finding: Finding, prefix: str, count: int) -> tuple[str, ...]:
    messages = "".join(
        tag("div", prose(message), lang=language) for language, message in finding.message.items()
    )
    links = ", ".join(
        tag("a", str(n + 1), href=f"#{prefix}evidence-{n}")
        if n < min(count, MAX_CARDS)
        else str(n + 1)
        for n in finding.evidence
    )
    outcome = _OUTCOMES.get(finding.outcome, finding.outcome)
    return (
        tag("code", esc(finding.rule)),
        esc(outcome),
        esc(finding.severity),
        messages or "none",
        links or "none",
    )
