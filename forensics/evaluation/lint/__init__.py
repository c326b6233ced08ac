"""Whether a labelled set can carry an experiment: leakage, shortcuts, labels, files.

The names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.evaluation.lint.findings import Finding, LintReport
    from forensics.evaluation.lint.run import lint_set

_HOMES = {"Finding": "findings", "LintReport": "findings", "lint_set": "run"}

__all__ = ["Finding", "LintReport", "lint_set"]


def __getattr__(name: str) -> Any:
    """Load a public name from its home module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.evaluation.lint' has no attribute {name!r}")
    return getattr(import_module(f"forensics.evaluation.lint.{_HOMES[name]}"), name)
