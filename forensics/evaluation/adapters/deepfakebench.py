"""DeepfakeBench's JSON (Yan et al. 2023), in and out.

``{set: {label: {split: {[compression:] {clip: {"label", "frames": [...], "masks": [...]}}}}}}``.
Paths are relative to the benchmark's data folder, which ``--root`` names. A label is real when its
name ends so (``FF-real``, ``CelebDFv2_real``, ``DFDC_Real``).

Two faults of files in circulation are not passed on: a clip that is listed in several splits (DFD
is, in all three) gets none, and clips are kept apart by set, label and compression, never joined
by folder name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

from forensics.errors import UnreadableInputError
from forensics.evaluation.adapters._base import (
    MAX_FILES,
    Adapter,
    Entry,
    Found,
    LayoutError,
    read_json,
)
from forensics.evaluation.adapters.names import origin_of

_NO_SPLIT = "all"
_REAL = re.compile(r"(?:^|[-_\s])real$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Video:
    dataset: str
    label: str
    split: str
    compression: str | None
    name: str
    frames: tuple[str, ...]
    masks: tuple[str, ...]


def _read(file: Path, root: Path | None) -> Found:
    base = root or file.parent
    tree = read_json(file)
    places: dict[tuple[str, ...], set[str]] = {}
    entries: list[Entry] = []
    for video in _videos(file, tree):
        real = _is_real(video.label)
        origin = origin_of(video.name, f"{video.dataset}:{video.label}/{video.name}")
        key = (video.dataset, video.label, video.compression or "", video.name)
        again = key in places
        places.setdefault(key, set()).add(video.split)
        if again:
            continue
        for number, frame in enumerate(video.frames):
            masked = not real and len(video.masks) == len(video.frames)
            entries.append(
                Entry(
                    base / _relative(file, frame),
                    label="real" if real else "fake",
                    footage=origin.footage,
                    people=origin.people,
                    split=video.split,
                    source=" ".join(filter(None, (video.dataset, video.compression))),
                    method=None if real else video.label,
                    mask=base / _relative(file, video.masks[number]) if masked else None,
                    compression=video.compression,
                    clip="/".join(filter(None, key)),
                )
            )
        if len(entries) > MAX_FILES:
            raise UnreadableInputError(file, f"more than {MAX_FILES} frames")
    if not entries:
        raise LayoutError(file, "no clip with frames in it")
    torn = {"/".join(filter(None, key)) for key, splits in places.items() if len(splits) > 1}
    entries = [replace(e, split=None) if e.clip in torn else e for e in entries]
    warning = f"{len(torn)} clips are listed in several splits: they are left without one"
    return Found(tuple(entries), (warning,) if torn else ())


def _is_real(label: str) -> bool:
    return _REAL.search(label) is not None


def _videos(file: Path, tree: Any) -> Iterator[_Video]:
    for dataset, labels in _items(file, tree, "the file"):
        for label, splits in _items(file, labels, dataset):
            for split, clips in _items(file, splits, label):
                for name, value in _items(file, clips, split):
                    if _is_video(value):
                        yield _video(file, dataset, label, split, None, name, value)
                        continue
                    for inner, deeper in _items(file, value, name):
                        if not _is_video(deeper):
                            raise UnreadableInputError(file, f"{inner}: no list of frames")
                        yield _video(file, dataset, label, split, name, inner, deeper)


def _items(file: Path, value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise UnreadableInputError(file, f"{name}: expected an object")
    yield from value.items()


def _is_video(value: Any) -> bool:
    return isinstance(value, dict) and "frames" in value and not isinstance(value["frames"], dict)


def _video(
    file: Path, dataset: str, label: str, split: str, compression: str | None, name: str,
    value: Mapping[str, Any],
) -> _Video:  # fmt: skip
    lists = []
    for key in ("frames", "masks"):
        paths = value.get(key) or []
        if not isinstance(paths, list) or not all(isinstance(p, str) and p for p in paths):
            raise UnreadableInputError(file, f"{name}: {key} must be a list of paths")
        lists.append(tuple(sorted(paths)))
    return _Video(dataset, label, split, compression, name, *lists)


def _relative(file: Path, written: str) -> Path:
    # Files written on Windows have backslashes.
    path = Path(PureWindowsPath(written).as_posix() if "\\" in written else written)
    if "\0" in written:
        raise UnreadableInputError(file, "a path holds a zero byte")
    return path


def deepfakebench_tree(
    name: str, entries: Sequence[Entry], paths: Sequence[str], masks: Sequence[str | None]
) -> dict[str, Any]:
    """Arrange entries as DeepfakeBench's JSON.

    Args:
        name: Name of the set.
        entries: What to arrange; those of one clip become one list of frames.
        paths: The path to write for each entry.
        masks: The mask's path to write for each entry, or None.

    Returns:
        The JSON value. Entries without a split come under ``all``. Clips of different methods or
        compressions never share a key, whatever their names.
    """
    tree: dict[str, Any] = {}
    for entry, path, mask in zip(entries, paths, masks, strict=True):
        label = f"{name}_{'Real' if entry.label == 'real' else entry.method or 'fake'}"
        if entry.label == "fake" and _is_real(label):
            label += "_fake"  # a method's name must not turn its clips real
        place = tree.setdefault(label, {}).setdefault(entry.split or _NO_SPLIT, {})
        if entry.compression:
            place = place.setdefault(entry.compression, {})
        clip = place.setdefault(entry.clip or path, {"label": label, "frames": [], "masks": []})
        clip["frames"].append(path)
        if mask is not None:
            clip["masks"].append(mask)
    return {name: tree}


DEEPFAKEBENCH = Adapter(
    "deepfakebench", "DeepfakeBench JSON", "a JSON file; --root names the data folder", _read
)
