"""How far a batch is: a bar on a terminal, a line now and then elsewhere; and its last words."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import typer

if TYPE_CHECKING:
    from forensics.batch import Outcome
    from forensics.batch.recorder import Entry

_EVERY = 60.0  # seconds between two lines where there is no terminal
_ERRORS = 20  # lines about unreadable files before only their number is told
_SHORT = {"suspect": "suspect", "inconclusive": "unclear", "no_evidence": "no evidence"}


class Progress(Protocol):
    """Shows progress."""

    def plan(self, todo: int, outcome: Outcome) -> None:
        """Take the number of files to scan."""

    def record(self, entry: Entry) -> None:
        """Take one more record."""

    def say(self, line: str) -> None:
        """Show a line above the bar."""


class _Lines:
    def __init__(self) -> None:
        self._outcome: Outcome | None = None
        self._todo, self._done, self._errors = 0, 0, 0
        self._start = self._told = time.monotonic()

    def plan(self, todo: int, outcome: Outcome) -> None:
        self._outcome, self._todo, self._done = outcome, todo, 0
        self._start = self._told = time.monotonic()

    def record(self, entry: Entry) -> None:
        self._done += 1
        self._error(entry)
        if time.monotonic() - self._told > _EVERY:
            self._told = time.monotonic()
            rate = self._done / (self._told - self._start)
            left = (self._todo - self._done) / rate
            self.say(f"{self._done} of {self._todo} files, {rate:.1f} a second, about {left:.0f} s "
                     f"left; {self.counts()}")  # fmt: skip

    def _error(self, entry: Entry) -> None:
        from forensics.cli._failures import one_line

        if entry.report["error"] is None:
            return
        self._errors += 1
        if self._errors <= _ERRORS:
            self.say(f"error: {one_line(entry.report['error'])}")
        elif self._errors == _ERRORS + 1:
            self.say("further files that cannot be examined are only counted")

    def counts(self) -> str:
        labels = self._outcome.labels if self._outcome else {}
        return ", ".join(f"{labels.get(name, 0)} {word}" for name, word in _SHORT.items())

    def say(self, line: str) -> None:
        typer.echo(line, err=True)


class _Bar(_Lines):
    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar = bar
        self._task = bar.add_task("", total=None, counts="", rate="")

    def plan(self, todo: int, outcome: Outcome) -> None:
        super().plan(todo, outcome)
        self._bar.reset(self._task, total=todo, counts=self.counts(), rate="")

    def record(self, entry: Entry) -> None:
        self._done += 1
        self._error(entry)
        rate = self._done / max(time.monotonic() - self._start, 1e-6)
        self._bar.update(
            self._task, completed=self._done, counts=self.counts(), rate=f"{rate:.1f}/s"
        )

    def say(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False)


@contextlib.contextmanager
def batch_progress() -> Iterator[Progress]:
    """Show progress on stderr while the context is open."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        BarColumn(bar_width=14), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True), TextColumn("{task.fields[counts]}"),
    )  # fmt: skip
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)


def last_words(outcome: Outcome) -> str:
    """Say what a batch came to, in one line."""
    labels = outcome.labels
    noun = "file" if outcome.files == 1 else "files"
    parts = [
        f"{outcome.files} {noun}: {labels['suspect']} suspect, {labels['inconclusive']} "
        f"inconclusive ({outcome.unreadable} unreadable), {labels['no_evidence']} without evidence"
    ]
    verb = "has" if outcome.reused == 1 else "have"
    for count, words in (
        (outcome.skipped, "had a record already"),
        (outcome.reused, f"{verb} the bytes of another file and its report"),
        (outcome.crashed, "ended a worker twice"),
    ):
        if count:
            parts.append(f"{count} {words}")
    return "; ".join(parts)
