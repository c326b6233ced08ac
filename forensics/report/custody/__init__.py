"""Chain of custody: canonical reports, signatures, a log that cannot be rewritten, and checks.

The names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.report.custody.keys import load_private, load_public, new_key, thumbprint
    from forensics.report.custody.log import CustodyLog
    from forensics.report.custody.seal import Sealer, save_report
    from forensics.report.custody.verify import Check, verify_report

_HOMES = {
    "Check": "forensics.report.custody.verify",
    "CustodyLog": "forensics.report.custody.log",
    "Sealer": "forensics.report.custody.seal",
    "load_private": "forensics.report.custody.keys",
    "load_public": "forensics.report.custody.keys",
    "new_key": "forensics.report.custody.keys",
    "save_report": "forensics.report.custody.seal",
    "thumbprint": "forensics.report.custody.keys",
    "verify_report": "forensics.report.custody.verify",
}

__all__ = [
    "Check",
    "CustodyLog",
    "Sealer",
    "load_private",
    "load_public",
    "new_key",
    "save_report",
    "thumbprint",
    "verify_report",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.report.custody' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
