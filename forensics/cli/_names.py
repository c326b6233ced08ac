"""Lists of names given as one option value."""

from __future__ import annotations

from forensics.errors import UsageError


def split_names(text: str | None, option: str) -> tuple[str, ...] | None:
    """Split ``a,b`` into names; None stays None.

    Args:
        text: The option's value.
        option: The option's name, for the message.

    Raises:
        UsageError: The value names nothing.
    """
    if text is None:
        return None
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError(f"{option} names nothing: {text!r}")
    return names
