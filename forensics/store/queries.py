"""Filters and orders as SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from forensics.errors import UsageError
from forensics.store.cases import Filter
from forensics.store.tables import CASES, FINDINGS

SORTS = {
    "number": CASES.c.number,
    "created": CASES.c.created,
    "finished": CASES.c.finished,
    "name": CASES.c.path,
    "path": CASES.c.path,
    "probability": CASES.c.probability,
    "score": CASES.c.score,
    "bytes": CASES.c.bytes,
}

Test = sa.ColumnElement[bool]


def order_of(sort: str) -> tuple[Any, Any]:
    """Return the order that a text such as ``-probability`` means.

    Raises:
        UsageError: No column has this name.
    """
    column = SORTS.get(sort.removeprefix("-"))
    if column is None:
        raise UsageError(f"--sort must be one of {', '.join(SORTS)}, got {sort!r}")
    # Values that are missing come last either way: who sorts by score looks for scores.
    first = column.desc() if sort.startswith("-") else column.asc()
    return (first if column is CASES.c.number else first.nulls_last(), CASES.c.number)


def tests_of(wanted: Filter) -> list[Test]:
    """Return the conditions of a filter."""
    tests: list[Test] = []
    for column, value in (
        (CASES.c.verdict, wanted.verdict),
        (CASES.c.decision, wanted.decision),
        (CASES.c.state, wanted.state),
    ):
        if value is not None:
            tests.append(column == value)
    if wanted.decision is not None:
        tests.append(CASES.c.state == "done")
    if wanted.reason is not None:
        tests.append(CASES.c.reasons.contains(f" {wanted.reason} ", autoescape=True))
    if wanted.text:
        tests.append(CASES.c.path.icontains(wanted.text, autoescape=True))
    if wanted.since is not None:
        tests.append(CASES.c.finished >= wanted.since)
    if wanted.until is not None:
        tests.append(CASES.c.finished < wanted.until)
    if wanted.min_score is not None:
        tests.append(CASES.c.score >= wanted.min_score)
    if wanted.max_score is not None:
        tests.append(CASES.c.score <= wanted.max_score)
    if wanted.weights is not None:
        tests.append(CASES.c.weights.contains(wanted.weights, autoescape=True))
    if wanted.not_weights is not None:
        tests.append(~CASES.c.weights.contains(wanted.not_weights, autoescape=True))
    return tests + _finding_tests(wanted)


def _finding_tests(wanted: Filter) -> list[Test]:
    said: list[Test] = []
    if wanted.rule is not None:
        said.append(FINDINGS.c.rule == wanted.rule)
    if wanted.outcome is not None:
        said.append(FINDINGS.c.outcome == wanted.outcome)
    return [CASES.c.id.in_(sa.select(FINDINGS.c.case).where(*said))] if said else []
