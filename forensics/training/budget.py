"""Time to train for, as the commands take it."""

from __future__ import annotations

import re

import typer


def seconds(text: str) -> float:
    """Read ``90s``, ``45m`` or ``2h``.

    Raises:
        typer.BadParameter: Something else was given.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is no duration such as 90s, 45m or 2h")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
