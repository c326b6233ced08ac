"""Hold one file against the rules: facts and verdict in, findings and actions out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from forensics.policy.actions import ACTIONS
from forensics.policy.case import Case
from forensics.policy.judges import JUDGES, Judgement
from forensics.policy.rules import Rule, list_rules
from forensics.types import Finding

_SEVERITY = {"compliant": "info", "not_found": "info", "inconclusive": "warning"}


@dataclass(frozen=True, slots=True)
class Applied:
    """What the rules say of one file.

    Attributes:
        findings: One a rule, in the catalogue's order.
        actions: Codes of what they ask for, the gravest first, each once.
    """

    findings: tuple[Finding, ...] = ()
    actions: tuple[str, ...] = ()


def apply_policy(
    case: Case,
    jurisdictions: tuple[str, ...],
    *,
    evidence: Mapping[str, tuple[int, ...]] | None = None,
) -> Applied:
    """Judge every rule of some jurisdictions.

    A rule that nobody verified is never ``noncompliant``, and nothing that rests on marks is
    ``compliant`` or ``not_found`` where the file was changed after it was signed or could not be
    read whole.

    Args:
        case: The file.
        jurisdictions: For example ``("cn", "eu")``.
        evidence: Positions in the report's evidence list, by kind of fact.

    Raises:
        UsageError: A jurisdiction has no rules.
    """
    places = evidence or {}
    findings, wanted = [], []
    for rule in list_rules(jurisdictions):
        judged = _bounded(rule, JUDGES[rule.id](case), case)
        findings.append(_finding(rule, judged, places))
        if judged.action:
            wanted.append(judged.action)
    order = list(ACTIONS)
    return Applied(tuple(findings), tuple(sorted(dict.fromkeys(wanted), key=order.index)))


def _bounded(rule: Rule, judged: Judgement, case: Case) -> Judgement:
    if judged.outcome == "noncompliant" and not rule.verified:
        return replace(judged, outcome="inconclusive")
    # Nothing found in a file that could not be read whole is not the same as nothing there.
    if judged.outcome in ("compliant", "not_found") and judged.rests_on and case.doubtful:
        return replace(
            judged,
            outcome="inconclusive",
            en=f"{judged.en} But {case.doubt[0]}",
            zh=f"{judged.zh}但{case.doubt[1]}",
            action=judged.action or "review_by_person",
        )
    return judged


def _finding(rule: Rule, judged: Judgement, places: Mapping[str, tuple[int, ...]]) -> Finding:
    severity = _SEVERITY.get(judged.outcome, rule.severity)
    if judged.outcome == "inconclusive" and rule.severity == "info":
        severity = "info"
    ask = ACTIONS[judged.action] if judged.action else ("", "")
    return Finding(
        rule.id,
        jurisdiction=rule.jurisdiction,
        outcome=judged.outcome,
        severity=severity,
        evidence=tuple(sorted({i for kind in judged.rests_on for i in places.get(kind, ())})),
        message={
            "en": f"{rule.article}: {judged.en} {ask[0]}".strip(),
            "zh": f"{rule.article}:{judged.zh}{ask[1]}".strip(),
        },
    )
