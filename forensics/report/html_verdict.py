"""The first screen: the verdict in words, and five questions that are kept apart."""

from __future__ import annotations

from forensics.report.markup import esc, prose, table, tag
from forensics.report.origin_words import sentence_of, trace_sentences
from forensics.report.plot import probability_scale
from forensics.report.reasons import explain
from forensics.report.rules_words import action_words
from forensics.report.words import (
    VERDICTS,
    declaration_words,
    finite,
    interval_words,
    percent,
    ratio_words,
    verdict_title,
)
from forensics.types import Report


def verdict_section(report: Report, prefix: str) -> str:
    """Return the conclusion, how sure it is, why, and what it does not prove."""
    verdict = report.verdict
    words = VERDICTS[verdict.label]
    parts = [tag("h2", f"{esc(words.sign)} {esc(verdict_title(verdict))}", id=f"{prefix}verdict")]
    if report.error:
        parts.append(tag("p", tag("strong", "Cause: "), prose(report.error)))
    value = finite(verdict.probability)
    if value is not None:
        interval = interval_words(verdict.interval)
        parts += [
            tag(
                "p",
                "Probability of manipulation ",
                tag("strong", esc(percent(value))),
                f" ({esc(interval)})" if interval else " (no interval is stated)",
                class_="chance",
            ),
            probability_scale(value, verdict.interval),
            tag(
                "p",
                f"This assumes a prior of {esc(percent(verdict.prior))}: that share of such files "
                f"manipulated before looking. With another prior the probability changes. "
                f"{esc(ratio_words(verdict.llr))}",
            ),
        ]
    else:
        parts.append(tag("p", "No probability is stated, because nothing could carry one."))
    parts.append(_reasons(verdict.reasons))
    limits = tag("strong", "What this does not prove. ") + prose(words.limits)
    parts.append(tag("p", limits, class_="limits"))
    return tag("section", *parts, class_=f"verdict {verdict.label}")


def _reasons(codes: tuple[str, ...]) -> str:
    """Return codes in words with what the person can do, as a list."""
    if not codes:
        return ""
    items = []
    for code in codes:
        reason = explain(code)
        remedy = f" {tag('em', prose(reason.remedy))}" if reason.remedy else ""
        items.append(tag("li", prose(reason.sentence), remedy))
    return tag("h3", "Why") + tag("ul", *items)


def questions_section(report: Report, prefix: str) -> str:
    """Return five separate answers; none of them is mixed into another."""
    said, trust = declaration_words(report.declaration)
    visible = sentence_of(report, "visible")
    chance = finite(report.verdict.probability)
    traces = verdict_title(report.verdict)
    traces += f" ({percent(chance)})." if chance is not None else "."
    traces = " ".join((f"Pictures: {traces}", *trace_sentences(report)))
    todo = " ".join(en for en, _ in action_words(report.actions))
    if not todo:
        todo = "No action is asked for." if report.findings else "No rule set was applied."
    rows = (
        ("Does the file declare that AI made it?", prose(said)),
        ("Can that declaration be trusted?", prose(trust)),
        ("Is there a visible label?", prose(visible or "Not examined.")),
        ("Do pictures or container carry traces?", prose(traces)),
        ("What must be done?", prose(todo)),
    )
    heading = tag("h2", "Five questions, kept apart", id=f"{prefix}questions")
    answers = table("The verdict above rests on the pictures alone.", ("Question", "Answer"), rows)
    return tag("section", heading, answers)
