"""What a look for a visible label found; the looking itself needs a text recogniser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

VisibleStatus = Literal["found", "absent", "unsure", "not_examined"]


@dataclass(frozen=True, slots=True)
class VisibleLabel:
    """A visible label in the opening seconds, after GB 45438-2025, 5.4.

    Attributes:
        status: ``unsure`` asks for a person; ``not_examined`` was not looked for.
        text: As it was read.
        height: Height of the text over the picture's shorter side, 0..1.
        seconds: How long it was seen from the start on.
        reason: Why it is unsure or was not examined.
    """

    status: VisibleStatus
    text: str = field(kw_only=True, default="")
    height: float = field(kw_only=True, default=0.0)
    seconds: float = field(kw_only=True, default=0.0)
    reason: str = field(kw_only=True, default="")


NOT_EXAMINED = VisibleLabel("not_examined", reason="only at --level full")
