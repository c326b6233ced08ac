"""Reduce any value to plain JSON types: no NaN, no lone surrogates, no NumPy, bounded depth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

MAX_DEPTH = 16
DIGITS = 6


def number(value: float | None, digits: int = DIGITS) -> float | None:
    """Round to ``digits`` significant digits; None, NaN and infinities become None."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.{digits}g}") + 0.0


def seconds(value: float | None) -> float | None:
    """Round a time to the microsecond, so that long recordings keep their precision."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), 6) + 0.0


def text(value: object) -> str:
    """Return ``value`` as text that UTF-8 can hold: lone surrogates become visible escapes."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def plain(value: Any, *, digits: int | None = DIGITS, depth: int = 0) -> Any:
    """Return ``value`` rebuilt from dict, list, str, int, float, bool and None.

    Args:
        value: Anything a detector or an engine may store.
        digits: Significant digits kept of floats; None keeps them as they are.
        depth: Current nesting; deeper than `MAX_DEPTH` becomes the text ``(nested too deeply)``.

    Returns:
        The plain value. Mapping keys are sorted texts, so equal inputs give equal bytes.
    """
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, Enum):
        return plain(value.value, digits=digits, depth=depth)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return _float(float(value), digits)
    if depth >= MAX_DEPTH:
        return "(nested too deeply)"
    return _container(value, digits, depth)


def _float(value: float, digits: int | None) -> float | None:
    """Round a float, or drop it when JSON cannot hold it."""
    if digits is not None:
        return number(value, digits)
    return value if math.isfinite(value) else None


def _container(value: Any, digits: int | None, depth: int) -> Any:
    """Rebuild a mapping, sequence, array or record; anything else becomes text."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
        if not isinstance(value, list):
            return plain(value, digits=digits, depth=depth)
    if isinstance(value, Mapping):
        named = {text(key): item for key, item in value.items()}
        return {key: plain(named[key], digits=digits, depth=depth + 1) for key in sorted(named)}
    if isinstance(value, AbstractSet):
        return sorted(text(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item, digits=digits, depth=depth + 1) for item in value]
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    return text(value)
