"""The command ``forensics calibrate``: fit the verdict to labelled files of your own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command ``calibrate`` to ``app``."""
    app.command("calibrate")(calibrate_command)


def calibrate_command(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="JSON Lines with path, label and group.")
    ],
    out: Annotated[Path, typer.Option(help="Calibration file to write.")],
    split: Annotated[str | None, typer.Option(help="Use only the rows of this split.")] = None,
    detectors: Annotated[
        str | None, typer.Option(help="Detectors to fuse, separated by commas.")
    ] = None,
    target_fpr: Annotated[
        float | None,
        typer.Option(help="Default share of unmanipulated clips that may be called suspect."),
    ] = None,
    miss_share: Annotated[
        float,
        typer.Option(min=0.001, max=0.5, help="Share of fakes that may get 'no evidence'."),
    ] = 0.05,
    population: Annotated[
        str | None, typer.Option(help="What the files are, in words; the report repeats it.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Pictures of each file to look at.")] = 32,
    work: Annotated[
        Path | None, typer.Option(help="Folder to keep the face crops in, to go on from.")
    ] = None,
) -> None:
    """Fit likelihood ratios and thresholds to labelled files of your own kind.

    Use the file with: forensics scan --calibration FILE. Needs the train extra. The files must
    not be those that a detector was trained on. Exit codes: 0 done, 2 usage (also when there are
    too few groups for the stated false-alarm target), 4 unreadable manifest.
    """
    from forensics.cli._names import split_names
    from forensics.evaluation.manifest import read_manifest
    from forensics.evaluation.scores_file import write_atomically

    try:
        from forensics.training.calibrate import load_detectors, measure_rows
        from forensics.training.fusion import calibrate
    except ModuleNotFoundError as error:
        raise UsageError(
            f"calibrate needs {error.name}: pip install 'deepfake-forensics[train]'"
        ) from None
    rows = read_manifest(manifest, split=split).rows
    used = load_detectors(split_names(detectors, "--detectors"))
    unusable: list[Any] = []
    with _progress(rows) as shown:
        clips = measure_rows(
            shown, used, store=work, frames=frames, skip=unusable.append,
            stills=True,
        )
    people = len({c.group for c in clips if not c.fake})
    target = max(3.0 / people, 0.01) if target_fpr is None and people else (target_fpr or 0.05)
    try:
        fitted = calibrate(
            clips, used, population=population or f"{len(clips)} files of {manifest.name}",
            target_fpr=target, miss_share=miss_share,
        )
    except ValueError as error:
        raise UsageError(f"{manifest}: {error}") from error
    write_atomically(out, [fitted.to_json().encode()])
    for row in unusable:
        typer.echo(f"warning: {row.path}: no usable face, or unreadable; left out", err=True)
    typer.echo(json.dumps({"calibration_sha256": fitted.sha256, **fitted.error_rates}, indent=2))


@contextmanager
def _progress(rows: Any) -> Iterator[Any]:
    """Show a bar on stderr; off a terminal, nothing."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        yield bar.track(rows, description="measuring")
