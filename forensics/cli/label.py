"""The command ``forensics label``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.errors import UsageError, printable

if TYPE_CHECKING:
    from forensics.provenance.keys import SigningIdentity
    from forensics.provenance.labelling import Labelled


def register(app: typer.Typer) -> None:
    """Add the command ``label`` to ``app``."""
    app.command("label")(label_command)


def label_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Clip or picture; only read.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The labelled copy; must not exist.")],
    label: Annotated[
        str, typer.Option(help="1: is AI-generated, 2: may be, 3: is suspected to be.")
    ] = "1",
    producer: Annotated[
        str | None, typer.Option(help="Name or code of the service that made the content.")
    ] = None,
    produce_id: Annotated[
        str | None, typer.Option(help="Its number for the content. Default: from the hash.")
    ] = None,
    propagator: Annotated[
        str, typer.Option(help="Name or code of the service that spreads it.")
    ] = "",
    propagate_id: Annotated[str, typer.Option(help="That service's number.")] = "",
    visible: Annotated[
        bool, typer.Option("--visible/--no-visible", help="Burn a text into the first seconds.")
    ] = True,
    text: Annotated[str | None, typer.Option(help="The text. Default: one that fits.")] = None,
    font: Annotated[Path | None, typer.Option(help="Font file for the text.")] = None,
    watermark: Annotated[
        bool, typer.Option("--watermark/--no-watermark", help="Put in an invisible mark.")
    ] = True,
    source_type: Annotated[
        str, typer.Option(help="IPTC term of what the machine did.")
    ] = "compositeWithTrainedAlgorithmicMedia",
    crf: Annotated[int, typer.Option(help="Quality of newly encoded pictures, 0 is best.")] = 18,
    key: Annotated[
        Path | None, typer.Option(help="Signing key (PEM). Default: your own, made on first use.")
    ] = None,
    chain: Annotated[Path | None, typer.Option(help="Its certificates (PEM), leaf first.")] = None,
    tsa: Annotated[
        str | None, typer.Option(help="Time-stamp the signature at this address; uses the network.")
    ] = None,
) -> None:
    """Write a labelled copy: visible text, watermark, AIGC metadata, and a C2PA signature last.

    The copy is read back before it gets its name. Existing marks are never altered or taken away:
    a file that is labelled already is refused. With --no-visible --no-watermark pictures and sound
    are copied bit by bit.
    """
    from forensics.provenance.labelling import LabelPlan, label_file
    from forensics.provenance.labelling.plan import PRODUCER

    plan = LabelPlan(
        label,
        producer=producer if producer is not None else PRODUCER,
        produce_id=produce_id,
        propagator=propagator,
        propagate_id=propagate_id,
        visible=visible,
        text=text,
        font=font,
        watermark=watermark,
        source_type=source_type,
        crf=crf,
    )
    identity = _identity(key, chain)
    done = label_file(file, out, plan, identity=identity, tsa=tsa)
    _tell(done)
    if producer is None:
        typer.echo(f"note: the producer is given as {PRODUCER}; name yours: --producer", err=True)
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)


def _identity(key: Path | None, chain: Path | None) -> SigningIdentity | None:
    if (key is None) != (chain is None):
        raise UsageError("--key and --chain go together")
    if key is None or chain is None:
        return None
    from forensics.provenance.keys import load_identity

    return load_identity(key, chain)


def _tell(done: Labelled) -> None:
    mark = f"{done.watermark.id:08x}" if done.watermark is not None else "none"
    rows = {
        "AIGC label": f"{done.aigc.label} by {done.aigc.producer}, {done.aigc.produce_id}",
        "visible": done.visible or "none",
        "watermark": mark,
        "C2PA": "signed, reads back intact",
        "sha256": done.sha256,
    }
    typer.echo(f"wrote {printable(done.path)}")
    for name, value in rows.items():
        typer.echo(f"  {name:<11} {value}")
