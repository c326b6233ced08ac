"""DFDC and its preview (Dolhansky et al. 2019, 2020).

DFDC: every folder with a ``metadata.json`` (``dfdc_train_part_N``: label, original, split) or a
``labels.csv`` (``filename,label``; clips beside it or in ``videos``). Folders are looked for two
levels deep. A file that names no original stands alone: the released test labels do not say which
clips share actors, so its groups cannot show that.

Preview: ``dataset.json`` (label, set, target_id, swapped_id) with ``original_videos`` and
``method_*``; the person in a clip is the folder's number, which comes with the target and swapped
ids where the list has them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forensics.errors import UnreadableInputError
from forensics.evaluation.adapters._base import (
    Adapter,
    Entry,
    Found,
    LayoutError,
    children,
    read_json,
    read_list,
    text_of,
)
from forensics.evaluation.manifest import Label

_LABELS: dict[str, Label] = {
    "real": "real", "fake": "fake", "0": "real", "1": "fake", "0.0": "real", "1.0": "fake",
}  # fmt: skip
_FOLDER_SPLITS = {"train": "train", "valid": "val", "val": "val", "test": "test"}
_DEPTH = 2


def _label(path: Path, name: str, value: Any) -> Label:
    label = _LABELS.get(str(value).strip().casefold())
    if label is None:
        raise UnreadableInputError(path, f"{name}: label must be REAL or FAKE, got {value!r}")
    return label


def _folder_split(folder: Path) -> str | None:
    name = folder.name.casefold()
    return next((split for part, split in _FOLDER_SPLITS.items() if part in name), None)


def _folders(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    yield folder
    if depth:
        for child in children(folder):
            if child.is_dir():
                yield from _folders(child, depth - 1)


def _place(folder: Path, name: str) -> Path:
    """Return where a listed clip is; beside the list where it is nowhere."""
    inside = folder / "videos" / name
    return inside if inside.is_file() else folder / name


def _safe(path: Path, name: str) -> str:
    if not name or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise UnreadableInputError(path, f"not a file name: {name!r}")
    return name


def _read_dfdc(folder: Path, root: Path | None) -> Found:
    entries: list[Entry] = []
    for place in _folders(folder):
        if (place / "metadata.json").is_file():
            entries += _metadata(place / "metadata.json")
        elif (place / "labels.csv").is_file():
            entries += _labels(place / "labels.csv")
    if not entries:
        raise LayoutError(folder, "no metadata.json or labels.csv in it or two levels below")
    alone = sum(e.split == "test" and len(e.footage) == 1 for e in entries)
    warnings = (f"{alone} test clips name no original: their groups are single clips",)
    return Found(tuple(entries), warnings if alone else ())


def _metadata(path: Path) -> Iterator[Entry]:
    table = read_json(path)
    if not isinstance(table, dict):
        raise UnreadableInputError(path, "not an object of file names")
    for name, facts in sorted(table.items()):
        if not isinstance(facts, dict):
            raise UnreadableInputError(path, f"{name}: not an object")
        stated = facts.get("label", facts.get("is_fake"))
        original = text_of(facts.get("original"))
        yield Entry(
            _place(path.parent, _safe(path, name)),
            label=_label(path, name, stated),
            footage=tuple(f"dfdc:{Path(n).stem}" for n in (name, original) if n),
            split=text_of(facts.get("split")) or _folder_split(path.parent),
            source="DFDC",
            method="DFDC" if _label(path, name, stated) == "fake" else None,
            clip=Path(name).stem,
        )


def _labels(path: Path) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(read_list(path)))
    if not {"filename", "label"} <= set(rows.fieldnames or ()):
        raise UnreadableInputError(path, "the first line must name the columns filename and label")
    try:
        for row in rows:
            name = _safe(path, (row["filename"] or "").strip())
            label = _label(path, name, row["label"])
            yield Entry(
                _place(path.parent, name),
                label=label,
                footage=(f"dfdc:{Path(name).stem}",),
                split=_folder_split(path.parent) or "test",
                source="DFDC",
                method="DFDC" if label == "fake" else None,
                clip=Path(name).stem,
            )
    except csv.Error as error:
        raise UnreadableInputError(path, f"not CSV ({error})") from error


def _read_preview(folder: Path, root: Path | None) -> Found:
    path = folder / "dataset.json"
    if not path.is_file():
        raise LayoutError(folder, "no dataset.json")
    table = read_json(path)
    if not isinstance(table, dict) or not all(isinstance(v, dict) for v in table.values()):
        raise UnreadableInputError(path, "not an object of clips")
    entries = []
    for name, facts in sorted(table.items()):
        parts = Path(_safe(path, name)).parts
        label = _label(path, name, facts.get("label"))
        ids = [text_of(facts.get(key)) for key in ("target_id", "swapped_id")]
        people = [parts[1] if len(parts) > 2 else None, *ids]
        # A swap keeps the name of its target's clip: both are footage of the same recording.
        entries.append(
            Entry(
                _preview_place(folder, parts),
                label=label,
                footage=(f"dfdcp:{parts[1] if len(parts) > 2 else ''}/{Path(name).stem}",),
                people=tuple(dict.fromkeys(f"dfdcp:{p}" for p in people if p)),
                split=text_of(facts.get("set")),
                source="DFDC preview",
                method=parts[0] if label == "fake" else None,
                clip=Path(name).stem,
            )
        )
    if not entries:
        raise LayoutError(folder, "dataset.json names no clip")
    return Found(tuple(entries))


def _preview_place(folder: Path, parts: tuple[str, ...]) -> Path:
    inside = folder.joinpath(parts[0], "videos", *parts[1:])
    return inside if inside.is_file() else folder.joinpath(*parts)


DFDC = Adapter(
    "dfdc", "DFDC", "dfdc_train_part_N/metadata.json, test/labels.csv with test/videos", _read_dfdc
)
DFDC_PREVIEW = Adapter(
    "dfdc-preview", "DFDC preview", "dataset.json, original_videos, method_A, method_B",
    _read_preview,
)  # fmt: skip
