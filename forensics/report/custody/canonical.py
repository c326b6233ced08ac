"""One byte sequence for equal JSON content (RFC 8785), and a reader that accepts no ambiguity."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Return the canonical form of plain JSON data.

    Raises:
        ValueError: Something has no canonical form: NaN, an integer beyond 2**53, a lone
            surrogate, a key that is no text.
    """
    import rfc8785

    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"no canonical JSON: {error}") from error


def digest(value: Any) -> str:
    """Return the SHA-256 hex digest of the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def loads(text: str | bytes) -> Any:
    """Read JSON strictly: no member twice, no NaN, no number that a double cannot hold.

    Raises:
        ValueError: It is no JSON of that kind, or nested too deeply.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_members, parse_constant=_constant, parse_float=_float
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member occurs twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large a number")
    return value
