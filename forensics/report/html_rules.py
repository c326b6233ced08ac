"""What has to be done, and rule outcomes in one table for each jurisdiction."""

from __future__ import annotations

from forensics.report.html_evidence import MAX_CARDS
from forensics.report.markup import esc, prose, table, tag
from forensics.report.rules_words import NOTE, UNVERIFIED, RuleRow, action_words, rule_rows
from forensics.types import Report

_COLUMNS = ("Rule", "Asks for", "Outcome", "Why, and what to do", "Evidence")


def rules_section(report: Report, prefix: str) -> str:
    """Return the actions and one table a jurisdiction, or a sentence when no rules were applied."""
    heading = tag("h2", "What the rules ask for", id=f"{prefix}findings")
    places = rule_rows(report)
    if not places:
        return tag("section", heading, tag("p", "No rule set was applied (see --policy)."))
    count = min(len(report.evidence), MAX_CARDS)
    tables = [
        table(place, _COLUMNS, [_cells(row, prefix, count) for row in rows])
        for place, rows in places.items()
    ]
    sources = dict.fromkeys(row.source for rows in places.values() for row in rows if row.source)
    listed = tag("ul", *(tag("li", prose(source)) for source in sources))
    where = tag("details", tag("summary", "Where the rules stand"), listed) if sources else ""
    return tag("section", heading, _actions(report), *tables, where,
               tag("p", NOTE, class_="soft"))  # fmt: skip


def _actions(report: Report) -> str:
    """Return the actions in both languages, the gravest first."""
    items = [
        tag("li", prose(en), " ", tag("span", prose(zh), lang="zh", class_="soft"))
        for en, zh in action_words(report.actions)
    ]
    if not items:
        return tag("p", "Nothing has to be done.")
    return tag("h3", "To do") + tag("ul", *items)


def _cells(row: RuleRow, prefix: str, count: int) -> tuple[str, ...]:
    finding = row.finding
    name = tag("code", esc(finding.rule))
    if row.article:
        name += tag("div", prose(row.article), class_="soft")
    asks = prose(row.title_en) + tag("div", prose(row.title_zh), lang="zh", class_="soft")
    if not row.verified:
        asks += tag("div", UNVERIFIED, class_="soft")
    messages = "".join(
        tag("div", prose(said), lang=language) for language, said in finding.message.items()
    )
    links = ", ".join(
        tag("a", str(n + 1), href=f"#{prefix}evidence-{n}") if n < count else str(n + 1)
        for n in finding.evidence
    )
    return name, asks, prose(row.outcome), messages or "none", links or "none"
