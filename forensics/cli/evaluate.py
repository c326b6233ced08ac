"""The command ``forensics evaluate``: figures of merit on labelled files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.errors import ExitCode, ForensicsError, UsageError

if TYPE_CHECKING:
    from rich.table import Table


class InputKind(str, Enum):
    """What the files of the manifest are."""

    clips = "clips"
    crops = "crops"


class OutputFormat(str, Enum):
    """What goes to stdout."""

    table = "table"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the command ``evaluate`` to ``app``."""
    app.command("evaluate")(evaluate_command)


def evaluate_command(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="JSON Lines with path and label.")
    ],
    input: Annotated[
        InputKind,
        typer.Option(help="clips: whole files. crops: each file is one face already cut out."),
    ] = InputKind.clips,
    split: Annotated[str | None, typer.Option(help="Use only the rows of this split.")] = None,
    scores: Annotated[
        Path | None,
        typer.Option(help="Write a JSON line for every row; an interrupted run goes on from it."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    detectors: Annotated[
        str | None, typer.Option(help="Detectors to use, separated by commas.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    bootstrap: Annotated[
        int, typer.Option(min=0, max=100_000, help="Bootstrap replicates; 0: no intervals.")
    ] = 2000,
    min_auc: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="End with code 1 if the frame AUC is below this."),
    ] = None,
    format: Annotated[OutputFormat, typer.Option(help="What to print.")] = OutputFormat.table,
) -> None:
    """Measure the detectors on labelled files: AUC, EER, TPR at FPR, calibration, coverage.

    Intervals are at 95 % by bootstrap over the manifest's groups. Exit codes: 0 done,
    1 finished but --min-auc not met, 2 usage, 4 unreadable manifest.
    """
    try:
        names = _detector_names(detectors)
        result = _run(manifest, input.value, split, scores, out, names, seed, bootstrap)
    except ForensicsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        rest = "the same command goes on from here" if scores else "nothing was kept (no --scores)"
        typer.echo(f"interrupted: {rest}", err=True)
        raise typer.Exit(130) from None
    if format is OutputFormat.json:
        typer.echo(json.dumps(result, indent=2, allow_nan=False))
    else:
        _print_table(result)
    auc = result["frame"]["auc"]
    if min_auc is not None and (auc is None or auc < min_auc):
        shown = "not available" if auc is None else f"{auc:.4f}"
        typer.echo(f"target not met: frame AUC {shown}, wanted {min_auc}", err=True)
        raise typer.Exit(int(ExitCode.SUSPECT))


def _detector_names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise UsageError("--detectors names no detector")
    return names


def _run(
    manifest_path: Path,
    kind: str,
    split: str | None,
    scores: Path | None,
    out: Path | None,
    detectors: tuple[str, ...] | None,
    seed: int,
    n_boot: int,
) -> dict[str, Any]:
    from forensics.evaluation.manifest import read_manifest
    from forensics.evaluation.run import check_writable, evaluate, refuse_overwrite
    from forensics.evaluation.scores_file import write_atomically

    # Everything that can be refused is refused before hours of scoring.
    manifest = read_manifest(manifest_path, split=split)
    for target in (scores, out):
        if target is not None:
            refuse_overwrite(manifest, target)
            check_writable(target)
    if scores is not None and out is not None and scores.absolute() == out.absolute():
        raise UsageError("--scores and --out must be different files")
    if manifest.shared_groups:
        typer.echo(
            f"warning: {manifest.shared_groups} groups of this split are in other splits too",
            err=True,
        )

    from forensics.engines.scoring import make_scorer

    with _progress() as tell:
        result = evaluate(
            manifest,
            make_scorer(detectors),
            input=kind,  # type: ignore[arg-type]
            scores_out=scores,
            progress=tell,
            seed=seed,
            n_boot=n_boot,
        )
    if out is not None:
        write_atomically(out, [json.dumps(result, indent=2, allow_nan=False).encode() + b"\n"])
    return result


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr; off a terminal, nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task("scoring", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


FIGURES = (
    ("AUC", "auc"),
    ("EER", "eer"),
    ("average precision", "average_precision"),
    ("TPR at FPR 1 %", "tpr_at_fpr.0.01"),
    ("TPR at FPR 5 %", "tpr_at_fpr.0.05"),
    ("ECE", "ece"),
    ("Brier", "brier"),
    ("Cllr", "cllr"),
    ("Cllr-min", "cllr_min"),
)
COUNTS = (("n", "n"), ("real", "n_real"), ("fake", "n_fake"), ("groups", "groups"))


def _print_table(result: Mapping[str, Any]) -> None:
    import sys

    from rich.console import Console

    # Off a terminal nothing may be cut, however narrow the guess about the width is.
    width = None if sys.stdout.isatty() else 120
    console = Console(width=width)
    console.print(_table(result))
    low_high = result["coverage_interval"]
    console.print(
        f"coverage {_cell(result['coverage'], low_high, None)} of {result['n']} rows; "
        f"without a score: {result['n_unscored']['real']} real, {result['n_unscored']['fake']} "
        f"fake; declined: {result['n_abstained']['real']} real, {result['n_abstained']['fake']} "
        f"fake",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    if result["reasons"]:
        listed = ", ".join(f"{code} {count}" for code, count in result["reasons"].items())
        console.print(f"reasons: {listed}", soft_wrap=True, highlight=False, markup=False)


def _table(result: Mapping[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="Evaluation, 95 % intervals over groups", title_justify="left")
    table.add_column("figure", no_wrap=True)
    kinds = ("frame", "group")
    for kind in kinds:
        table.add_column(kind, overflow="fold")
    for title, name in COUNTS:
        table.add_row(title, *(str(result[kind][name]) for kind in kinds))
    for title, name in FIGURES:
        table.add_row(title, *(_figure(result[kind], name) for kind in kinds))
    return table


def _figure(block: Mapping[str, Any], name: str) -> str:
    key, _, limit = name.partition(".")
    value, interval = block[key], block.get(f"{key}_interval")
    if limit:
        value, interval = value[limit], interval[limit] if interval else None
    return _cell(value, interval, block["unavailable"].get(name))


def _cell(value: float | None, interval: list[float] | None, reason: str | None) -> str:
    if value is None:
        return reason or "not available"
    shown = f"{value:.3f}"
    return shown if interval is None else f"{shown}  ({interval[0]:.3f} to {interval[1]:.3f})"
