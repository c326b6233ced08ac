"""Bring a database to the schema of this version, whoever comes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from forensics.errors import OutputError
from forensics.store.tables import META, METADATA

Step = Callable[[sa.Connection], None]

_TRIGRAMS = sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm")



def index_text(link: sa.Connection) -> None:
    """Give PostgreSQL an index for parts of paths; without the extension it reads every path."""
    if link.dialect.name != "postgresql":
        return
    try:
        with link.begin_nested():
            link.execute(_TRIGRAMS)
    except sa.exc.DBAPIError:  # it is not installed, or this user may not create it
        return
    link.execute(
        sa.text(
            "CREATE INDEX IF NOT EXISTS cases_by_text ON cases USING gin (path gin_trgm_ops)"
        )
    )


def _second(link: sa.Connection) -> None:
    """Version 2: filters read indexes in place of whole rows, and streams are compared."""
    for line in (
        "ALTER TABLE cases ADD COLUMN same_stream VARCHAR(32)",
        "ALTER TABLE files ADD COLUMN packets VARCHAR(64)",
        "CREATE INDEX ix_files_packets ON files (packets)",
    ):
        link.execute(sa.text(line))
    if link.dialect.name == "sqlite":
        link.execute(sa.text("DROP INDEX IF EXISTS cases_by_path"))
        link.execute(
            sa.text(
                "CREATE INDEX IF NOT EXISTS cases_narrow ON cases "
                "(path, verdict, decision, state, reasons, finished, score, weights)"
            )
        )
    index_text(link)


# One step for each version after the first; a released step is never changed again. A new database
# gets the tables as they are in `tables` and starts at the newest version.
STEPS: tuple[Step, ...] = (_second,)
_LOCK = 0x666F7265  # of PostgreSQL, so that shards that start together do not make tables twice


def migrate(link: sa.Connection, name: str, steps: Sequence[Step] = STEPS) -> int:
    """Make the tables or change them to the newest version, within the caller's transaction.

    Args:
        link: In a transaction that excludes other writers.
        name: Of the database, for the message.
        steps: Changes in order.

    Returns:
        The version that the database has now, from 1.

    Raises:
        OutputError: It was made by a later version of this program.
    """
    newest = len(steps) + 1
    if link.dialect.name == "postgresql":
        link.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    if not sa.inspect(link).has_table(META.name):
        METADATA.create_all(link)
        index_text(link)
        link.execute(sa.insert(META).values(name="schema", value=str(newest)))
        return newest
    query = sa.select(META.c.value).where(META.c.name == "schema")
    version = int(link.execute(query).scalar_one())
    if version > newest:
        raise OutputError(
            f"{name}: has schema version {version}, this program knows {newest}; "
            "install a newer version"
        )
    if version == newest:
        return version
    for step in steps[version - 1 :]:
        step(link)
    link.execute(sa.update(META).where(META.c.name == "schema").values(value=str(newest)))
    return newest
