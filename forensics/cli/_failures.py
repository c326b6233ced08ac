"""Turn every failure of a command into one line on stderr and a documented exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import typer

from forensics.errors import ExitCode, ForensicsError

INTERRUPTED = 130
BROKEN_PIPE = 141

EXTRAS = {"sqlalchemy": "batch"}
"""Which extra brings a package that the plain install lacks."""


def one_line(text: object) -> str:
    """Return ``text`` on one line, without control characters."""
    joined = " ".join(str(text).split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in joined)


def describe_bug(error: BaseException) -> str:
    """Name an unexpected exception and the place it comes from, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return one_line(f"{type(error).__name__}: {error}{place}")


def discard_stdout() -> None:
    """Send what stdout still holds to nowhere, or Python complains again at its last flush."""
    with contextlib.suppress(OSError, ValueError):  # a captured stdout has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def guarded(*, debug: bool = False) -> Iterator[None]:
    """Map exceptions to the exit codes of the program.

    Args:
        debug: Print the traceback of an unexpected exception as well.

    Raises:
        typer.Exit: In place of the exception, with the documented code.
    """
    try:
        yield
    except ForensicsError as error:
        typer.echo(f"error: {one_line(error)}", err=True)
        raise typer.Exit(int(error.exit_code)) from None
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            _report_bug(error, debug=debug)
        else:
            told = f"pip install 'deepfake-forensics[{extra}]'"
            typer.echo(f"error: this command needs the extra {extra!r}: {told}", err=True)
        raise typer.Exit(int(ExitCode.INTERNAL if extra is None else ExitCode.USAGE)) from None
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        discard_stdout()  # the reader went away (head, less)
        raise typer.Exit(BROKEN_PIPE) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if hasattr(error, "show"):  # typer's own usage errors print themselves
            raise
        _report_bug(error, debug=debug)
        raise typer.Exit(int(ExitCode.INTERNAL)) from None


def _report_bug(error: BaseException, *, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    typer.echo(f"internal error: {describe_bug(error)}", err=True)
