"""What is wrong with a set, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Severity = Literal["refused", "too_few", "warning"]
Outcome = Literal["clean", "refused", "too_few"]
SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint.

    Attributes:
        code: Machine-readable, such as ``identity_shared``.
        severity: ``refused``: the set is not to be used as it is. ``too_few``: it cannot be told.
            ``warning``: worth knowing.
        message: One line for a person.
        lines: Lines of the manifest concerned, from 1, in order; none for the whole set.
    """

    code: str
    severity: Severity = field(kw_only=True)
    message: str = field(kw_only=True)
    lines: tuple[int, ...] = field(kw_only=True, default=())


@dataclass(frozen=True, slots=True)
class LintReport:
    """Everything found in one manifest.

    Attributes:
        manifest: The file.
        sha256: Its digest.
        paths: Path of every row by line, as written.
        findings: In the order of the checks.
        probes: JSON-ready figures of the shortcut probes by name.
    """

    manifest: Path
    sha256: str = field(kw_only=True)
    paths: Mapping[int, str] = field(kw_only=True, repr=False)
    findings: tuple[Finding, ...] = field(kw_only=True)
    probes: Mapping[str, Any] = field(kw_only=True)

    @property
    def outcome(self) -> Outcome:
        """The worst of the findings; warnings leave a set clean."""
        found = {finding.severity for finding in self.findings}
        return "refused" if "refused" in found else "too_few" if "too_few" in found else "clean"

    def record(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "lint",
            "manifest": {
                "path": str(self.manifest), "sha256": self.sha256, "rows": len(self.paths),
            },
            "outcome": self.outcome,
            "findings": [
                {
                    "code": finding.code,
                    "severity": finding.severity,
                    "message": finding.message,
                    "rows": [{"line": n, "path": self.paths[n]} for n in finding.lines],
                }
                for finding in self.findings
            ],
            "probes": dict(self.probes),
        }  # fmt: skip


def merged(lines: Iterable[int]) -> tuple[int, ...]:
    """Return line numbers in order, each once."""
    return tuple(sorted(set(lines)))
