"""The command ``forensics lint-set``: whether a labelled set can carry an experiment."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.errors import ExitCode

if TYPE_CHECKING:
    from forensics.evaluation.lint import Finding, LintReport


class Format(str, Enum):
    """What goes to stdout."""

    table = "table"
    json = "json"


_CODES = {
    "clean": ExitCode.OK,
    "refused": ExitCode.SUSPECT,
    "too_few": ExitCode.INCONCLUSIVE,
}
_WORDS = {"refused": "REFUSED", "too_few": "cannot tell", "warning": "warning"}
_SUMMARY = {
    "clean": "clean: nothing found against it",
    "refused": "refused: not to be used as it is",
    "too_few": "too few rows to tell",
}


def register(app: typer.Typer) -> None:
    """Add the command ``lint-set`` to ``app``."""
    app.command("lint-set")(lint_command)


def lint_command(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="JSON Lines with path and label.")
    ],
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.table,
) -> None:
    """Refuse a labelled set that leaks between splits, gives labels away, or has wrong rows.

    Looks for people, groups, files and near-duplicates in more than one split; for labels that can
    be told from codec or size alone; for wrong and missing labels and files. Every row is named.

    Exit codes: 0 clean, 1 refused, 2 usage, 3 too few rows to tell, 4 unreadable manifest.
    """
    from forensics.evaluation.lint import lint_set

    with _progress() as tell:
        report = lint_set(manifest, progress=tell)
    if format is Format.json:
        typer.echo(json.dumps(report.record(), indent=2, allow_nan=False))
    else:
        _print(report)
    raise typer.Exit(int(_CODES[report.outcome]))


def _print(report: LintReport) -> None:
    from forensics.errors import printable

    for finding in report.findings:
        typer.echo(_line(finding))
        for number in finding.lines:
            typer.echo(f"    line {number}: {printable(report.paths[number])}")
    for name, result in report.probes.items():
        if result["auc"] is not None:
            low, high = result["interval"]
            typer.echo(f"{name} probe: AUC {result['auc']:.3f} [{low:.3f}, {high:.3f}]")
    typer.echo(f"{len(report.paths)} rows, {_SUMMARY[report.outcome]}")


def _line(finding: Finding) -> str:
    return f"{_WORDS[finding.severity]} {finding.code}: {finding.message}"


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on stderr; off a terminal, nothing."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("looking at files"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
