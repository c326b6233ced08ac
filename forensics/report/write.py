"""Output formats by name, and writing a text to disk so that it is whole or absent."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from forensics.errors import OutputError, UsageError, printable
from forensics.types import Report

ENTRY_POINT_GROUP = "forensics.reports"
"""Packages add a format by an entry point of this group that names a `Writer`."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One output format.

    Attributes:
        name: What ``--format`` calls it.
        extension: File name ending with its dot.
        render: Turns any number of reports into one text.
    """

    name: str
    extension: str
    render: Callable[[Sequence[Report]], str]


def _table(reports: Sequence[Report]) -> str:
    from forensics.report.terminal import reports_to_text

    return reports_to_text(reports)


def _json(reports: Sequence[Report]) -> str:
    from forensics.report.model import reports_to_json

    return reports_to_json(reports)


def _jsonl(reports: Sequence[Report]) -> str:
    from forensics.report.model import reports_to_jsonl

    return reports_to_jsonl(reports)


def _html(reports: Sequence[Report]) -> str:
    from forensics.report.html import reports_to_html

    return reports_to_html(reports)


WRITERS: dict[str, Writer] = {
    writer.name: writer
    for writer in (
        Writer("table", ".txt", _table),
        Writer("json", ".json", _json),
        Writer("jsonl", ".jsonl", _jsonl),
        Writer("html", ".html", _html),
    )
}
"""The formats that come with the package."""


def add_writer(writer: Writer, registry: dict[str, Writer] | None = None) -> None:
    """Add a format to ``registry`` (default: `WRITERS`).

    Raises:
        UsageError: When the name is taken; a format is never replaced silently.
    """
    target = WRITERS if registry is None else registry
    if writer.name in target:
        raise UsageError(f"report format {writer.name!r} is registered twice")
    target[writer.name] = writer


def writers() -> Mapping[str, Writer]:
    """Return every format: the package's own and those of installed plug-ins.

    Raises:
        UsageError: When a plug-in cannot be loaded, is no `Writer`, or takes an existing name.
    """
    found = dict(WRITERS)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            loaded = point.load()
        except Exception as error:  # a plug-in may fail in any way; one line must name it
            raise UsageError(f"report format {point.name!r} ({point.value}): {error}") from error
        if not isinstance(loaded, Writer):
            raise UsageError(f"report format {point.name!r} ({point.value}) is not a Writer")
        add_writer(loaded, found)
    return found


def write_text_atomic(path: Path | str, text: str) -> None:
    """Write ``text`` as UTF-8 so that ``path`` holds all of it or what it held before.

    The text goes to a temporary file in the same folder, reaches the disk, and then takes the
    name. A device or pipe (``/dev/stdout``) is written directly, since it must not be replaced.

    Raises:
        OutputError: Names the path and the cause (disk full, permission, missing folder); the
            temporary file is gone by then.
    """
    target = Path(path)
    data = text.encode("utf-8", "backslashreplace")
    try:
        if target.is_dir():
            raise IsADirectoryError(21, "is a folder")
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            _replace(target, data)
    except (OSError, ValueError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise OutputError(f"{printable(target)}: cannot write the report: {cause}") from error


def _replace(target: Path, data: bytes) -> None:
    """Write ``data`` beside ``target`` and rename it over; leave nothing behind on failure."""
    temporary = target.with_name(f".forensics-{secrets.token_hex(8)}.tmp")
    try:
        # Mode "x" creates with the user's umask, unlike tempfile, whose files only the owner reads.
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
