"""The sentences that terminal and HTML share: verdicts, likelihood ratios, declarations."""

from __future__ import annotations

import math
from dataclasses import dataclass

from forensics.report.plain import text
from forensics.types import Declaration, Report, Verdict, VerdictLabel


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """A verdict for a person.

    Attributes:
        short: Two or three words, for a table.
        title: One sentence.
        limits: What it does not prove.
        sign: A character that tells the verdicts apart without colour.
    """

    short: str
    title: str
    limits: str
    sign: str


VERDICTS: dict[VerdictLabel, VerdictWords] = {
    "suspect": VerdictWords(
        "suspect",
        "Signs of face manipulation were found",
        "It does not prove that somebody deceived, nor who changed what, nor why: filters, heavy "
        "make-up, retouching and unusual coding can leave similar signs. A person must decide.",
        "\u25b2",
    ),
    "inconclusive": VerdictWords(
        "inconclusive",
        "No judgement is possible on this file",
        "It speaks neither for nor against the file. It is not a pass.",
        "\u25c6",
    ),
    "no_evidence": VerdictWords(
        "no evidence",
        "No evidence of face manipulation was found",
        "It does not prove that the file is untouched: a manipulation of a kind this tool does not "
        "know, or one hidden by coding, leaves nothing to find.",
        "\u25cf",
    ),
}

_WEAK = "What was measured is too weak to decide"
_DOUBTED = "What was measured cannot be relied on"
DOUBTS = frozenset({"unstable", "colour_alone", "conflict"})
"""Reasons of a verdict that would have been another, had it not been doubted."""
_AUDITED = "The pictures were not examined"


def verdict_title(verdict: Verdict) -> str:
    """Return the verdict in one sentence: weak, doubted and missing measurements differ."""
    if verdict.label == "inconclusive" and not DOUBTS.isdisjoint(verdict.reasons):
        return _DOUBTED
    if verdict.label == "inconclusive" and finite(verdict.probability) is not None:
        return _WEAK
    if "not_examined" in verdict.reasons:
        return _AUDITED
    return VERDICTS[verdict.label].title


_STRENGTH = (
    (2.0, "practically no"),
    (10.0, "weak"),
    (100.0, "moderate"),
    (1_000.0, "moderately strong"),
    (10_000.0, "strong"),
    (1_000_000.0, "very strong"),
    (math.inf, "extremely strong"),
)

STATUS = {
    "none": "The file declares nothing about how it was made.",
    "declared_synthetic": "The file declares that it was made or changed by AI.",
    "declared_capture": "The file declares that it was captured by a device.",
    "contradictory": "The file's declarations contradict each other.",
    "unreadable": "The file holds a declaration that could not be read.",
}
INTEGRITY = {
    "intact": "Its signature fits the content.",
    "broken": "Its signature does not fit the content: one of them was changed afterwards.",
    "unsigned": "It is not signed, so anyone could have written it.",
}
TRUST = {
    "trusted": "on a trust list",
    "untrusted": "not on the trust list",
    "not_evaluated": "not checked against a trust list",
}


def finite(value: float | None) -> float | None:
    """Return ``value``, or None when it is NaN or infinite."""
    return value if value is not None and math.isfinite(value) else None


def percent(value: float | None) -> str:
    """Return a share as a percentage, never 0 % or 100 %, which nothing measured can carry."""
    share = finite(value)
    if share is None:
        return "not stated"
    if share < 0.01:
        return "under 1 %"
    return "over 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def interval_words(interval: tuple[float, float] | None) -> str:
    """Return the 95 % interval in words, or an empty text when there is none."""
    if interval is None or finite(interval[0]) is None or finite(interval[1]) is None:
        return ""
    return f"95 % interval {percent(interval[0])} to {percent(interval[1])}"


def ratio_words(llr: float | None) -> str:
    """Return a natural-log likelihood ratio as a sentence on the ENFSI (2015) verbal scale."""
    value = finite(llr)
    if value is None:
        return "No likelihood ratio is stated."
    ratio = math.exp(min(abs(value), 50.0))
    strength = next(word for bound, word in _STRENGTH if ratio <= bound)
    side = "was" if value >= 0 else "was not"
    number = (
        f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}" if ratio < 1e7 else "over 10 million"
    )
    return (
        f"What was measured is {number} times more probable if the face {side} manipulated than "
        f"otherwise: {strength} support."
    )


def declaration_words(declaration: Declaration) -> tuple[str, str]:
    """Return what the file declares, and how far that can be trusted, as two texts."""
    said = STATUS.get(declaration.status, text(declaration.status))
    if declaration.by:
        said += f" Found in: {', '.join(text(site) for site in declaration.by)}."
    if declaration.status == "none":
        return said, "Nothing to check. A missing declaration says nothing about the content."
    trust = " ".join(
        (
            INTEGRITY.get(declaration.integrity, text(declaration.integrity)),
            f"Signer: {TRUST.get(declaration.signer_trust, declaration.signer_trust)}.",
            f"Time stamp: {_stamp(declaration)}.",
        )
    )
    return said, trust


def _stamp(declaration: Declaration) -> str:
    if not any(code.startswith("timeStamp.") for code in declaration.codes):
        return "none"
    return TRUST.get(declaration.timestamp_trust, text(declaration.timestamp_trust))


PROVENANCE = "provenance"
"""Source of the evidence that reading marks gives."""


def faces_words(report: Report) -> str:
    """Return how many faces were followed and how many of them were judged."""
    total = len(report.tracks)
    judged = sum(not track.abstained for track in report.tracks)
    if total == 0:
        return "none"
    return str(total) if judged == total else f"{total} ({judged} judged)"
