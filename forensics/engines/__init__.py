"""Run the whole examination of one file. Loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.engines.auditor import Auditor
    from forensics.engines.options import ScanOptions
    from forensics.engines.scanner import Scanner
    from forensics.engines.single import scan

_HOMES = {
    "Auditor": "forensics.engines.auditor",
    "ScanOptions": "forensics.engines.options",
    "Scanner": "forensics.engines.scanner",
    "scan": "forensics.engines.single",
}

__all__ = ["Auditor", "ScanOptions", "Scanner", "scan"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.engines' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
