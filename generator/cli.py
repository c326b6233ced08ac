"""The program ``generator``: extract, train, swap, and what they rest on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from forensics.cli._failures import INTERRUPTED, guarded
from forensics.cli._tables import format_table
from forensics.errors import UsageError
from generator._cli_train import note, pretrain, train

_EPILOG = """\b
Exit codes: 0 done, 1 finished but a target was not met, 2 usage or an output that cannot be
written, 4 unreadable input, 10 internal error (a bug), 130 interrupted.

Every picture is marked: in its pixels, in its metadata, and by a signature. There is no switch.
"""


class _Group(TyperGroup):
    """The command group; every failure of a command ends as one line and a documented code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        with guarded(debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)


_STYLE: dict[str, Any] = {
    "no_args_is_help": True,
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}
app = typer.Typer(cls=_Group, name="generator", epilog=_EPILOG, **_STYLE)
models_app = typer.Typer(help="Networks: what there is, and what each consists of.", **_STYLE)
methods_app = typer.Typer(help="Methods: the ways to make a face.", **_STYLE)
consent_app = typer.Typer(help="Consent records: whose face, on what ground.", **_STYLE)
app.add_typer(models_app, name="models")
app.add_typer(methods_app, name="methods")
app.add_typer(consent_app, name="consent")


@app.callback()
def _start(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an internal error.")
    ] = False,
) -> None:
    """Make labelled face swaps whose ground truth is known, to test detectors with."""


@app.command()
def extract(
    sources: Annotated[list[Path], typer.Argument(help="Clips, photos, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the new face set.")],
    consent: Annotated[
        Path | None, typer.Option(help="Consent record; is copied into the set.")
    ] = None,
    frames: Annotated[int, typer.Option(help="At most so many frames of each clip.")] = 600,
    every: Annotated[float | None, typer.Option(help="One frame every so many seconds.")] = None,
    person: Annotated[int, typer.Option(help="Whom to take, 0 is the most prominent.")] = 0,
    max_faces: Annotated[int, typer.Option(help="At most so many faces.")] = 1000,
    min_eyes: Annotated[float, typer.Option(help="Least eye distance, pixels.")] = 20.0,
    min_sharpness: Annotated[float, typer.Option(help="Least sharpness, log10.")] = 0.6,
) -> None:
    """Cut one person's faces out of clips and photos."""
    from generator.extract import ExtractConfig
    from generator.extract import extract as run

    config = ExtractConfig(frames, every, person, max_faces, min_eyes, min_sharpness)
    faceset = run(
        sources, out, config, consent=consent, hook=lambda name, n: note(f"{name}: {n} faces")
    )
    report = faceset.report
    typer.echo(f"{len(faceset)} faces in {out} (look at {out / 'contact.png'})")
    if report["rejected"]:
        counts = ", ".join(f"{code} {n}" for code, n in sorted(report["rejected"].items()))
        typer.echo(f"left out: {counts}")
    for error in report["unreadable"]:
        note(f"skipped: {error}")
    if report["identity"]["two_people_likely"]:
        names = ", ".join(report["identity"]["second_group_sources"][:3])
        note(f"warning: this looks like two people mixed; the smaller group comes from {names}")


app.command()(train)
app.command()(pretrain)


@app.command()
def swap(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="[SOURCE] TARGET", help="Target clip or photo; a source before it."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Output; TARGET-swap beside you if absent.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Checkpoint folder.")] = None,
    method: Annotated[
        str | None, typer.Option(help="See: generator methods list. With --model: autoencoder.")
    ] = None,
    paint: Annotated[
        str | None, typer.Option(help="Whom the network paints: a or b (b if absent).")
    ] = None,
    person: Annotated[int, typer.Option(help="Whom to replace, 0 is the most prominent.")] = 0,
    everyone: Annotated[bool, typer.Option("--everyone", help="Replace every face.")] = False,
    occluder: Annotated[
        str | None,
        typer.Option(help="Put this before the face first: hand, glasses, mask, ... or a file."),
    ] = None,
    occluders: Annotated[
        str, typer.Option(help="keep or ignore what covers the face, where that is known.")
    ] = "keep",
    recogniser: Annotated[
        Path | None,
        typer.Option(help="With --everyone: judge by this network (see: docs/generator.md)."),
    ] = None,
    consent: Annotated[
        list[Path] | None, typer.Option(help="Consent record of the source person; repeatable.")
    ] = None,
    visible_label: Annotated[
        str, typer.Option(help="on or off: the label people see at the start of a clip.")
    ] = "on",
    seed: Annotated[int, typer.Option(help="For methods that draw numbers.")] = 0,
) -> None:
    """Swap a face in a clip or photo. The output is always marked as synthetic."""
    from generator.consent import load_consent
    from generator.faces_of import source_faces
    from generator.methods import create_method
    from generator.occlude import find_occluder
    from generator.show import frame_bar
    from generator.swap import SwapConfig
    from generator.swap import swap as run

    if len(paths) > 2:
        raise UsageError("give TARGET, or SOURCE and TARGET")
    if visible_label not in ("on", "off"):
        raise UsageError(f"--visible-label must be on or off, got {visible_label!r}")
    if occluders not in ("keep", "ignore"):
        raise UsageError(f"--occluders must be keep or ignore, got {occluders!r}")
    if recogniser is not None and not everyone:
        raise UsageError("--recogniser is for --everyone")
    source, target = (paths[0] if len(paths) == 2 else None), paths[-1]
    name = method or ("autoencoder" if model is not None else "landmark")
    chosen = create_method(
        name, model=model, seed=seed, options={} if paint is None else {"person": paint}
    )
    if source is None and chosen.needs_source:
        raise UsageError(f"method {name!r} needs a source face: generator swap SOURCE TARGET")
    faces = source_faces(source) if source is not None and chosen.needs_source else []
    out = out or Path(f"{target.stem}-swap{_suffix(target)}")
    config = SwapConfig(
        person=person, everyone=everyone, keep_occluders=occluders == "keep",
        visible_label=visible_label == "on",
    )
    with frame_bar("swap") as hook:
        result = run(
            target, out, chosen,
            source=[entry.face for entry in faces],
            source_sha256=sorted({e.source_sha256 for e in faces}),
            consent=[load_consent(path) for path in consent or []],
            occluder=None if occluder is None else find_occluder(occluder, seed=seed),
            config=config, hook=hook,
        )
    typer.echo(f"{result.out}: {result.swapped} of {result.frames} frames swapped")
    if everyone:
        from generator.privacy import privacy_report

        report, place = privacy_report(target, result.out, recogniser)
        for row in report:
            typer.echo(
                f"person {row.person}: recognised in {row.before:.0%} of {row.frames} frames "
                f"before, in {row.after:.0%} of {row.frames_after} after"
            )
        typer.echo(f"report: {place}")
        if recogniser is None:
            note("judged by the coarse built-in descriptor; --recogniser names a network")


