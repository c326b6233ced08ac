"""The program ``forensics``: commands, exit codes, and what a person sees when something fails."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from forensics.cli._failures import guarded

_COMMANDS = ("scan", "audit", "batch", "merge", "cases", "demo", "evaluate", "calibrate", "models",
             "detectors", "keys", "verify", "label", "manifest", "lint", "serve")  # fmt: skip

_EPILOG = """\b
Exit codes:
  0    nothing found, or done
  1    suspect, declared synthetic, or a target not met
  2    usage: a wrong option, an unknown name, a model to pull, an output that cannot be written
  3    inconclusive
  4    unreadable input
  10   internal error (a bug; run again with --debug before the command)
  130  interrupted
Several inputs: 10 goes before 1, then 4, 3 and 0.

FORENSICS_HOME names the folder of pulled models and keys. Only 'models pull', 'demo' and the
option --tsa use the network.
"""


class _Group(TyperGroup):
    """The command group; every failure of a command ends as one line and a documented code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        with guarded(debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)


def _print_version(wanted: bool) -> None:
    """Print the version and stop, before any command is looked for."""
    if wanted:
        from forensics import __version__

        typer.echo(f"forensics {__version__}")
        raise typer.Exit


def _start(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an internal error.")
    ] = False,
) -> None:
    """Tell whether a face in a video was swapped: evidence, calibrated doubt, provenance.

    Runs on this machine alone. It never says that a file is real.
    """


def build_app() -> typer.Typer:
    """Assemble the application from the command modules."""
    # Rich help costs a tenth of a second at every start, the terminal's plain help nothing.
    app = typer.Typer(
        cls=_Group,
        name="forensics",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_start)
    for name in _COMMANDS:
        import_module(f"forensics.cli.{name}").register(app)
    return app


def main() -> None:
    """Run the command line and end the process with its documented exit code."""
    # A hostile file name must not become a crash of the terminal's encoding.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    build_app()(prog_name="forensics")


if __name__ == "__main__":
    main()
