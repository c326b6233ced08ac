"""The commands ``forensics detectors list|info|check``."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from forensics.cli.models import ListFormat


def register(app: typer.Typer) -> None:
    """Add the group ``detectors`` to ``app``."""
    group = typer.Typer(
        help="Detectors: which there are, and what each stands on.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_command)
    group.command("info")(info_command)
    group.command("check")(check_command)
    app.add_typer(group, name="detectors")


def list_command(
    format: Annotated[ListFormat, typer.Option(help="What to print.")] = ListFormat.table,
) -> None:
    """List the detectors, cheapest first."""
    from forensics.cli._tables import format_table
    from forensics.detectors import detector_info, list_detectors

    infos = [detector_info(name) for name in list_detectors()]
    if format is ListFormat.json:
        typer.echo(json.dumps([dataclasses.asdict(info) for info in infos], indent=2))
        return
    rows = [
        (
            info.name,
            info.version,
            info.input,
            str(info.cost),
            "yes" if info.default else "no",
            info.summary,
        )
        for info in infos
    ]
    typer.echo(format_table(("name", "version", "reads", "cost", "default", "measures"), rows))


def info_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the detector.")],
) -> None:
    """Print everything known of one detector, its weights card included, as JSON."""
    from forensics.detectors import detector_info

    typer.echo(json.dumps(dataclasses.asdict(detector_info(name)), indent=2, ensure_ascii=False))


def check_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the detector.")],
) -> None:
    """Check that a detector keeps the rules that a scan relies on; exit 1 names what it breaks."""
    from forensics.errors import ExitCode
    from forensics.testing import check_detector

    try:
        check_detector(name)
    except AssertionError as error:
        typer.echo(f"{name}: {error}", err=True)
        raise typer.Exit(ExitCode.SUSPECT) from None
    typer.echo(f"{name}: keeps every rule")
