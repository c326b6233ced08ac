"""The book of cases: what the desk remembers, and the questions that its pages ask of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from forensics.errors import OutputError

_TABLES = sa.MetaData()
_CASES = sa.Table(
    "desk_cases",
    _TABLES,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("finished", sa.DateTime(timezone=True)),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("verdict", sa.String(16), index=True),
    sa.Column("probability", sa.Float),
    sa.Column("decision", sa.String(16), nullable=False, index=True),
    sa.Column("reviews", sa.Integer, nullable=False),
    sa.Column("pictures", sa.Text, nullable=False),
    sa.Column("record_sha256", sa.String(64)),
    sa.Column("report", sa.Text),
)
_REVIEWS = sa.Table(
    "desk_reviews",
    _TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case", sa.String(32), sa.ForeignKey("desk_cases.id"), nullable=False, index=True),
    sa.Column("reviewer", sa.String(100), nullable=False),
    sa.Column("opinion", sa.String(8), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("time", sa.DateTime(timezone=True), nullable=False),
)
_SHORT = [column for column in _CASES.columns if column.name != "report"]
SORTS = ("created", "name", "probability")


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        id: Random id.
        name: File name as uploaded.
        bytes: Size of the upload.
        created: When it arrived, UTC.
        finished: When its scan ended.
        state: ``queued``, ``running`` or ``done``.
        options: Options of the scan, JSON-ready.
        verdict: Label of the scan.
        probability: Of manipulation.
        decision: See `forensics.web.decisions`.
        reviews: Number of reviews.
        pictures: What each evidence picture shows.
        record_sha256: Digest of the sealed report.
        report: The sealed report as JSON text; None where only the row was asked for.
    """

    id: str
    name: str = field(kw_only=True)
    bytes: int = field(kw_only=True)
    created: dt.datetime = field(kw_only=True)
    options: Mapping[str, Any] = field(kw_only=True)
    finished: dt.datetime | None = field(kw_only=True, default=None)
    state: str = field(kw_only=True, default="queued")
    verdict: str | None = field(kw_only=True, default=None)
    probability: float | None = field(kw_only=True, default=None)
    decision: str = field(kw_only=True, default="open")
    reviews: int = field(kw_only=True, default=0)
    pictures: Sequence[Mapping[str, Any]] = field(kw_only=True, default=())
    record_sha256: str | None = field(kw_only=True, default=None)
    report: str | None = field(kw_only=True, default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Review:
    """One review: who said what, why and when (UTC)."""

    reviewer: str
    opinion: str
    note: str
    time: dt.datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A page of cases.

    Attributes:
        cases: The rows of the page.
        total: How many cases match.
        states: Number of all cases by state.
    """

    cases: Sequence[Case]
    total: int
    states: Mapping[str, int]


class Book:
    """Cases and reviews in a database.

    Args:
        url: SQLAlchemy URL; SQLite is opened with a write-ahead log.

    Raises:
        OutputError: The database cannot be opened.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = sa.create_engine(url, poolclass=QueuePool, pool_size=8, max_overflow=32)
            if self._engine.dialect.name == "sqlite":
                sa.event.listen(self._engine, "connect", _prepare_sqlite)
            _TABLES.create_all(self._engine)
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            cause = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise OutputError(f"the store {_without_password(url)}: {cause}") from error

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def add(self, case: Case) -> None:
        """Enter a new case."""
        with self._engine.begin() as link:
            link.execute(sa.insert(_CASES).values(**_row(case)))

    def change(self, case: str, **values: Any) -> None:
        """Change columns of a case."""
        with self._engine.begin() as link:
            link.execute(sa.update(_CASES).where(_CASES.c.id == case).values(**_encoded(values)))

    def case(self, case: str) -> Case | None:
        """Return a case with its report."""
        with self._engine.connect() as link:
            row = link.execute(sa.select(_CASES).where(_CASES.c.id == case)).mappings().first()
        return None if row is None else _case(row)

    def find(
        self,
        *,
        verdict: str | None = None,
        decision: str | None = None,
        state: str | None = None,
        text: str = "",
        sort: str = "-created",
        offset: int = 0,
        limit: int = 50,
    ) -> Found:
        """Return one page of cases, without their reports."""
        tests = [
            column == value
            for column, value in (
                (_CASES.c.verdict, verdict),
                (_CASES.c.decision, decision),
                (_CASES.c.state, state),
            )
            if value is not None
        ]
        if decision is not None:
            tests.append(_CASES.c.state == "done")
        if text:
            tests.append(_CASES.c.name.icontains(text, autoescape=True))
        column = _CASES.c[sort.lstrip("-")]
        order = column.desc() if sort.startswith("-") else column.asc()
        rows = sa.select(*_SHORT).where(*tests).order_by(order.nulls_last(), _CASES.c.id)
        with self._engine.connect() as link:
            page = link.execute(rows.offset(offset).limit(limit)).mappings().all()
            total = link.execute(
                sa.select(sa.func.count()).select_from(_CASES).where(*tests)
            ).scalar_one()
            states = link.execute(
                sa.select(_CASES.c.state, sa.func.count()).group_by(_CASES.c.state)
            ).all()
        return Found([_case(row) for row in page], total, {str(k): int(n) for k, n in states})

    def unfinished(self) -> list[Case]:
        """Return the cases whose scan has not ended, oldest first."""
        rows = sa.select(*_SHORT).where(_CASES.c.state != "done").order_by(_CASES.c.created)
        with self._engine.connect() as link:
            return [_case(row) for row in link.execute(rows).mappings()]

    def older(self, than: dt.datetime) -> list[str]:
        """Return the ids of finished cases that arrived before a time."""
        rows = sa.select(_CASES.c.id).where(_CASES.c.created < than, _CASES.c.state == "done")
        with self._engine.connect() as link:
            return [str(row.id) for row in link.execute(rows)]

    def reviews(self, case: str) -> list[Review]:
        """Return the reviews of a case, oldest first."""
        rows = sa.select(_REVIEWS).where(_REVIEWS.c.case == case).order_by(_REVIEWS.c.number)
        with self._engine.connect() as link:
            return [
                Review(row.reviewer, row.opinion, row.note, _utc(row.time))
                for row in link.execute(rows)
            ]

    def add_review(self, case: str, review: Review, *, decision: str, reviews: int) -> None:
        """Enter a review and where the case stands with it."""
        with self._engine.begin() as link:
            link.execute(
                sa.insert(_REVIEWS).values(
                    case=case, reviewer=review.reviewer, opinion=review.opinion, note=review.note,
                    time=review.time,
                )
            )  # fmt: skip
            link.execute(
                sa.update(_CASES)
                .where(_CASES.c.id == case)
                .values(decision=decision, reviews=reviews)
            )

    def decided(self) -> list[Case]:
        """Return the cases with a final decision for a label, with their reports."""
        rows = sa.select(_CASES).where(_CASES.c.decision.in_(("confirmed", "rejected")))
        with self._engine.connect() as link:
            return [_case(row) for row in link.execute(rows.order_by(_CASES.c.created)).mappings()]

    def delete(self, case: str) -> None:
        """Remove a case and its reviews."""
        with self._engine.begin() as link:
            link.execute(sa.delete(_REVIEWS).where(_REVIEWS.c.case == case))
            link.execute(sa.delete(_CASES).where(_CASES.c.id == case))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for line in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {line}")
    cursor.close()


def _encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    coded = ("options", "pictures")
    return {name: json.dumps(v) if name in coded else v for name, v in values.items()}


def _row(case: Case) -> dict[str, Any]:
    names = [column.name for column in _CASES.columns]
    values = {name: getattr(case, name) for name in names}
    return _encoded(values | {"options": dict(case.options), "pictures": list(case.pictures)})


def _utc(time: dt.datetime) -> dt.datetime:
    """SQLite gives times back without their zone."""
    return time if time.tzinfo is not None else time.replace(tzinfo=dt.timezone.utc)


def _case(row: Mapping[Any, Any]) -> Case:
    values = {str(name): value for name, value in row.items()}
    values["options"] = json.loads(values["options"])
    values["pictures"] = json.loads(values["pictures"])
    for name in ("created", "finished"):
        if values[name] is not None:
            values[name] = _utc(values[name])
    return Case(**values)


def _without_password(url: str) -> str:
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "URL"
