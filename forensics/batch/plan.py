"""Which files are still to be scanned: those without a record, or whose bytes have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from forensics.errors import printable
from forensics.report.plain import text
from forensics.store.cases import Case, path_id

_BLOCK = 500

Keep = Callable[[Callable[[], Any]], Any]
"""Calls something of the store until it works; see `Recorder.patiently`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a batch.

    Attributes:
        id: Of its case.
        path: As it was given.
        bytes: Size now; None when it cannot be looked at.
        mtime: Modification time now, nanoseconds; None like the size.
    """

    id: str
    path: Path
    bytes: int | None
    mtime: int | None


def look(path: Path) -> Item:
    """Return a file as it is now."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return Item(path_id(path), path, None, None)
    return Item(path_id(path), path, status.st_size, status.st_mtime_ns)


def in_shard(path: Path, index: int, count: int) -> bool:
    """Tell whether a file belongs to shard ``index`` (from 1) of ``count``.

    The digest of the absolute path decides, so every machine that sees the same paths agrees.
    """
    return int(path_id(path), 16) % count == index - 1


def as_case(item: Item, *, config: str, options: dict[str, Any]) -> Case:
    """Return the case to enter for a file."""
    import os

    return Case(
        item.id,
        path=printable(text(item.path)),
        place=os.fsencode(item.path.absolute()).hex(),
        bytes=item.bytes,
        mtime=item.mtime,
        config=config,
        options=options,
    )


def is_done(case: Case, item: Item, config: str) -> bool:
    """Tell whether a case's record still speaks for its file and for what is asked now."""
    same_file = (case.bytes, case.mtime) == (item.bytes, item.mtime)
    return case.state == "done" and case.config == config and same_file


def blocks(paths: Iterable[Path]) -> Iterator[list[Item]]:
    """Yield files in order, in blocks, each path once."""
    seen: set[str] = set()
    source = iter(paths)
    while part := list(islice(source, _BLOCK)):
        found = []
        for item in map(look, part):
            if item.id not in seen:
                seen.add(item.id)
                found.append(item)
        yield found


def forced(case: Case, ids: Collection[str] | None) -> bool:
    """Tell whether a case is to be scanned again although it is done; None means every one."""
    return ids is None or case.id in ids


def sha256_of(path: Path) -> str | None:
    """Return the digest of a file, or None when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except (OSError, ValueError):
        return None
    return digest.hexdigest()
