"""The command ``forensics merge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli.batch import DEFAULT_DB, DbOption


def register(app: typer.Typer) -> None:
    """Add the command ``merge`` to ``app``."""
    app.command("merge")(merge_command)


def merge_command(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Stores of shards, or .jsonl files of records."),
    ],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Bring the results of shards into one store. Doing it twice changes nothing.

    A source is a SQLite file, a postgresql:// URL, records that a batch could not store, or the
    JSON Lines of 'forensics scan'.
    """
    from forensics.batch.merge import Merged, merge_lines, merge_store
    from forensics.batch.near import link_near
    from forensics.store import Store

    merged = Merged()
    with Store(db) as target:
        for source in sources:
            if source.lower().endswith((".jsonl", ".ndjson")):
                merge_lines(Path(source), target, merged)
                continue
            with Store(source, create=False) as other:
                merge_store(other, target, merged)
        link_near(target)
    words = f"{merged.added} records merged, {merged.known} were known"
    if merged.unfinished:
        words += f"; {merged.unfinished} files have no record yet"
    typer.echo(words, err=True)
