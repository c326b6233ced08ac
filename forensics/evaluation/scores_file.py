"""The file of scores, one JSON line a row: kept while it grows, put in place only when whole.

While a run goes on its rows are in ``NAME.partial``, under a first line that says which manifest
and which scorer they belong to. A run with the same two goes on from there.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from forensics.errors import OutputError, printable
from forensics.evaluation.manifest import Row

Record = dict[str, Any]


def partial_path(path: Path) -> Path:
    """Return where the rows of an unfinished run are."""
    return path.with_name(path.name + ".partial")


class ScoresFile:
    """Rows on their way to ``path``. Use as a context manager; call `finish` at the end.

    Args:
        path: The final file.
        header: What the rows depend on, JSON-ready; rows under another header are not reused.
        rows: The rows to be scored, in order.

    Attributes:
        resumed: Records taken over from an interrupted run, in order.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], rows: Sequence[Row]) -> None:
        self.path = path
        self.resumed: list[Record] = []
        self._partial = partial_path(path)
        self._header = json.dumps({"partial": dict(header)}, sort_keys=True).encode() + b"\n"
        with _as_output_error(path):
            if path.is_dir():
                raise OutputError(f"{printable(path)}: is a folder")
            keep = self._recover(rows)
            self._file: IO[bytes] = self._partial.open("r+b" if keep else "wb")
            if keep:
                self._file.truncate(keep)
                self._file.seek(keep)
            else:
                self._file.write(self._header)
                self._file.flush()

    def __enter__(self) -> ScoresFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def _recover(self, rows: Sequence[Row]) -> int:
        """Fill `resumed`; return how many bytes of the partial file can stay."""
        if not self._partial.is_file():
            return 0
        with self._partial.open("rb") as file:
            if file.readline(len(self._header) + 1) != self._header:
                return 0
            keep = file.tell()
            for row in rows:
                line = file.readline()
                # A kill may have cut the last line; everything from there on is scored again.
                record = _parse(line) if line.endswith(b"\n") else None
                if record is None or record.get("path") != row.path:
                    break
                self.resumed.append(record)
                keep = file.tell()
            return keep

    def append(self, record: Record) -> None:
        """Add one row and hand it to the operating system, so that a kill cannot lose it.

        Raises:
            OutputError: It could not be written.
        """
        with _as_output_error(self._partial):
            self._file.write(encode(record))
            self._file.flush()

    def finish(self) -> None:
        """Put the final file in place, without the header, and remove the partial one.

        Raises:
            OutputError: It could not be written; the partial file stays.
        """
        with _as_output_error(self.path):
            self._file.close()
            with self._partial.open("rb") as source:
                source.readline()
                write_atomically(self.path, source)
            self._partial.unlink()


def encode(record: Mapping[str, Any]) -> bytes:
    """Return one JSON line; refuses NaN, which is not JSON."""
    return json.dumps(record, allow_nan=False).encode("ascii") + b"\n"


def write_atomically(path: Path, chunks: IO[bytes] | Sequence[bytes]) -> None:
    """Write ``path`` through a temporary file beside it, so that it is whole or not there.

    Raises:
        OutputError: It could not be written; nothing is left behind.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with _as_output_error(path):
        try:
            with temporary.open("wb") as target:
                for chunk in chunks:
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _parse(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and "score" in record else None


@contextlib.contextmanager
def _as_output_error(path: Path) -> Any:
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error)
        raise OutputError(f"{printable(path)}: cannot be written: {cause}") from error
