"""Scan one file with options; scanners are kept, so that a second scan starts warm."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from forensics.engines.options import ScanOptions
from forensics.engines.scanner import Progress, Scanner
from forensics.provenance.facts import TrustAnchors
from forensics.types import Report


@lru_cache(maxsize=4)
def scanner_for(options: ScanOptions, anchors: TrustAnchors | None = None) -> Scanner:
    """Return a warm scanner for these options."""
    return Scanner(options, anchors=anchors)


def scan(
    path: Path | str,
    *,
    options: ScanOptions | None = None,
    on_progress: Progress | None = None,
    anchors: TrustAnchors | None = None,
) -> Report:
    """Examine one video or still picture.

    Args:
        path: The file.
        options: What to do; the defaults when None.
        on_progress: Called after each picture with the number seen and planned.
        anchors: Certificates that the user trusts, for C2PA signatures.

    Returns:
        The report. A file that cannot be read gives one with the verdict ``inconclusive`` and
        the reason ``unreadable``.

    Raises:
        UsageError: The options cannot be carried out.
        ModelMissingError: A model is not in the cache; nothing is fetched.
    """
    return scanner_for(options or ScanOptions(), anchors).scan(Path(path), on_progress)
