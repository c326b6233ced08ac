"""The command ``forensics audit``."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli._custody import LogOption, SignOption, TsaOption
from forensics.cli._options import Anchors, MaxBytes
from forensics.cli.scan import Declared, Level, anchors_from, failed, run

if TYPE_CHECKING:
    from forensics.cli._progress import FileProgress
    from forensics.engines import Auditor
    from forensics.types import Report


def register(app: typer.Typer) -> None:
    """Add the command ``audit`` to ``app``."""
    app.command("audit")(audit_command)


def audit_command(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files; folders are walked.")
    ],
    format: Annotated[
        str | None,
        typer.Option(help="table, json, jsonl or html. Default: what --out's suffix says, table."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write here, not to stdout: a file, or a folder.")
    ] = None,
    policy: Annotated[
        str, typer.Option(help="Rules to apply, separated by commas: cn,eu.")
    ] = "cn,eu",
    declared: Annotated[
        Declared, typer.Option(help="Does the uploader say that it is synthetic?")
    ] = Declared.unknown,
    trust_anchors: Anchors = None,
    level: Annotated[
        Level, typer.Option(help="fast reads marks; full also looks for watermark and label.")
    ] = Level.fast,
    max_bytes: MaxBytes = None,
    sign: SignOption = None,
    log: LogOption = None,
    tsa: TsaOption = None,
) -> None:
    """Say where files come from, whether their marks hold, and what the law wants done.

    Five questions stay apart: is it declared synthetic, is that authentic, is there a visible
    label, what traces are there, what has to be done. The pictures are not judged (see: scan).

    Ends with 0 when every rule is met or finds nothing, 1 when one is not or a mark is invalid,
    3 when something cannot be told, 4 when a file cannot be read.
    """
    from forensics.cli._custody import make_sealer
    from forensics.cli._inputs import find_inputs
    from forensics.cli._names import split_names
    from forensics.cli._outcome import audit_code
    from forensics.cli._output import find_writer
    from forensics.cli.scan import build_options
    from forensics.engines import Auditor

    options = build_options(
        frames=None, every=None, all=False, caps={"max_bytes": max_bytes},
        policy=split_names(policy, "--policy") or (), declared=declared.value, level=level.value,
    )  # fmt: skip
    writer = find_writer(format, out)
    sealer = make_sealer(sign, log, tsa, writer)
    auditor = Auditor(options, anchors_from(trust_anchors))
    debug = bool(ctx.parent and ctx.parent.params.get("debug"))
    raise typer.Exit(
        run(
            find_inputs(paths), auditing(auditor, debug=debug), writer, out, sealer=sealer,
            code_of=audit_code,
        )
    )  # fmt: skip


def auditing(auditor: Auditor, *, debug: bool) -> Callable[[Path, FileProgress], Report]:
    """Return what audits one file; a bug in it becomes a record, so that the other files go on."""

    def examine(path: Path, on_progress: FileProgress) -> Report:
        from forensics.cli._failures import describe_bug

        try:
            return auditor.audit(path)
        except Exception as error:
            if debug:
                traceback.print_exception(error)
            return failed(path, f"{path}: internal error: {describe_bug(error)}", ("internal",))

    return examine
