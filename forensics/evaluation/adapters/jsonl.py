"""This project's own manifests, to be written in another form."""

from __future__ import annotations

from pathlib import Path

from forensics.evaluation.adapters._base import Adapter, Entry, Found
from forensics.evaluation.manifest import read_manifest


def _read(file: Path, root: Path | None) -> Found:
    entries = tuple(
        Entry(
            (root or file.parent) / row.path,
            label=row.label,
            footage=(row.group,),
            people=row.identity,
            split=row.split,
            source=row.source,
            method=row.method,
            mask=None if row.mask is None else (root or file.parent) / row.mask,
            clip=row.path,
            group=row.group,
        )
        for row in read_manifest(file).rows
    )
    return Found(entries)


JSONL = Adapter("jsonl", "This project's manifest", "a JSON Lines file", _read)
