"""Spend little on what is clear: marks first, then pictures, heavy detectors only in doubt.

Before all of this stands the cache of known contents, in the batch's driver. A step that was left
out is named in the report, under ``environment.cascade``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.detectors import detector_info, list_detectors
from forensics.engines.auditor import Auditor
from forensics.engines.scanner import OnFrame, Progress, Scanner
from forensics.types import Report

if TYPE_CHECKING:
    from forensics.engines.base import ScanJob

HEAVY = 3
"""Detectors of this cost wait until the others leave a doubt."""


class CascadeScanner:
    """A scanner that stops as soon as the question is answered.

    Args:
        job: What to do.

    Raises:
        UsageError: An unknown detector, or a false-alarm target that n cannot carry.
        ModelMissingError: A model is missing.
    """

    def __init__(self, job: ScanJob) -> None:
        self._job = job
        names = job.options.detectors or tuple(list_detectors(default=True))
        light = tuple(name for name in names if detector_info(name).cost < HEAVY)
        self._left_out = sorted(set(names) - set(light)) if job.cascade and light else []
        options = replace(job.options, detectors=light) if self._left_out else job.options
        self._first = Scanner(options, anchors=job.anchors)
        self._whole: Scanner | None = None
        self._auditor = Auditor(job.options, job.anchors) if job.stop_when_declared else None

    def scan(
        self, path: Path, on_progress: Progress | None = None, on_frame: OnFrame | None = None
    ) -> Report:
        """Examine one file as far as needed."""
        if self._auditor is not None:
            report = self._auditor.audit(path)
            declared = report.declaration
            if declared.status == "declared_synthetic" and declared.integrity != "broken":
                return _noting(report, ["pictures"], "the file's own marks declare it synthetic")
        report = self._first.scan(path, on_progress, on_frame)
        if not self._left_out or report.error is not None:
            return report
        if report.verdict.label != "inconclusive":
            return _noting(report, self._left_out, "the other detectors leave no doubt")
        if self._whole is None:
            self._whole = Scanner(self._job.options, anchors=self._job.anchors)
        return self._whole.scan(path, on_progress)


def _noting(report: Report, left_out: list[str], why: str) -> Report:
    noted: dict[str, Any] = {"left_out": left_out, "because": why}
    return replace(report, environment={**report.environment, "cascade": noted})
