"""The provenance card: who signed, how far that is trusted, when, edits, labels, container."""

from __future__ import annotations

from forensics.report.html_evidence import evidence_cards
from forensics.report.markup import esc, facts, prose, tag
from forensics.report.origin_words import origin_rows
from forensics.report.words import PROVENANCE, declaration_words
from forensics.types import Report


def provenance_section(report: Report, prefix: str) -> str:
    """Return what the file says of itself, apart from what its pictures show."""
    said, trust = declaration_words(report.declaration)
    rows = [(name, prose(value)) for name, value in origin_rows(report)]
    parts = [
        tag("h2", "Provenance: what the file says of itself", id=f"{prefix}declaration"),
        tag("p", prose(said)),
        tag("p", prose(trust)),
    ]
    if rows:
        parts.append(facts("As read from the file", rows))
    if report.declaration.codes:
        codes = ", ".join(tag("code", esc(code)) for code in report.declaration.codes)
        parts.append(tag("details", tag("summary", "C2PA validation codes"), tag("p", codes)))
    note = "This did not influence the verdict above. Intact does not mean trusted."
    parts.append(tag("p", note, class_="soft"))
    cards = evidence_cards(report, prefix, lambda item: item.source == PROVENANCE)
    if cards:
        parts.append(tag("details", tag("summary", "Each fact with its values"), *cards))
    return tag("section", *parts)
