"""What reviews add up to: who has still to look, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from forensics.web.settings import SecondReader

Opinion = Literal["confirm", "reject", "unsure"]
OPINIONS: tuple[str, ...] = get_args(Opinion)
Decision = Literal["open", "second_reader", "disagreement", "confirmed", "rejected", "unsure"]
DECISIONS: tuple[str, ...] = get_args(Decision)

_DONE: dict[str, Decision] = {"confirm": "confirmed", "reject": "rejected", "unsure": "unsure"}
_LABELS: dict[str, str] = {"confirmed": "fake", "rejected": "real"}


@dataclass(frozen=True, slots=True)
class Said:
    """One review: who, and what.

    Attributes:
        reviewer: Name as given.
        opinion: ``confirm`` (it was manipulated), ``reject`` (it was not) or ``unsure``.
    """

    reviewer: str
    opinion: str


def same_person(one: str, other: str) -> bool:
    """Compare names as a person would: case and spaces do not make a second reader."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def second_needed(verdict: str, said: Sequence[Said], policy: SecondReader) -> bool:
    """Tell whether one reader is not enough."""
    if policy == "suspect":
        return verdict == "suspect" or any(item.opinion == "confirm" for item in said)
    return policy == "always"


def decide(verdict: str, said: Sequence[Said], policy: SecondReader) -> Decision:
    """Return where a case stands.

    Args:
        verdict: Label of the scan.
        said: Every review, oldest first; a person's later review replaces an earlier one.
        policy: When a second reader is needed.

    Returns:
        ``open`` without a review, ``second_reader`` while one is missing, ``disagreement`` when
        the last two readers differ, else what they agree on.
    """
    latest: dict[str, str] = {}
    for item in said:
        key = " ".join(item.reviewer.split()).casefold()
        latest.pop(key, None)
        latest[key] = item.opinion
    opinions = list(latest.values())
    if not opinions:
        return "open"
    if not second_needed(verdict, said, policy):
        return _DONE[opinions[-1]]
    if len(opinions) < 2:
        return "second_reader"
    if opinions[-1] != opinions[-2]:
        return "disagreement"
    return _DONE[opinions[-1]]


def training_label(decision: str) -> str | None:
    """Return ``fake`` or ``real`` for a decided case, else None."""
    return _LABELS.get(decision)
