"""What the project's auditor says of one file, in the few words that a table can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.provenance.declaration import read_declaration


@dataclass(frozen=True, slots=True)
class Said:
    """What the auditor says.

    Attributes:
        line: A few words.
        declared: Whether it says that the file declares itself synthetic.
        intact: Whether it says that a signature holds.
        compliant: Rules called compliant, with the mark that each rests on.
    """

    line: str
    declared: bool = field(kw_only=True)
    intact: bool = field(kw_only=True)
    compliant: Mapping[str, str] = field(kw_only=True, default_factory=dict)


def listen(path: Path) -> Said:
    """Ask the auditor, without anchors and without network."""
    found = read_declaration(path)
    by = "+".join(sorted({site.split()[0] for site in found.by})) or "nobody"
    return Said(
        f"{found.status} by {by}, {found.integrity}",
        declared=found.status == "declared_synthetic",
        intact=found.integrity == "intact",
    )
