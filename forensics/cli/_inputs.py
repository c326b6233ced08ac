"""Which files a scan is about: named files as they are, folders walked for media."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Without .ts: in most folders that is source code, and a transport stream has a signature.
_SUFFIXES = (
    ".3g2 .3gp .asf .avi .avif .bmp .flv .gif .heic .heif .jpeg .jpg .jxl .m2ts .m4v .mkv .mov "
    ".mp4 .mpeg .mpg .mxf .ogv .png .tif .tiff .vob .webm .webp .wmv .y4m"
)
MEDIA_SUFFIXES = frozenset(_SUFFIXES.split())

_HEAD_BYTES = 192

# What files carry whatever they are called: bytes at offsets, all of which must be there.
_SIGNATURES: tuple[tuple[tuple[int, bytes], ...], ...] = (
    ((0, b"\xff\xd8\xff"),),
    ((0, b"\x89PNG\r\n\x1a\n"),),
    ((0, b"GIF8"),),
    ((0, b"II*\x00"),),
    ((0, b"MM\x00*"),),
    ((0, b"\x1aE\xdf\xa3"),),
    ((0, b"FLV\x01"),),
    ((0, b"OggS"),),
    ((0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),),
    ((0, b"\x00\x00\x01\xba"),),
    ((0, b"YUV4MPEG2"),),
    ((0, b"G"), (188, b"G")),
    ((4, b"ftyp"),),
    ((4, b"moov"),),
    ((4, b"mdat"),),
    ((4, b"moof"),),
    ((0, b"RIFF"), (8, b"AVI ")),
    ((0, b"RIFF"), (8, b"WEBP")),
)


@dataclass(slots=True)
class Inputs:
    """What was found under the given paths.

    Attributes:
        files: Files to scan, in a stable order, each once. Missing files stay in.
        empty_folders: Given folders that hold no media, with the number of other files in each.
        skipped: Number of files in folders that are no media.
        problems: One line for each folder that could not be listed.
    """

    files: list[Path] = field(default_factory=list)
    empty_folders: list[tuple[Path, int]] = field(default_factory=list)
    skipped: int = 0
    problems: list[str] = field(default_factory=list)


def looks_like_media(path: Path) -> bool:
    """Tell by name or by first bytes whether a file is worth a record.

    A media name with other content counts, as does media content under another name; a file
    that cannot be read counts as well, because nobody can say that it is no media.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        if path.suffix.lower() in MEDIA_SUFFIXES:
            return True
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return True
    return any(
        all(head.startswith(mark, offset) for offset, mark in marks) for marks in _SIGNATURES
    )


def _walk(folder: Path, on_problem: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield the files under ``folder`` in a stable order; linked folders are not entered."""
    for root, folders, names in os.walk(folder, onerror=on_problem):
        folders.sort()
        for name in sorted(names):
            yield Path(root, name)


def find_inputs(paths: Iterable[Path]) -> Inputs:
    """Resolve command-line paths into files to scan."""
    found = Inputs()
    files: dict[Path, None] = {}

    def note(error: OSError) -> None:
        found.problems.append(f"{error.filename}: cannot list folder: {error.strerror}")

    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        media, others = 0, 0
        for file in _walk(path, note):
            if looks_like_media(file):
                media += 1
                files[file] = None
            else:
                others += 1
        found.skipped += others
        if not media:
            found.empty_folders.append((path, others))
    found.files = list(files)
    return found