@app.command("make-set")
def make_set(
    spec: Annotated[Path, typer.Argument(help="What the set shall hold, a TOML file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the set; may be unfinished.")],
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Make a labelled set of real and fake clips. Interrupt at will: the same command goes on."""
    from generator.sets.make import make_set as run
    from generator.sets.spec import read_spec
    from generator.show import frame_bar

    wanted = read_spec(spec)
    try:
        with frame_bar("pairs") as hook:
            result = run(wanted, out, workers=workers, hook=hook)
    except KeyboardInterrupt:
        note("interrupted; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{result.manifest}: {result.clips} clips; look at {out / 'CARD.md'}")
    for number, why in result.left_out.items():
        note(f"left out: pair {number}: {why}")
    if result.left_out:
        raise typer.Exit(1)


@models_app.command("list")
def models_list() -> None:
    """List the networks."""
    from generator.models import list_models, model_info, model_summary

    rows = []
    for name in list_models():
        info = model_info(name)
        millions = f"{info.parameters / 1e6:.2f}"
        rows.append([name, millions, f"{info.multiply_adds / 1e6:.0f}", model_summary(name)])
    typer.echo(format_table(["name", "M parameters", "M mult-adds", "what"], rows))


@models_app.command("info")
def models_info(
    name: Annotated[str, typer.Argument(help="Name of a network.")],
    like: Annotated[str | None, typer.Option(help="At the size of this other model.")] = None,
) -> None:
    """Print the layers, parameters and cost of a network."""
    from generator.models import model_info, model_summary

    info = model_info(name, like=like)
    typer.echo(model_summary(name))
    rows = [
        [x.name, x.kind, "x".join(map(str, x.output)), str(x.parameters), str(x.multiply_adds)]
        for x in info.layers
    ]
    typer.echo(format_table(["layer", "kind", "output", "parameters", "mult-adds"], rows))
    typer.echo(
        f"{info.parameters / 1e6:.2f} M parameters: encoder {info.encoder_parameters / 1e6:.2f} M "
        f"+ {info.config.decoders} x {info.decoder_parameters / 1e6:.2f} M; one face costs "
        f"{info.multiply_adds / 1e6:.0f} M multiply-adds"
    )


@methods_app.command("list")
def methods_list() -> None:
    """List the methods."""
    from generator.methods import get_method, list_methods

    rows = []
    for name in list_methods():
        cls = get_method(name)
        needs = [w for w, on in (("source", cls.needs_source), ("model", cls.needs_model)) if on]
        rows.append([name, cls.label, " + ".join(needs) or "-", cls.summary])
    typer.echo(format_table(["name", "label", "needs", "what"], rows))


@consent_app.command("new")
def consent_new(
    subject: Annotated[str, typer.Option(help="Name or code of the person shown.")],
    basis: Annotated[str, typer.Option(help="written, self, public-domain or dataset-licence.")],
    scope: Annotated[str, typer.Option(help="What the permission covers.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("consent.toml"),
    date: Annotated[str | None, typer.Option(help="YYYY-MM-DD; today if absent.")] = None,
    reference: Annotated[str, typer.Option(help="Where the proof is kept.")] = "",
) -> None:
    """Write a consent record."""
    from generator.consent import new_consent

    record = new_consent(
        out, subject=subject, basis=basis, scope=scope, date=date, reference=reference
    )
    typer.echo(json.dumps({"file": str(out), "sha256": record.sha256}))


def _suffix(target: Path) -> str:
    stills = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
    return ".png" if target.suffix.lower() in stills else ".mp4"


def main() -> None:
    """Run the command line and end the process with its documented exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    app(prog_name="generator")


if __name__ == "__main__":
    main()
