"""Filters and orders as SQL."""

from __future__ import annotations

import re
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

_SPECIAL = re.compile("[%_/]")

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
    return (first.nulls_last() if column.nullable else first, CASES.c.number)


def few_of(tests: list[Test]) -> list[Test]:
    """Return the same conditions for when few cases meet them: find the cases first, then sort.

    The database would go through all cases in order, whole rows, until a page is full.
    """
    found = sa.select(CASES.c.number).where(*tests).correlate(None)
    return [CASES.c.number.in_(found)]


def tests_of(wanted: Filter, dialect: str) -> list[Test]:
    """Return the conditions of a filter for a kind of database, ``sqlite`` or ``postgresql``."""
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
        # SQLite's LIKE ignores case by itself; SQLAlchemy would change every path's case first.
        like = CASES.c.path.like if dialect == "sqlite" else CASES.c.path.ilike
        text = _SPECIAL.sub(r"/\g<0>", wanted.text)
        tests.append(like(f"%{text}%", escape="/"))
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
