"""A progress bar on stderr, on a terminal only."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

FileProgress = Callable[[int, "int | None"], None]
"""Called with the number of pictures seen and, when known, of pictures planned."""


def _silent(done: int, planned: int | None) -> None:
    """Show nothing."""


@contextlib.contextmanager
def scan_progress(files: int) -> Iterator[Callable[[Path], FileProgress]]:
    """Show how far a scan of several files is.

    Args:
        files: Number of files.

    Yields:
        A function that announces the next file and returns its progress callback.
    """
    if not sys.stderr.isatty():
        yield lambda path: _silent
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from forensics.errors import printable

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("file {task.fields[file]}/{task.fields[files]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, file=0, files=files)
        begun = 0

        def start(path: Path) -> FileProgress:
            nonlocal begun
            begun += 1
            # A reset drops every field that it is not given again.
            name = escape(printable(path.name))
            bar.reset(task, description=name, total=None, file=begun, files=files)
            return lambda done, planned: bar.update(task, completed=done, total=planned)

        yield start
