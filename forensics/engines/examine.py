"""Examine one file for an engine: a record comes back, whatever the file is."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from forensics.engines.auditor import Auditor
from forensics.engines.base import Record, ScanJob, failed_report
from forensics.engines.scanner import Progress, Scanner
from forensics.errors import ForensicsError, UnreadableInputError
from forensics.provenance.phash import Looks
from forensics.report.model import report_to_dict
from forensics.types import Report

Beat = Callable[[], None]


class Examiner:
    """One warm pipeline.

    Args:
        job: What to do.

    Raises:
        ForensicsError: The job cannot be carried out.
    """

    def __init__(self, job: ScanJob) -> None:
        self.job = job
        self._scanner = Scanner(job.options, anchors=job.anchors)
        self._auditor = Auditor(job.options, job.anchors) if job.stop_when_declared else None

    def examine(self, path: Path, beat: Beat = lambda: None) -> Record:
        """Return the record of one file.

        Args:
            path: The file.
            beat: Called now and then as a sign of life.

        Raises:
            ForensicsError: The job cannot be carried out, whatever the file.
        """
        start = time.perf_counter()
        report, looks = self.report(path, lambda seen, planned: beat())
        seconds = time.perf_counter() - start
        return Record(path, report_to_dict(report), seconds=seconds, looks=looks)

    def report(self, path: Path, on_progress: Progress) -> tuple[Report, str | None]:
        """Return the report of one file, pictures included, and its perceptual hashes.

        Raises:
            ForensicsError: The job cannot be carried out, whatever the file.
        """
        looks = Looks() if self.job.looks else None
        try:
            report = self._declared(path) or self._scanner.scan(
                path, on_progress, None if looks is None else looks.take
            )
        except UnreadableInputError as error:
            return failed_report(path, error.cause, "unreadable", error.reason), None
        except ForensicsError:
            raise
        except Exception as error:  # a bug met by one file must not stop the others
            return failed_report(path, f"internal error: {_describe(error)}", "internal"), None
        return report, None if looks is None else looks.text()

    def _declared(self, path: Path) -> Report | None:
        """Return the audit of a file that is not to be looked at, because of what it says."""
        if self._auditor is None:
            return None
        report = self._auditor.audit(path)
        declared = report.declaration
        if declared.status != "declared_synthetic" or declared.integrity == "broken":
            return None
        noted = {"left_out": ["pictures"], "because": "the file's own marks declare it synthetic"}
        return replace(report, environment={**report.environment, "cascade": noted})


def _describe(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return " ".join(f"{type(error).__name__}: {error}{place}".split())
