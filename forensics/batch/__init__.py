"""Scan many files so that each ends with one record in the store, whatever happens on the way."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.batch.recorder import Recorder
    from forensics.batch.run import Batch, Outcome

_HOMES = {
    "Batch": "forensics.batch.run",
    "Outcome": "forensics.batch.run",
    "Recorder": "forensics.batch.recorder",
}

__all__ = ["Batch", "Outcome", "Recorder"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.batch' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
