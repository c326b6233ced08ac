"""One file after the other in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from forensics.engines.base import Record, ScanJob
from forensics.engines.examine import Examiner


class SerialEngine:
    """The simplest engine. A crash of a codec is survived, a crash of this process is not."""

    def __init__(self) -> None:
        self._examiner: Examiner | None = None

    def map(self, paths: Iterable[Path], job: ScanJob) -> Iterator[Record]:
        """Yield records in the order of the files."""
        for path in paths:
            if self._examiner is None or self._examiner.job != job:
                self._examiner = Examiner(job)
            yield self._examiner.examine(path)

    def close(self) -> None:
        """Let the pipeline go."""
        self._examiner = None
