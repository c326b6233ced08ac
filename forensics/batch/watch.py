"""Wait for files in a drop folder, and take them once nobody writes to them any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from forensics.batch.plan import look

# What browsers, rsync and others call a file that they are still writing.
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart", ".swp")
_EMPTY_FACTOR = 10  # an empty file may be one whose first byte is still to come


@dataclass(slots=True)
class _Seen:
    state: tuple[int | None, int | None]
    since: float
    given: bool = False


class Watcher:
    """Looks at a folder again and again. It keeps nothing that a restart would need.

    Args:
        find: Returns the files that are there now.
        settle: Seconds for which size and time of a file must stay the same.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        find: Callable[[], Iterable[Path]],
        settle: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find, self._settle, self._clock = find, settle, clock
        self._seen: dict[Path, _Seen] = {}

    def ready(self) -> list[Path]:
        """Return the files that have settled since the last look, each state of a file once."""
        now, found = self._clock(), []
        present: dict[Path, _Seen] = {}
        for path in self._find():
            if path.name.startswith(".") or path.name.lower().endswith(_UNFINISHED):
                continue
            item = look(path)
            state = (item.bytes, item.mtime)
            if item.bytes is None:
                continue  # gone already; it never was a whole file here
            seen = self._seen.get(path)
            if seen is None or seen.state != state:
                seen = _Seen(state, now)
            wait = self._settle if item.bytes else self._settle * _EMPTY_FACTOR
            if not seen.given and now - seen.since >= wait:
                seen.given = True
                found.append(path)
            present[path] = seen
        self._seen = present
        return found

    @property
    def waiting(self) -> int:
        """How many files have not settled yet."""
        return sum(not seen.given for seen in self._seen.values())
