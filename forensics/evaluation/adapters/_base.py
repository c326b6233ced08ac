"""What an adapter returns, and safe reading of the lists that come with a set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from forensics.errors import UnreadableInputError
from forensics.evaluation.manifest import Label

GroupBy = Literal["people", "footage"]
VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
MAX_LIST_BYTES = 512 * 2**20
MAX_FILES = 2_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a set.

    Attributes:
        path: Where the file is.
        label: ``real`` or ``fake``.
        footage: Keys of the clips that it shows or was made from, its own first. A fake names its
            sources here, so that it shares their group.
        people: Keys of the people in it or in its sources, as far as the set tells.
        split: The set's own split, or None where its lists do not name the file.
        source: Name of the set and, where there are several, of the compression.
        method: How a fake was made.
        mask: Mask of the manipulation.
        compression: The set's name of it, such as ``c23``.
        clip: The clip's name in the set, for rows that are single frames.
        group: Group that a manifest already states; else None.
    """

    path: Path
    label: Label = field(kw_only=True)
    footage: tuple[str, ...] = field(kw_only=True)
    people: tuple[str, ...] = field(kw_only=True, default=())
    split: str | None = field(kw_only=True, default=None)
    source: str | None = field(kw_only=True, default=None)
    method: str | None = field(kw_only=True, default=None)
    mask: Path | None = field(kw_only=True, default=None)
    compression: str | None = field(kw_only=True, default=None)
    clip: str | None = field(kw_only=True, default=None)
    group: str | None = field(kw_only=True, default=None)

    def __post_init__(self) -> None:
        if not self.footage:
            raise ValueError(f"{self.path}: an entry needs a footage key")


@dataclass(frozen=True, slots=True)
class Found:
    """What an adapter found.

    Attributes:
        entries: In a fixed order.
        warnings: What a person should know: missing lists, splits that overlap.
    """

    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapter:
    """One known layout.

    Attributes:
        name: Name on the command line.
        title: The set's full name.
        layout: What the folder looks like, in a line.
        read: Takes the folder (or file) and a folder that listed paths are relative to, or None.
    """

    name: str
    title: str
    layout: str
    read: Callable[[Path, Path | None], Found]


class LayoutError(UnreadableInputError):
    """The folder does not have the layout of the set."""

    reason = "unknown_layout"


def children(folder: Path) -> list[Path]:
    """Return what lies in ``folder``, sorted, hidden files left out; [] where there is none.

    Raises:
        UnreadableInputError: The folder cannot be read.
    """
    try:
        if not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UnreadableInputError(folder, (error.strerror or "cannot be read").lower()) from error


def clips_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (clip name, file) for what a set keeps of its clips in ``folder``.

    Videos lie in the folder itself or in ``videos/``; extracted pictures in ``frames/CLIP/``.
    """
    for place in (folder, folder / "videos"):
        for path in children(place):
            if path.suffix.lower() in VIDEOS:
                yield path.stem, path
    for clip in children(folder / "frames"):
        for path in pictures_in(clip):
            yield clip.name, path


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures that lie in ``folder``."""
    return [path for path in children(folder) if path.suffix.lower() in PICTURES]


def read_list(path: Path, *, max_bytes: int = MAX_LIST_BYTES) -> str:
    """Read a text file that belongs to a set.

    Raises:
        UnreadableInputError: Missing, larger than ``max_bytes``, or not UTF-8 text.
    """
    try:
        if not path.is_file():
            raise UnreadableInputError(path, "no such file")
        if path.stat().st_size > max_bytes:
            raise UnreadableInputError(path, f"larger than {max_bytes} bytes")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnreadableInputError(path, (error.strerror or "cannot be read").lower()) from error
    except UnicodeDecodeError as error:
        raise UnreadableInputError(path, "not UTF-8 text") from error


def read_json(path: Path, *, max_bytes: int = MAX_LIST_BYTES) -> Any:
    """Read a JSON file that belongs to a set.

    Raises:
        UnreadableInputError: As `read_list`, or not JSON, or nested too deeply.
    """
    try:
        return json.loads(read_list(path, max_bytes=max_bytes))
    except RecursionError as error:
        raise UnreadableInputError(path, "nested too deeply") from error
    except ValueError as error:
        raise UnreadableInputError(path, f"not JSON ({str(error).splitlines()[0]})") from error


def text_of(value: Any) -> str | None:
    """Return a non-empty text or number as text, else None."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        return None
    return str(value)
