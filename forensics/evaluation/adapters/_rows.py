"""From entries to manifest rows: groups, and paths relative to the manifest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.evaluation.adapters._base import Entry, GroupBy
from forensics.evaluation.components import group_names


def groups_of(entries: Sequence[Entry], by: GroupBy = "people") -> list[str]:
    """Return the group of each entry.

    Args:
        entries: What an adapter found.
        by: ``people``: whatever hangs together through footage or people is one group, so no
            split by group can leak. ``footage``: a fake and the clips it was made from are one
            group; finer intervals for a set that is only tested on.

    Returns:
        Group names. A group that the manifest already states is kept.
    """
    keys = [e.footage + (e.people if by == "people" else ()) for e in entries]
    return [
        entry.group or name for entry, name in zip(entries, group_names(keys), strict=True)
    ]


def relative_to(path: Path, folder: Path) -> str:
    """Return ``path`` as a manifest in ``folder`` writes it, with forward slashes."""
    # Not resolved: a link in the data folder should stay a link.
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def manifest_rows(
    entries: Sequence[Entry], folder: Path, by: GroupBy = "people"
) -> list[dict[str, Any]]:
    """Return manifest rows, ready for JSON Lines.

    Args:
        entries: What an adapter found.
        folder: Where the manifest will lie.
        by: See `groups_of`.
    """
    rows = []
    for entry, group in zip(entries, groups_of(entries, by), strict=True):
        row = {
            "path": relative_to(entry.path, folder),
            "label": entry.label,
            "group": group,
            "identity": list(entry.people) or None,
            "split": entry.split,
            "source": entry.source,
            "method": entry.method,
            "compression": entry.compression,
            "mask": None if entry.mask is None else relative_to(entry.mask, folder),
        }
        rows.append({key: value for key, value in row.items() if value is not None})
    return rows
