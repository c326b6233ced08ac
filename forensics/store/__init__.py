"""Remember what was examined: one case a file, its scans, evidence, findings and reviews.

SQLite (write-ahead log) by default, PostgreSQL by URL, the same code for both. How to use it::

    from forensics.store import Case, Filter, Store

    store = Store("sqlite:///cases.sqlite")           # makes or migrates the tables
    store.add([Case(id, path="a.mp4", options={...})])  # state "queued"; known ids stay as they are
    store.change(id, state="running")
    store.finish(id, report_dict)                     # report, evidence, findings: one transaction
    store.case(id)                                    # the row; store.report(id) is its report
    store.find(Filter(verdict="suspect"), sort="-probability", offset=0, limit=50)
    store.add_review(id, Review("Li", "confirm", "seam", time), decision="confirmed", reviews=1)
    store.delete([id])                                # returns digests for the custody log

A `Case` is what is known now and what people filter by; every examination of it stays as a scan.
Methods may be called from any thread. Nothing here opens media or concludes anything.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.store.cases import Case, Deleted, Filter, Found, Review, Scan
    from forensics.store.store import Store

_HOMES = {
    "Case": "forensics.store.cases",
    "Deleted": "forensics.store.cases",
    "Filter": "forensics.store.cases",
    "Found": "forensics.store.cases",
    "Review": "forensics.store.cases",
    "Scan": "forensics.store.cases",
    "Store": "forensics.store.store",
}

__all__ = ["Case", "Deleted", "Filter", "Found", "Review", "Scan", "Store"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.store' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
