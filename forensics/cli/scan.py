"""The command ``forensics scan``."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli._custody import LogOption, SignOption, TsaOption
from forensics.cli._options import (
    All,
    Anchors,
    Every,
    Frames,
    MaxBytes,
    MaxDuration,
    MaxPixels,
    Timeout,
)
from forensics.errors import ExitCode, ForensicsError, UnreadableInputError, UsageError

if TYPE_CHECKING:
    from forensics.cli._inputs import Inputs
    from forensics.cli._progress import FileProgress
    from forensics.engines import ScanOptions
    from forensics.provenance.facts import TrustAnchors
    from forensics.report.custody import Sealer
    from forensics.types import Report

    Examine = Callable[[Path, FileProgress], Report]


class Declared(str, Enum):
    """What the uploader says of the file."""

    yes = "yes"
    no = "no"
    unknown = "unknown"


class Level(str, Enum):
    """How much work to put into a file."""

    fast = "fast"
    full = "full"


def register(app: typer.Typer) -> None:
    """Add the command ``scan`` to ``app``."""
    app.command("scan")(scan_command)


def scan_command(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files; folders are walked.")
    ],
    format: Annotated[
        str | None,
        typer.Option(help="table, json, jsonl or html. Default: what --out's suffix says, table."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write here, not to stdout: a file, or a folder.")
    ] = None,
    frames: Frames = None,
    every: Every = None,
    all: All = False,
    detectors: Annotated[
        str | None, typer.Option(help="Detectors, separated by commas (see: detectors list).")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="Rules to apply, separated by commas: cn,eu.")
    ] = None,
    declared: Annotated[
        Declared, typer.Option(help="Does the uploader say that it is synthetic?")
    ] = Declared.unknown,
    target_fpr: Annotated[
        float | None,
        typer.Option(help="Accepted share of unmanipulated clips called suspect, for example 0.01"),
    ] = None,
    level: Annotated[Level, typer.Option(help="How much work to put in.")] = Level.fast,
    prior: Annotated[
        float, typer.Option(help="Probability of manipulation before looking, 0..1.")
    ] = 0.5,
    trust_anchors: Anchors = None,
    device: Annotated[str, typer.Option(help="Where to compute: cpu.")] = "cpu",
    calibration: Annotated[
        Path | None, typer.Option(help="Calibration file of forensics calibrate.")
    ] = None,
    max_bytes: MaxBytes = None,
    max_pixels: MaxPixels = None,
    max_duration: MaxDuration = None,
    timeout: Timeout = None,
    sign: SignOption = None,
    log: LogOption = None,
    tsa: TsaOption = None,
) -> None:
    """Examine files for swapped or re-painted faces. Nothing leaves this machine.

    Every file named gets a report, also when it cannot be read. In folders, files that are no
    media are counted and skipped.
    """
    from forensics.cli._custody import make_sealer
    from forensics.cli._inputs import find_inputs
    from forensics.cli._names import split_names
    from forensics.cli._output import find_writer

    caps = {
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "max_duration": max_duration,
        "timeout": timeout,
    }
    options = build_options(
        frames=frames,
        every=every,
        all=all,
        caps=caps,
        detectors=split_names(detectors, "--detectors"),
        policy=split_names(policy, "--policy") or (),
        declared=declared.value,
        target_fpr=target_fpr,
        level=level.value,
        prior=prior,
        device=device,
        calibration=None if calibration is None else str(calibration),
    )
    writer = find_writer(format, out)
    sealer = make_sealer(sign, log, tsa, writer)
    debug = bool(ctx.parent and ctx.parent.params.get("debug"))
    examine = scanning(options, anchors_from(trust_anchors), debug=debug)
    raise typer.Exit(run(find_inputs(paths), examine, writer, out, sealer=sealer))


def build_options(
    *, frames: int | None, every: float | None, all: bool, caps: dict[str, Any], **rest: Any
) -> ScanOptions:
    """Check the options of the command line and build the scanner's from them.

    Raises:
        UsageError: Two sampling modes, or a value out of range.
    """
    from forensics.engines import ScanOptions
    from forensics.media import Limits

    given = {"--frames": frames is not None, "--every": every is not None, "--all": all}
    chosen = [name for name, wanted in given.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"give only one of {', '.join(chosen)}")
    try:
        limits = Limits(**{name: value for name, value in caps.items() if value is not None})
    except ValueError as error:
        name, _, cause = str(error).partition(" ")
        raise UsageError(f"--{name.replace('_', '-')} {cause}") from None
    if frames is not None:
        rest["frames"] = frames
    return ScanOptions(every=every, all=all, limits=limits, **rest)


def anchors_from(path: Path | None) -> TrustAnchors | None:
    """Read the file given with ``--trust-anchors``, if any."""
    if path is None:
        return None
    from forensics.provenance.facts import read_anchors

    return read_anchors(path)


def scanning(options: ScanOptions, anchors: TrustAnchors | None, *, debug: bool) -> Examine:
    """Return what scans one file; a bug in it becomes a record, so that the other files go on."""

    def examine(path: Path, on_progress: FileProgress) -> Report:
        return scan_one(path, options, on_progress, anchors=anchors, debug=debug)

    return examine


def run(
    inputs: Inputs,
    examine: Examine,
    writer: Any,
    out: Path | None,
    *,
    sealer: Sealer | None = None,
    code_of: Callable[[Report], ExitCode] | None = None,
) -> int:
    """Examine every input, hand the reports to the output, and return the exit code."""
    from forensics.cli._custody import sealing_sink
    from forensics.cli._failures import one_line
    from forensics.cli._outcome import exit_code, worst
    from forensics.cli._output import make_sink
    from forensics.cli._progress import scan_progress

    for line in inputs.problems:
        typer.echo(f"warning: {one_line(line)}", err=True)
    total = len(inputs.files) + len(inputs.empty_folders)
    several = total != 1
    sealed = sealing_sink(sealer, writer, out, several=several) if sealer is not None else None
    sink = sealed or make_sink(writer, out, several=several)
    code_of = code_of or exit_code
    codes = []
    reports = [no_media(folder, others) for folder, others in inputs.empty_folders]
    with scan_progress(len(inputs.files)) as start:
        for report in reports:
            codes.append(code_of(report))
            sink.add(report)
            typer.echo(f"error: {one_line(report.error)}", err=True)
        for path in inputs.files:
            report = examine(path, start(path))
            codes.append(code_of(report))
            if report.error is not None:
                typer.echo(f"error: {one_line(report.error)}", err=True)
            sink.add(report)
    sink.finish()
    if sealed is not None and sealed.changed:
        codes.append(ExitCode.INCONCLUSIVE)
    if inputs.skipped:
        typer.echo(f"skipped {inputs.skipped} files that are no media", err=True)
    return int(worst(codes))


def scan_one(
    path: Path,
    options: ScanOptions,
    on_progress: FileProgress,
    *,
    anchors: TrustAnchors | None = None,
    debug: bool,
) -> Report:
    """Scan one file; a bug in the scanner becomes a record, so that the other files go on.

    Raises:
        ForensicsError: The request itself cannot be carried out (a missing model, a bad name).
    """
    from forensics.cli._failures import describe_bug
    from forensics.engines import scan

    try:
        return scan(path, options=options, on_progress=on_progress, anchors=anchors)
    except UnreadableInputError as error:
        return failed(path, str(error), ("unreadable", error.reason))
    except ForensicsError:
        raise
    except Exception as error:
        if debug:
            traceback.print_exception(error)
        return failed(path, f"{path}: internal error: {describe_bug(error)}", ("internal",))


def no_media(folder: Path, others: int) -> Report:
    """Return the record of a folder in which there is nothing to scan."""
    found = f"{others} other files" if others else "nothing"
    error = f"{folder}: no media file in this folder ({found} in it)"
    return failed(folder, error, ("unreadable", "no_media"))


def failed(path: Path, error: str, reasons: tuple[str, ...]) -> Report:
    """Return the record of an input that could not be examined."""
    from forensics.types import Report, Verdict

    codes = tuple(dict.fromkeys(reasons))
    return Report(path, clip=None, verdict=Verdict("inconclusive", reasons=codes), error=error)
