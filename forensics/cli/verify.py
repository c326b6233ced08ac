"""The command ``forensics verify``."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_WORDS = {"holds": "holds", "broken": "BROKEN", "unknown": "cannot tell"}
_RESULTS = {0: "everything looked at holds", 1: "something no longer holds", 3: "cannot tell"}


class Format(str, Enum):
    """What goes to stdout."""

    table = "table"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the command ``verify`` to ``app``."""
    app.command("verify")(verify_command)


def verify_command(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A report in JSON.")],
    media: Annotated[Path | None, typer.Option(help="The file that was examined.")] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Public key of the signer. Default: your own, where you have one."),
    ] = None,
    log: Annotated[Path | None, typer.Option(help="The log it was entered in.")] = None,
    tsa_root: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) of time-stamping authorities you trust.")
    ] = None,
    format: Annotated[Format, typer.Option(help="table or json.")] = Format.table,
) -> None:
    """Say what still holds of a sealed report. Works offline.

    Ends with 0 when everything holds, 1 when something no longer does, 3 when it cannot be told
    (no signature, or a signer you did not name), 4 when a file cannot be read.
    """
    from forensics.report.custody.verify import exit_code, verify_report

    roots = []
    if tsa_root is not None:
        from forensics.report.custody.timestamp import load_roots

        roots = load_roots(tsa_root)
    checks = verify_report(report, media=media, key=_key(key), log=log, roots=roots)
    code = int(exit_code(checks))
    if format is Format.json:
        rows = [{"what": c.what, "state": c.state, "text": c.text} for c in checks]
        found = {"path": str(report), "result": _RESULTS[code], "checks": rows}
        typer.echo(json.dumps(found, indent=2))
    else:
        from forensics.cli._failures import one_line

        for check in checks:
            typer.echo(f"{_WORDS[check.state]:<12} {check.what:<10} {one_line(check.text)}")
        typer.echo(f"result: {_RESULTS[code]}")
    raise typer.Exit(code)


def _key(named: Path | None) -> Ed25519PublicKey | None:
    """Return the key named, else the user's own where there is one."""
    from forensics.report.custody.keys import default_key, load_public, public_path

    if named is not None:
        return load_public(named)
    own = public_path(default_key())
    return load_public(own) if own.exists() else None
