"""Where the reports of a scan go: stdout as they are made, one file, or a folder of pages."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from forensics.cli._failures import discard_stdout
from forensics.errors import OutputError, UsageError, printable

if TYPE_CHECKING:
    from forensics.report.write import Writer
    from forensics.types import Report


class Sink(Protocol):
    """Takes reports one by one."""

    def add(self, report: Report) -> None:
        """Take one report."""

    def finish(self) -> None:
        """Write what is left to write."""


def print_reports(writer: Writer, reports: Sequence[Report]) -> None:
    """Print reports to stdout, with colour where it is a terminal.

    Raises:
        OutputError: stdout cannot be written (a full disk behind a redirection).
    """
    with _stdout_errors():
        if writer.name == "table" and sys.stdout.isatty():
            from rich.console import Console

            from forensics.report.terminal import render

            render(reports, Console())
        else:
            text = writer.render(reports)
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()


def print_text(text: str) -> None:
    """Print finished text to stdout. Raises `OutputError` as `print_reports` does."""
    with _stdout_errors():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextlib.contextmanager
def _stdout_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_stdout()
        raise OutputError(f"stdout: cannot write: {error.strerror or error}") from error


class Gathered:
    """All reports in one text, at the end.

    Args:
        writer: The format.
        out: File to write; stdout when None.
    """

    def __init__(self, writer: Writer, out: Path | None) -> None:
        self._writer, self._out = writer, out
        self._reports: list[Report] = []

    def add(self, report: Report) -> None:
        """Keep the report; without its pictures where the format shows none."""
        if self._writer.name != "html":
            report = dataclasses.replace(report, illustrations=())
        self._reports.append(report)

    def finish(self) -> None:
        """Write the text, whole or not at all."""
        if self._out is None:
            print_reports(self._writer, self._reports)
            return
        text = self._writer.render(self._reports)
        from forensics.report.write import write_text_atomic

        write_text_atomic(self._out, text)
        typer.echo(f"wrote {printable(self._out)}", err=True)


class Streamed:
    """Each report on stdout as soon as it is made."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def add(self, report: Report) -> None:
        """Print the report."""
        print_reports(self._writer, [report])

    def finish(self) -> None:
        """Do nothing more."""


class Folder:
    """One file per report in a folder.

    Raises:
        OutputError: The folder cannot be made.
    """

    def __init__(self, writer: Writer, folder: Path) -> None:
        self._writer, self._folder = writer, folder
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            cause = error.strerror or str(error)
            raise OutputError(f"{printable(folder)}: cannot make the folder: {cause}") from error

    def _name(self, path: Path) -> str:
        """Return a file name that no earlier report of this scan has."""
        stem = path.name or "report"
        name, count = stem, 1
        # Compared without case: a.mp4 and A.mp4 are one file on some systems.
        while name.casefold() in self._taken:
            count += 1
            name = f"{stem}-{count}"
        self._taken.add(name.casefold())
        return name + self._writer.extension

    def add(self, report: Report) -> None:
        """Write the report."""
        from forensics.report.write import write_text_atomic

        target = self._folder / self._name(report.path)
        write_text_atomic(target, self._writer.render([report]))
        typer.echo(f"wrote {printable(target)}", err=True)

    def finish(self) -> None:
        """Do nothing more."""


def find_writer(name: str | None, out: Path | None) -> Writer:
    """Return the format asked for; without a name, the one that the output's suffix means.

    Raises:
        UsageError: No format has that name.
    """
    from forensics.report.write import writers

    known = writers()
    if name is None:
        by_suffix = {writer.extension: writer for writer in known.values()}
        suffix = out.suffix.lower() if out else ""
        return by_suffix.get(suffix, known["table"])
    if name not in known:
        raise UsageError(f"--format must be one of {', '.join(known)}, got {name!r}")
    return known[name]


def make_sink(writer: Writer, out: Path | None, *, several: bool) -> Sink:
    """Choose where reports go, and refuse before the work what cannot work after it.

    Args:
        writer: The format.
        out: The option ``--out``.
        several: Whether there is more than one report.

    Raises:
        UsageError: Several HTML pages without a place for them.
        OutputError: The output's folder is missing or cannot be written.
    """
    if out is None:
        if writer.name == "html" and several:
            raise UsageError("--format html with several inputs needs --out FOLDER")
        return Streamed(writer) if writer.name == "jsonl" else Gathered(writer, None)
    # A name without a suffix means a folder when there are several pages to hold.
    if out.is_dir() or (writer.name == "html" and several and not out.suffix):
        return Folder(writer, out)
    parent = out.parent
    if not parent.is_dir():
        raise OutputError(f"{printable(out)}: cannot write: there is no folder {printable(parent)}")
    if not os.access(parent, os.W_OK):
        raise OutputError(f"{printable(out)}: cannot write: permission denied")
    return Gathered(writer, out)
