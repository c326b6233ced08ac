"""What the project's auditor says of one file, in the few words that a table can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from forensics.engines import Auditor, ScanOptions

Left = Mapping[str, bool]


def _any(*marks: str) -> Callable[[Left], bool]:
    return lambda left: any(left[mark] for mark in marks)


def _all(left: Left) -> bool:
    return all(left.values())


NEEDS: dict[str, Callable[[Left], bool]] = {
    "CN-AV-11": _any("visible"),
    "CN-AV-12": _any("visible"),
    "CN-DS-16": _any("aigc", "c2pa", "visible", "watermark"),
    "CN-DS-17": _any("visible"),
    "CN-DS-18": _all,
    "CN-LABEL-4": _any("visible"),
    "CN-LABEL-5": _any("aigc"),
    "CN-LABEL-6": _any("aigc"),
    "CN-LABEL-10": _all,
    "CN-GB-5.4": _any("visible"),
    "CN-GB-6.1": _any("aigc"),
    "EU-50-2": _any("aigc", "c2pa", "watermark"),
    "EU-50-4": _any("visible"),
    "EU-COP-111a": _any("c2pa"),
    "EU-COP-111b": lambda left: False,  # nothing here is time-stamped
    "EU-COP-112": _any("watermark"),
    "EU-COP-12": _all,
}
"""What has to be left in one of our files, all of which are synthetic, for a rule to be met."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the auditor says.

    Attributes:
        line: What it says of the declaration, in a few words.
        outcomes: How many rules have each outcome.
        declared: Whether it says that the file declares itself synthetic.
        by: Who declares it.
        intact: Whether it says that a signature holds.
        compliant: Rules that it calls compliant.
    """

    line: str
    outcomes: Mapping[str, int] = field(kw_only=True, default_factory=dict)
    declared: bool = field(kw_only=True)
    by: frozenset[str] = field(kw_only=True)
    intact: bool = field(kw_only=True)
    compliant: frozenset[str] = field(kw_only=True, default=frozenset())


@lru_cache(maxsize=1)
def _auditor() -> Auditor:
    return Auditor(ScanOptions(policy=("cn", "eu"), declared="yes", level="full"))


def listen(path: Path) -> Said:
    """Ask the auditor, without anchors and without network, pixels included.

    The uploader says that the file is synthetic, as it is; every rule then applies.
    """
    report = _auditor().audit(path)
    found = report.declaration
    by = frozenset(site.split()[0] for site in found.by)
    outcomes = Counter(finding.outcome for finding in report.findings)
    who = " + ".join(sorted(by))
    return Said(
        f"synthetic by {who}, {found.integrity}" if by else f"{found.status}, {found.integrity}",
        outcomes=outcomes,
        declared=found.status == "declared_synthetic",
        by=by,
        intact=found.integrity == "intact",
        compliant=frozenset(f.rule for f in report.findings if f.outcome == "compliant"),
    )
