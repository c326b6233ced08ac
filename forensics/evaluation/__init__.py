"""Measure a scorer on labelled files: honest figures, intervals over groups, every row kept.

The names below are loaded on first use, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.evaluation.manifest import Manifest, Row, read_manifest
    from forensics.evaluation.run import evaluate
    from forensics.evaluation.scorer import ScoredInput, Scorer

_HOMES = {
    "Manifest": "manifest",
    "Row": "manifest",
    "ScoredInput": "scorer",
    "Scorer": "scorer",
    "evaluate": "run",
    "read_manifest": "manifest",
}

__all__ = ["Manifest", "Row", "ScoredInput", "Scorer", "evaluate", "read_manifest"]


def __getattr__(name: str) -> Any:
    """Load a public name from its home module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.evaluation' has no attribute {name!r}")
    return getattr(import_module(f"forensics.evaluation.{_HOMES[name]}"), name)
