"""Delete cases so that only digests stay, and say so in the hash-chained log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from forensics.errors import UsageError
from forensics.report.custody.log import CustodyLog
from forensics.store import Store
from forensics.store.cases import now
from forensics.store.connect import sqlite_file


def log_beside(store: Store, given: Path | None) -> Path:
    """Return the log for deletions: the one given, or one beside a SQLite file.

    Raises:
        UsageError: There is no such place.
    """
    if given is not None:
        return given
    file = sqlite_file(store.address)
    if file is None:
        raise UsageError("a deletion is entered in a log; name it with --log")
    return file.with_name(f"{file.name}.custody.jsonl")


def delete_cases(store: Store, ids: Sequence[str], log: CustodyLog, *, by: str) -> int:
    """Delete cases; the log gets their digests first, so that no deletion goes without a line.

    Args:
        store: Where they are.
        ids: Which; unknown ones are left out.
        log: Gets one line a case.
        by: Who or what deletes, for example ``retention``.

    Returns:
        How many were deleted.

    Raises:
        OutputError: Log or store cannot be written.
    """
    for gone in store.digests(ids):
        facts = {
            "case": gone.case,
            "media_sha256": gone.media_sha256,
            "report_sha256": gone.report_sha256,
            "by": by,
        }
        log.append("deletion", facts)
    return len(store.delete(ids))


def expire(store: Store, days: float, log: CustodyLog) -> int:
    """Delete finished cases that were entered more than so many days ago."""
    if not days > 0:
        raise UsageError(f"cases can be kept for more than 0 days, not for {days:g}")
    return delete_cases(store, store.older(now() - dt.timedelta(days=days)), log, by="retention")
