"""Findings as rows that terminal and HTML share: rule, article, outcome, why, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.policy.actions import ACTIONS
from forensics.policy.rules import find_rule
from forensics.report.plain import text
from forensics.types import Finding, Report

NOTE = (
    "These are checks by rule, not legal advice. A rule whose wording was not compared with its "
    "source informs, and never fails a file."
)
UNVERIFIED = "Wording not compared with its source."
_PLACES = {"cn": "China", "eu": "European Union", "": "General"}
_OUTCOMES = {
    "compliant": "met",
    "noncompliant": "NOT MET",
    "not_found": "nothing found",
    "inconclusive": "cannot be told",
}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One finding with what the catalogue knows of its rule.

    Attributes:
        finding: The finding.
        article: Where the duty stands; empty for a rule that no catalogue holds.
        title_en: What it asks for, in English.
        title_zh: The same, in Chinese.
        source: The act.
        verified: Whether the rule's wording was compared with its source.
    """

    finding: Finding
    article: str = ""
    title_en: str = ""
    title_zh: str = ""
    source: str = ""
    verified: bool = True

    @property
    def outcome(self) -> str:
        """The outcome in words, with its weight where that matters."""
        said = _OUTCOMES.get(self.finding.outcome, text(self.finding.outcome))
        weighs = self.finding.outcome in ("noncompliant", "inconclusive")
        return f"{said} ({self.finding.severity})" if weighs else said


def rule_rows(report: Report) -> dict[str, list[RuleRow]]:
    """Return the findings by the name of their jurisdiction, in the report's order."""
    places: dict[str, list[RuleRow]] = {}
    for finding in report.findings:
        name = _PLACES.get(finding.jurisdiction, finding.jurisdiction.upper())
        places.setdefault(name, []).append(_row(finding))
    return places


def action_words(actions: Iterable[str]) -> list[tuple[str, str]]:
    """Return what is asked for in English and Chinese; an unknown code is shown as it is."""
    return [ACTIONS.get(code, (text(code).replace("_", " ") + ".", "")) for code in actions]


def _row(finding: Finding) -> RuleRow:
    rule = find_rule(finding.rule)
    if rule is None:
        return RuleRow(finding)
    titles = dict(rule.title)
    return RuleRow(
        finding, article=rule.article, title_en=titles["en"], title_zh=titles["zh"],
        source=rule.source, verified=rule.verified,
    )  # fmt: skip
