"""Audit one file: where it comes from and what the rules want, without judging its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.engines.identify import identify
from forensics.engines.options import ScanOptions
from forensics.engines.origin import not_examined, read_origin, with_origin
from forensics.errors import UnreadableInputError
from forensics.provenance.facts import TrustAnchors
from forensics.types import Report, Verdict


class Auditor:
    """Reads marks and applies rules.

    Args:
        options: Rules, what the uploader declares, and the level.
        anchors: Certificates that the user trusts.
    """

    def __init__(self, options: ScanOptions, anchors: TrustAnchors | None = None) -> None:
        self.options, self._anchors = options, anchors

    def audit(self, path: Path) -> Report:
        """Return the report of one file; one that cannot be read gives a report that says so."""
        environment = self._environment()
        try:
            environment["file"] = identify(path, self.options.limits.max_bytes)
        except UnreadableInputError as error:
            reasons = tuple(dict.fromkeys(("unreadable", error.reason)))
            report = Report(
                path, clip=None, verdict=Verdict("inconclusive", reasons=reasons),
                environment=environment, error=str(error),
            )  # fmt: skip
        else:
            report = Report(
                path, clip=None, verdict=not_examined(self.options.prior), environment=environment
            )
        origin = read_origin(path, self.options, self._anchors)
        return with_origin(report, origin, self.options, examined=False)

    def _environment(self) -> dict[str, Any]:
        config = self.options.resolved() | {"command": "audit"}
        if self._anchors is not None:
            config["trust_anchors_sha256"] = self._anchors.sha256
        return {"versions": {"deepfake-forensics": __version__}, "config": config}
