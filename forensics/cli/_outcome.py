"""The exit code that a report, or several of them, stand for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from forensics.errors import ExitCode

if TYPE_CHECKING:
    from forensics.types import Report

_PRIORITY = (
    ExitCode.INTERNAL,
    ExitCode.SUSPECT,
    ExitCode.UNREADABLE,
    ExitCode.INCONCLUSIVE,
    ExitCode.OK,
)


def exit_code(report: Report) -> ExitCode:
    """Return the exit code that one report alone would give."""
    reasons = report.verdict.reasons
    if "internal" in reasons:
        return ExitCode.INTERNAL
    if report.verdict.label == "suspect" or report.declaration.status == "declared_synthetic":
        return ExitCode.SUSPECT
    if report.error is not None or "unreadable" in reasons:
        return ExitCode.UNREADABLE
    if report.verdict.label == "inconclusive":
        return ExitCode.INCONCLUSIVE
    return ExitCode.OK


def audit_code(report: Report) -> ExitCode:
    """Return the exit code of an audit: of its findings and marks, never of a verdict."""
    if "internal" in report.verdict.reasons:
        return ExitCode.INTERNAL
    if report.error is not None:
        return ExitCode.UNREADABLE
    outcomes = {f.outcome for f in report.findings if f.severity != "info"}
    declaration = report.declaration
    if (
        "noncompliant" in outcomes
        or declaration.integrity == "broken"
        or declaration.status == "contradictory"
    ):
        return ExitCode.NONCOMPLIANT
    if "inconclusive" in outcomes or declaration.status == "unreadable":
        return ExitCode.INCONCLUSIVE
    return ExitCode.OK


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code that goes before the others; 0 for none."""
    seen = set(codes)
    return next((code for code in _PRIORITY if code in seen), ExitCode.OK)
