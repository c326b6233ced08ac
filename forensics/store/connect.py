"""Open a database: SQLite with its settings, PostgreSQL, and what to do when it is damaged."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from forensics.errors import OutputError, UsageError, printable
from forensics.store.migrations import migrate

_BUSY = 30_000  # ms that SQLite waits for another program's lock
_LEAST_ROOM = 1 << 16  # bytes; less does not even hold the log's index
_DAMAGED = ("malformed", "not a database", "disk image", "unsupported file format")


class DamagedStoreError(OutputError):
    """The database file is not a whole database."""

    reason = "store_damaged"


class BusyStoreError(OutputError):
    """Another program holds the database; it may let go."""

    reason = "store_busy"


def open_engine(url: str, *, create: bool = True, busy_ms: int = _BUSY) -> sa.Engine:
    """Return an engine whose tables are those of this version.

    Args:
        url: SQLAlchemy URL, or a path to a SQLite file.
        create: Make the database when it is missing.
        busy_ms: How long SQLite waits for a lock.

    Raises:
        UsageError: The URL means nothing, or its driver is not installed.
        DamagedStoreError: The file is no whole database.
        OutputError: It cannot be opened.
    """
    address = parse(url)
    name = shown(address)
    file = sqlite_file(address)
    if file is not None and not create and not file.is_file():
        raise OutputError(f"{name}: there is no such database")
    try:
        engine = sa.create_engine(address, poolclass=QueuePool, pool_size=8, max_overflow=32)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        extra = "; pip install 'deepfake-forensics[postgres]'" if "psycopg" in str(error) else ""
        raise UsageError(f"--db {name}: {_first_line(error)}{extra}") from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, busy_ms)
    try:
        with translated(name), writing(engine) as link:
            migrate(link, name)
    except BaseException:
        engine.dispose()
        raise
    return engine


def parse(url: str) -> sa.URL:
    """Return the address; a text without a scheme is a SQLite file.

    Raises:
        UsageError: It is not an address of a known database.
    """
    if "://" not in url:
        return sa.URL.create("sqlite", database=url)
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError(f"--db: {_first_line(error)}") from error
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(f"--db: {address.drivername!r} is neither sqlite nor postgresql")
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise UsageError("--db: sqlite needs a file, such as sqlite:///cases.sqlite")
    return address


def sqlite_file(address: sa.URL) -> Path | None:
    """Return the file of a SQLite address, or None."""
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    return Path(address.database)


def shown(address: sa.URL) -> str:
    """Return the address for a person, without its password."""
    file = sqlite_file(address)
    if file is not None:
        return printable(file)
    return address.render_as_string(hide_password=True)


def set_aside(address: sa.URL) -> Path | None:
    """Move a damaged SQLite file, with its log, to a name beside it; nothing is overwritten.

    Returns:
        The new place, or None where there is no file to move.

    Raises:
        OutputError: It cannot be moved.
    """
    file = sqlite_file(address)
    if file is None or not file.exists():
        return None
    stamp = dt.datetime.now(dt.timezone.utc).strftime("%Y%m%dT%H%M%S")
    target, count = file.with_name(f"{file.name}.damaged-{stamp}"), 1
    while target.exists():
        count += 1
        target = file.with_name(f"{file.name}.damaged-{stamp}-{count}")
    try:
        for ending in ("-wal", "-shm", ""):  # the log first: it must never meet a new database
            part = file.with_name(file.name + ending)
            if part.exists():
                part.rename(target.with_name(target.name + ending))
    except OSError as error:
        cause = error.strerror or str(error)
        raise OutputError(f"{printable(file)}: is damaged and cannot be moved: {cause}") from error
    return target


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that writes; SQLite takes its lock at once, so that waiting works."""
    with engine.connect().execution_options(writes=True) as link, link.begin():
        yield link


def empty_log(engine: sa.Engine) -> None:
    """Empty SQLite's log, in which deleted rows would live on while other programs are connected.

    Where one of them is just reading, the log is emptied by whoever closes the database last.
    """
    if engine.dialect.name != "sqlite":
        return
    link = engine.raw_connection()
    try:
        link.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        link.close()


@contextlib.contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn database errors into one clear line.

    Raises:
        DamagedStoreError: The file is no whole database.
        OutputError: Any other failure.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        cause = _first_line(error.orig or error)
        if isinstance(error.orig, sqlite3.DatabaseError) and any(w in cause for w in _DAMAGED):
            raise DamagedStoreError(f"{name}: the database is damaged: {cause}") from error
        if "disk I/O error" in cause and _no_room(name):
            cause = "the disk is full"
        kind = BusyStoreError if "database is locked" in cause else OutputError
        raise kind(f"{name}: the database cannot be used: {cause}") from error
    except sa.exc.SQLAlchemyError as error:
        raise OutputError(f"{name}: the database cannot be used: {_first_line(error)}") from error


def _no_room(name: str) -> bool:
    """Tell whether the disk of a SQLite file has no room: SQLite may call that an I/O error."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(Path(name).parent).free < _LEAST_ROOM
    return False


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _prepare_sqlite(engine: sa.Engine, busy_ms: int) -> None:
    def connect(connection: Any, _record: object) -> None:
        # The driver would begin late and on its own; `begin` below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        for line in (f"busy_timeout={busy_ms}", "journal_mode=WAL", "synchronous=NORMAL",
                     "foreign_keys=ON", "secure_delete=ON"):  # fmt: skip
            cursor.execute(f"PRAGMA {line}")
        cursor.close()

    def begin(link: sa.Connection) -> None:
        writes = link.get_execution_options().get("writes")
        link.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    sa.event.listen(engine, "connect", connect)
    sa.event.listen(engine, "begin", begin)
