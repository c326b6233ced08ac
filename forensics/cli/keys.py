"""The commands ``forensics keys new|show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="Private key file. Default: your own.")
]


def register(app: typer.Typer) -> None:
    """Add the group ``keys`` to ``app``."""
    group = typer.Typer(
        help="Keys that sign reports: making one, showing its name.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("new")(new_command)
    group.command("show")(show_command)
    app.add_typer(group, name="keys")


def new_command(file: _File = None) -> None:
    """Make an Ed25519 key pair. An existing key is never replaced.

    Keep FILE secret; hand out FILE's public half, NAME.pub.pem, and the key's name by a way that
    others trust.
    """
    from forensics.errors import printable
    from forensics.report.custody.keys import default_key, load_public, new_key, thumbprint

    private, public = new_key(file if file is not None else default_key())
    typer.echo(f"private key  {printable(private)}")
    typer.echo(f"public key   {printable(public)}")
    typer.echo(f"name         {thumbprint(load_public(public))}")


def show_command(file: _File = None) -> None:
    """Show a key's name and public half; FILE may be either half."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from forensics.report.custody.keys import default_key, load_public, thumbprint

    key = load_public(file if file is not None else default_key())
    typer.echo(f"name  {thumbprint(key)}")
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    typer.echo(pem.decode("ascii"), nl=False)
