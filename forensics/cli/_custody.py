"""The options ``--sign``, ``--log`` and ``--tsa`` of commands that make reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli._output import Sink, make_sink, print_text
from forensics.errors import UsageError, printable

if TYPE_CHECKING:
    from forensics.report.custody import Sealer
    from forensics.report.write import Writer
    from forensics.types import Report

SignOption = Annotated[
    Path | None, typer.Option("--sign", help="Sign each report with this key (see: keys new).")
]
LogOption = Annotated[
    Path | None, typer.Option("--log", help="Enter each report in this hash-chained log.")
]
TsaOption = Annotated[
    str | None,
    typer.Option("--tsa", help="Time-stamp signatures at this address; uses the network."),
]

_LINES = "jsonl"
_SEALED = ("json", _LINES)


def make_sealer(
    sign: Path | None, log: Path | None, tsa: str | None, writer: Writer
) -> Sealer | None:
    """Return what seals reports, or None when none of the options was given.

    Raises:
        UsageError: A format that cannot hold a signature, or a time stamp without a key.
        UnreadableInputError: The key cannot be read.
        OutputError: The log cannot be followed.
    """
    if sign is None and log is None and tsa is None:
        return None
    from forensics.report.custody import Sealer

    if sign is not None and writer.name not in _SEALED:
        raise UsageError(
            f"--sign needs --format json or jsonl, or --out NAME.json; {writer.name} holds no "
            "signature"
        )
    return Sealer(sign, log=log, tsa=tsa)


class SealingSink:
    """Seal each report as soon as it is made, and pass it on.

    Args:
        sealer: What seals.
        writer: The format; where it is JSON, the sealed form is what is written.
        out: File to write; stdout when None.
        inner: Where reports of other formats go.
    """

    def __init__(self, sealer: Sealer, writer: Writer, out: Path | None, inner: Sink) -> None:
        self._sealer, self._out, self._inner = sealer, out, inner
        self._json, self._lines = writer.name in _SEALED, writer.name == _LINES
        self._records: list[Mapping[str, Any]] = []
        self.changed = 0

    def add(self, report: Report) -> None:
        """Seal the report."""
        from forensics.report.model import records_to_jsonl

        record = self._sealer.seal(report)
        if record["custody"]["media"]["unchanged"] is False:
            self.changed += 1
            typer.echo(f"warning: {printable(report.path)}: changed while it was read", err=True)
        if not self._json:
            self._inner.add(report)
        elif self._lines and self._out is None:
            print_text(records_to_jsonl([record]))
        else:
            self._records.append(record)

    def finish(self) -> None:
        """Write what was gathered."""
        from forensics.report.model import records_to_json, records_to_jsonl
        from forensics.report.write import write_text_atomic

        if not self._json:
            self._inner.finish()
        elif self._out is not None or not self._lines:
            text = (records_to_jsonl if self._lines else records_to_json)(self._records)
            if self._out is None:
                print_text(text)
            else:
                write_text_atomic(self._out, text)
                typer.echo(f"wrote {printable(self._out)}", err=True)


def sealing_sink(sealer: Sealer, writer: Writer, out: Path | None, *, several: bool) -> SealingSink:
    """Choose where sealed reports go.

    Raises:
        UsageError: A folder for sealed reports, or what `make_sink` refuses.
        OutputError: The output's folder is missing or cannot be written.
    """
    inner = make_sink(writer, out, several=several)
    if writer.name in _SEALED and out is not None and out.is_dir():
        raise UsageError(f"{printable(out)}: sealed reports go into one file, not a folder")
    return SealingSink(sealer, writer, out, inner)
