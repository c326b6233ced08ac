"""What rules say of a file. Rules are data, and each is judged by one small function.

This is no legal advice. A rule whose wording nobody has checked against its source is marked so,
and can inform but never fail a file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.policy.apply import Applied, apply_policy
    from forensics.policy.case import Case
    from forensics.policy.rules import Rule, list_jurisdictions, list_rules

_HOMES = {
    "Applied": "forensics.policy.apply",
    "Case": "forensics.policy.case",
    "Rule": "forensics.policy.rules",
    "apply_policy": "forensics.policy.apply",
    "list_jurisdictions": "forensics.policy.rules",
    "list_rules": "forensics.policy.rules",
}

__all__ = ["Applied", "Case", "Rule", "apply_policy", "list_jurisdictions", "list_rules"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.policy' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
