"""The command ``forensics manifest``: a known research set as a manifest, and back."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Form(str, Enum):
    """What is written."""

    jsonl = "jsonl"
    deepfakebench = "deepfakebench"


class Group(str, Enum):
    """What ties files together."""

    people = "people"
    footage = "footage"


_LAYOUTS = "ffpp, dfd, celeb-df, dfdc, dfdc-preview, df40, ffiw, deepfakebench or jsonl"


def register(app: typer.Typer) -> None:
    """Add the command ``manifest`` to ``app``."""
    app.command("manifest")(manifest_command)


def manifest_command(
    layout: Annotated[str, typer.Argument(metavar="LAYOUT", help=f"One of {_LAYOUTS}.")],
    folder: Annotated[
        Path, typer.Argument(metavar="PATH", help="The set's folder, or its list (JSON, JSONL).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    root: Annotated[
        Path | None,
        typer.Option(help="Folder that listed paths are relative to; else that of the list."),
    ] = None,
    to: Annotated[Form, typer.Option(help="jsonl for `evaluate`, or DeepfakeBench's JSON.")] = (
        Form.jsonl
    ),
    group: Annotated[
        Group,
        typer.Option(
            help="people: whatever shares people or footage is one group. footage: only footage."
        ),
    ] = Group.people,
) -> None:
    """Write the manifest of a known research set, for `evaluate` and `lint-set`.

    Reads names and lists, never pictures. Exit codes: 0 written, 2 usage, 4 the folder does not
    have that layout or a list of it is broken.
    """
    from forensics.errors import UsageError, printable
    from forensics.evaluation.adapters import deepfakebench_tree, get_adapter, manifest_rows
    from forensics.evaluation.adapters._rows import relative_to
    from forensics.evaluation.run import check_writable
    from forensics.evaluation.scores_file import write_atomically

    found = get_adapter(layout).read(folder, root)
    check_writable(out)
    if out.exists() and out.resolve() == folder.resolve():
        raise UsageError(f"{printable(out)}: this is the input; choose another output file")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if to is Form.jsonl:
        rows = manifest_rows(found.entries, out.parent, group.value)
        lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]
    else:
        base = root or out.parent
        tree = deepfakebench_tree(
            out.stem,
            found.entries,
            [relative_to(entry.path, base) for entry in found.entries],
            [None if e.mask is None else relative_to(e.mask, base) for e in found.entries],
        )
        lines = [json.dumps(tree, indent=1).encode() + b"\n"]
    write_atomically(out, lines)
    counts = {
        label: sum(entry.label == label for entry in found.entries) for label in ("real", "fake")
    }
    typer.echo(
        f"{printable(out)}: {counts['real']} real and {counts['fake']} fake files", err=True
    )
