"""The tables. Every name and type here is part of the newest schema version; see `migrations`."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa


class UtcTime(sa.TypeDecorator[dt.datetime]):
    """A time in UTC, on databases that keep the zone and on SQLite, which does not."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        """Convert to UTC."""
        return None if value is None else value.astimezone(dt.timezone.utc)

    def process_result_value(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        """Put the zone back."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=dt.timezone.utc)


# SQLite counts up only this type by itself; PostgreSQL needs the wider one.
_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")

METADATA = sa.MetaData()

META = sa.Table(
    "meta",
    METADATA,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

CASES = sa.Table(
    "cases",
    METADATA,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("mtime", sa.BigInteger),
    sa.Column("created", UtcTime, nullable=False, index=True),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("config", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("finished", UtcTime, index=True),
    sa.Column("seconds", sa.Float),
    sa.Column("sha256", sa.String(64), index=True),
    sa.Column("verdict", sa.String(16), index=True),
    sa.Column("probability", sa.Float, index=True),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("llr", sa.Float),
    sa.Column("score", sa.Float, index=True),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("declaration", sa.String(32)),
    sa.Column("weights", sa.Text, nullable=False),
    sa.Column("same_as", sa.String(32)),
    sa.Column("near", sa.String(32)),
    sa.Column("near_distance", sa.Integer),
    sa.Column("same_stream", sa.String(32)),
    sa.Column("decision", sa.String(16), nullable=False, index=True),
    sa.Column("reviews", sa.Integer, nullable=False),
    sa.Column("pictures", sa.Text, nullable=False),
    sa.Column("record_sha256", sa.String(64)),
    # Hashed by PostgreSQL, where a path may be longer than an index takes.
    sa.Index("cases_by_path", "path", postgresql_using="hash").ddl_if(dialect="postgresql"),
    # All that filters ask about, in a fifth of the bytes: SQLite reads this in place of the rows.
    sa.Index(
        "cases_narrow", "path", "verdict", "decision", "state", "reasons", "finished", "score",
        "weights",
    ).ddl_if(dialect="sqlite"),
)  # fmt: skip

FILES = sa.Table(
    "files",
    METADATA,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("bytes", sa.BigInteger, nullable=False, index=True),
    sa.Column("kind", sa.String(8)),
    sa.Column("duration", sa.Float),
    sa.Column("fps", sa.Float),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("codec", sa.Text),
    sa.Column("container", sa.Text),
    sa.Column("looks", sa.Text),
    sa.Column("packets", sa.String(64), index=True),
)
"""Facts about a content. ``looks``: perceptual hashes in hex, joined by spaces; ``packets``: digest
of the coded pictures' sizes."""


def _of(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")


SCANS = sa.Table(
    "scans",
    METADATA,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("case", sa.String(32), _of("cases.id"), nullable=False, index=True),
    sa.Column("sha256", sa.String(64), index=True),
    sa.Column("config", sa.String(64), nullable=False),
    sa.Column("job", sa.String(64), nullable=False),
    sa.Column("weights", sa.Text, nullable=False),
    sa.Column("finished", UtcTime, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lasting", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("probability", sa.Float),
    sa.Column("report", sa.Text, nullable=False),
)
"""``job``: digest of all that fixes a report, weights and versions too. ``lasting``: the same bytes
would give the same report, so it may be taken over."""

EVIDENCE = sa.Table(
    "evidence",
    METADATA,
    sa.Column("scan", _Number, _of("scans.number"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("llr", sa.Float),
    sa.Column("start", sa.Float),
    sa.Column("stop", sa.Float),
    sa.Column("track", sa.Integer),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
)

FINDINGS = sa.Table(
    "findings",
    METADATA,
    sa.Column("scan", _Number, _of("scans.number"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("case", sa.String(32), _of("cases.id"), nullable=False, index=True),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("jurisdiction", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Index("findings_by_rule", "rule", "outcome", "case"),
)
"""Of the latest scan of each case alone: a rule's earlier outcome is in the earlier report."""

REVIEWS = sa.Table(
    "reviews",
    METADATA,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("case", sa.String(32), _of("cases.id"), nullable=False, index=True),
    sa.Column("reviewer", sa.Text, nullable=False),
    sa.Column("opinion", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("time", UtcTime, nullable=False),
)
