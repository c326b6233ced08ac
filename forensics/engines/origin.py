"""The provenance part of a report: facts, the rules held against them, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forensics.container.texts import Carried
from forensics.engines.options import ScanOptions
from forensics.policy import Case, apply_policy
from forensics.provenance.evidence import facts_evidence, positions
from forensics.provenance.facts import ProvenanceFacts, TrustAnchors, read_facts
from forensics.provenance.fingerprint import Fingerprint, find_fingerprints
from forensics.provenance.visible import NOT_EXAMINED, VisibleLabel
from forensics.types import Declaration, Evidence, Report, Verdict

_NOT_READ = ProvenanceFacts(
    declaration=Declaration("unreadable"), container=Carried("unknown"), problems=("unreadable",)
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What was read of a file's origin.

    Attributes:
        facts: Everything that the marks and the container say.
        visible: What a look for a visible label found.
        fingerprint: What the pictures look like; None when they were not looked at.
    """

    facts: ProvenanceFacts
    visible: VisibleLabel = field(default=NOT_EXAMINED)
    fingerprint: Fingerprint | None = None


def read_origin(
    path: Path, options: ScanOptions, anchors: TrustAnchors | None = None
) -> Origin:
    """Read a file's marks; at level ``full`` also those that stand in the pixels.

    A file over the cap on bytes is not read at all.
    """
    if _over_cap(path, options.limits.max_bytes):
        return Origin(_NOT_READ)
    full = options.level == "full"
    facts = read_facts(path, trust_anchors=anchors, pixels=full, limits=options.limits)
    if not full:
        return Origin(facts)
    from forensics.provenance.visible_label import find_visible_label

    return Origin(
        facts,
        find_visible_label(path, limits=options.limits),
        find_fingerprints(path, limits=options.limits),
    )


def _over_cap(path: Path, cap: int) -> bool:
    try:
        return path.stat().st_size > cap
    except OSError:
        return False


def with_origin(
    report: Report,
    origin: Origin,
    options: ScanOptions,
    *,
    examined: bool = True,
    error_rate: dict[str, Any] | None = None,
) -> Report:
    """Return the report with declaration, provenance evidence, findings and actions.

    Args:
        report: What the detectors say.
        origin: What the marks say.
        options: Which rules to apply, and what the uploader declares.
        examined: Whether detectors looked at the pictures.
        error_rate: Their error rates, from the calibration.
    """
    evidence: list[Evidence] = facts_evidence(
        origin.facts, origin.visible if options.level == "full" else None, origin.fingerprint
    )
    places = positions(evidence, offset=len(report.evidence))
    places["verdict"] = tuple(range(len(report.evidence)))
    case = Case(
        facts=origin.facts,
        verdict=report.verdict if examined else None,
        declared=options.declared,
        visible=origin.visible,
        error_rate=_rate(error_rate or {}),
        unreadable=report.error is not None,
    )
    applied = apply_policy(case, options.policy, evidence=places) if options.policy else None
    return replace(
        report,
        evidence=(*report.evidence, *evidence),
        declaration=origin.facts.declaration,
        findings=applied.findings if applied else (),
        actions=applied.actions if applied else (),
    )


def not_examined(prior: float) -> Verdict:
    """Return the verdict of an audit: nobody looked at the pictures."""
    return Verdict("inconclusive", prior=prior, reasons=("not_examined",))


def _rate(rates: dict[str, Any]) -> str:
    """Say the stated error rate in words."""
    if not {"false_alarms", "real_clips", "found", "fake_clips"} <= rates.keys():
        return ""
    return (
        f"in calibration {rates['false_alarms']} of {rates['real_clips']} unmanipulated clips "
        f"were called suspect and {rates['found']} of {rates['fake_clips']} manipulated ones found"
    )
