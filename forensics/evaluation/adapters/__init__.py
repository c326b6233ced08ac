"""Known research sets as manifests: one adapter for each folder layout.

An adapter reads names and lists, never pictures, and nothing is downloaded. Every adapter says
what a file shows (label, method, people), which footage it was made from, and what the set's own
lists say about splits; groups follow from that in one place (`forensics.evaluation.components`).

The names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.evaluation.adapters._base import Adapter, Entry, Found, GroupBy
    from forensics.evaluation.adapters._registry import get_adapter, list_adapters
    from forensics.evaluation.adapters._rows import manifest_rows
    from forensics.evaluation.adapters.deepfakebench import deepfakebench_tree

_HOMES = {
    "Adapter": "_base",
    "Entry": "_base",
    "Found": "_base",
    "GroupBy": "_base",
    "deepfakebench_tree": "deepfakebench",
    "get_adapter": "_registry",
    "list_adapters": "_registry",
    "manifest_rows": "_rows",
}

__all__ = [
    "Adapter",
    "Entry",
    "Found",
    "GroupBy",
    "deepfakebench_tree",
    "get_adapter",
    "list_adapters",
    "manifest_rows",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.evaluation.adapters' has no attribute {name!r}")
    return getattr(import_module(f"forensics.evaluation.adapters.{_HOMES[name]}"), name)
