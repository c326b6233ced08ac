"""Put records into the store, and lose none when the store cannot be written."""

from __future__ import annotations

import json
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from forensics.errors import OutputError, printable
from forensics.report.custody.canonical import digest
from forensics.report.custody.log import CustodyLog
from forensics.store import Case, Store
from forensics.store.cases import now
from forensics.store.connect import BusyStoreError, DamagedStoreError, parse, set_aside

T = TypeVar("T")
Say = Callable[[str], None]

_BUSY_MS = 5_000
_WAIT = 1.0  # seconds between two tries
_IN_MEMORY = 200  # records that may wait while scanning goes on


@dataclass(frozen=True, slots=True)
class Entry:
    """A record on its way into the store.

    Attributes:
        case: The case that it belongs to, as it was entered.
        report: Its report.
        values: Further arguments of `Store.finish`.
    """

    case: Case
    report: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as ``forensics merge`` reads it."""
        case = self.case
        return {
            "case": {"id": case.id, "path": case.path, "place": case.place, "bytes": case.bytes,
                     "mtime": case.mtime, "config": case.config, "options": dict(case.options),
                     "created": case.created.isoformat()},
            "report": self.report,
            "values": {**self.values, "finished": self.values["finished"].isoformat()},
        }  # fmt: skip


class Recorder:
    """Writes to one store.

    A damaged SQLite file is moved aside, never overwritten, and a new one is begun. While the
    store is locked, full or away, records wait in memory and are tried again; what cannot be
    stored in the end goes to a file that ``forensics merge`` reads.

    Args:
        url: Of the store.
        say: Takes one line for a person.
        log: Custody log that gets the digests of every record.
        patience: Seconds to wait for a store that cannot be written, when nothing else is left
            to do.
        spill: Folders to try for records that cannot be stored.

    Raises:
        UsageError: The URL means nothing.
        OutputError: The store cannot be opened.
    """

    def __init__(
        self,
        url: str,
        say: Say,
        *,
        log: CustodyLog | None = None,
        patience: float = 300.0,
        spill: tuple[Path, ...] = (),
    ) -> None:
        self._url, self._say, self._log, self._patience = url, say, log, patience
        self._spill = spill or (Path.cwd(), Path(tempfile.gettempdir()))
        self._unsaved: deque[Entry] = deque()
        self._complained = False
        self.renewed = 0
        self.store: Store = self.patiently(self._opened, BusyStoreError)
        self._complained = False

    def _opened(self) -> Store:
        return getattr(self, "store", None) or Store(self._url, busy_ms=_BUSY_MS)

    def save(self, entry: Entry) -> None:
        """Store a record, or keep it while the store cannot be written.

        Raises:
            OutputError: Too many wait, and the store stays unusable; they are in a file then.
        """
        self._unsaved.append(entry)
        self.flush(patience=self._patience if len(self._unsaved) > _IN_MEMORY else 0.0)

    def flush(self, patience: float) -> None:
        """Try to store what waits.

        Args:
            patience: Seconds to go on trying; with 0 one try is made and what is left waits.

        Raises:
            OutputError: See `save`.
        """
        end = time.monotonic() + patience
        while self._unsaved:
            try:
                self._write(self._unsaved[0])
            except DamagedStoreError as error:
                self._renew(error)
                continue
            except OutputError as error:
                self._complain(error)
                if patience <= 0:
                    return
                if time.monotonic() > end:
                    self._give_up(error)
                time.sleep(_WAIT)
                continue
            self._unsaved.popleft()
            self._complained = False

    def patiently(self, call: Callable[[], T], passing: type[OutputError] = OutputError) -> T:
        """Return what a call of the store gives, trying again while it cannot be used.

        Args:
            call: Uses the store; it may be called again with a new one.
            passing: What may pass by waiting.

        Raises:
            OutputError: It stayed unusable.
        """
        end = time.monotonic() + self._patience
        while True:
            try:
                return call()
            except DamagedStoreError as error:
                self._renew(error)
            except passing as error:
                self._complain(error)
                if time.monotonic() > end:
                    raise
                time.sleep(_WAIT)

    def close(self) -> None:
        """Store what waits and close.

        Raises:
            OutputError: See `save`.
        """
        try:
            self.flush(self._patience)
        finally:
            self.store.close()

    def _write(self, entry: Entry) -> None:
        if self.renewed:
            self.store.add([entry.case])
        sealed = digest(entry.report)
        self.store.finish(entry.case.id, entry.report, record_sha256=sealed, **entry.values)
        if self._log is not None:
            # Digests alone: what is deleted from the store later must not live on in the log.
            facts = {
                "case": entry.case.id, "media_sha256": entry.report["file"]["sha256"],
                "record_sha256": sealed, "verdict": entry.report["verdict"]["label"],
            }  # fmt: skip
            self._log.append("report", facts)

    def _complain(self, error: OutputError) -> None:
        if not self._complained:
            self._complained = True
            self._say(f"{error}; records wait in memory, and the store is tried again")

    def _renew(self, error: DamagedStoreError) -> None:
        """Go on with a new database beside the damaged one.

        Raises:
            OutputError: There is no file to move, or it cannot be moved.
        """
        if hasattr(self, "store"):
            self.store.close()
        kept = set_aside(parse(self._url))
        if kept is None:
            raise error
        self._say(f"{error}; it was kept as {printable(kept)}, and a new one is begun")
        self.store = Store(self._url, busy_ms=_BUSY_MS)
        self.renewed += 1

    def _give_up(self, error: OutputError) -> None:
        """Write what waits to a file.

        Raises:
            OutputError: Always; it says where the records are.
        """
        name = f"forensics-unstored-{now().strftime('%Y%m%dT%H%M%S%f')}.jsonl"
        lines = "".join(json.dumps(entry.to_json()) + "\n" for entry in self._unsaved)
        for folder in self._spill:
            try:
                with (folder / name).open("x", encoding="ascii") as file:
                    file.write(lines)
            except OSError:
                continue
            count = len(self._unsaved)
            self._unsaved.clear()
            raise OutputError(
                f"{error}; {count} records are in {printable(folder / name)}: when the store works "
                "again, run: forensics merge FILE --db URL, then the same command"
            ) from error
        raise OutputError(f"{error}; run the same command when the store works again") from error
