"""All texts that a file carries, whatever its kind: one call, told by the first bytes."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from forensics.container.boxes import looks_like_boxes, read_boxes
from forensics.container.exif import Exif, read_exif
from forensics.container.history import SCANNED, ContainerHistory, find_encoders, read_history
from forensics.container.matroska import looks_like_matroska, read_matroska
from forensics.container.packets import Packets, read_packets
from forensics.container.riff import looks_like_riff, read_riff
from forensics.container.still import looks_like_jpeg, looks_like_png, read_jpeg, read_png
from forensics.container.tags import Tag, read_tags
from forensics.container.xmp_packet import find_packet
from forensics.errors import UnreadableInputError


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file carries beside its pictures.

    Attributes:
        kind: ``mp4``, ``matroska``, ``riff``, ``jpeg``, ``png``, or ``unknown``.
        tags: Texts as (site, name, text); an XMP packet is named ``xmp``.
        exif: Of pictures; empty fields where there is none.
        history: How the container was written.
        packets: Sizes of the coded pictures, where the container has a table of them.
        problems: Codes of what was malformed.
    """

    kind: str
    tags: tuple[Tag, ...] = field(kw_only=True, default=())
    exif: Exif = field(kw_only=True, default_factory=Exif)
    history: ContainerHistory = field(kw_only=True, default_factory=ContainerHistory)
    packets: Packets = field(kw_only=True, default_factory=Packets, repr=False)
    problems: tuple[str, ...] = field(kw_only=True, default=())


def read_carried(path: Path | str) -> Carried:
    """Read every text of a file, within the caps of its kind's parser.

    The kind is told by the first bytes: a name can lie.

    Raises:
        UnreadableInputError: The file cannot be opened. Malformed content only gives problems.
    """
    source = Path(path)
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its writer for ever
            raise UnreadableInputError(source, "is not a regular file")
        size = status.st_size
        with source.open("rb") as file:
            head = file.read(12)
            for looks, kind, reader in _KINDS:
                if looks(head):
                    return reader(file, size, kind)
            packet = find_packet(file, size)
    except OSError as error:
        raise UnreadableInputError(source, f"cannot be read: {error.strerror or error}") from error
    return Carried("unknown", tags=() if packet is None else (("packet", "xmp", packet),))


def _boxes(file: BinaryIO, size: int, kind: str) -> Carried:
    tree = read_boxes(file, size)
    found = read_tags(file, tree)
    full = ("too_many",) if found.full else ()
    return Carried(
        kind, tags=tuple(found.tags), history=read_history(file, tree, found.tags),
        packets=read_packets(file, tree), problems=tuple(dict.fromkeys((*tree.problems, *full))),
    )  # fmt: skip


def _matroska(file: BinaryIO, size: int, kind: str) -> Carried:
    found, problems = read_matroska(file, size)
    history = _flat(file, found.tags, problems)
    return Carried(kind, tags=tuple(found.tags), history=history, problems=problems)


def _riff(file: BinaryIO, size: int, kind: str) -> Carried:
    found, exif, problems = read_riff(file, size)
    return Carried(
        kind, tags=tuple(found.tags), exif=read_exif(exif),
        history=_flat(file, found.tags, problems), problems=problems,
    )  # fmt: skip


def _jpeg(file: BinaryIO, size: int, kind: str) -> Carried:
    found, exif, problems = read_jpeg(file, size)
    return Carried(kind, tags=tuple(found.tags), exif=read_exif(exif), problems=problems)


def _png(file: BinaryIO, size: int, kind: str) -> Carried:
    found, exif, problems = read_png(file, size)
    return Carried(kind, tags=tuple(found.tags), exif=read_exif(exif), problems=problems)


def _flat(file: BinaryIO, tags: list[Tag], problems: tuple[str, ...]) -> ContainerHistory:
    """Return the history of a container without a box tree: what wrote it, what encoded it."""
    file.seek(0)
    writers = [text for _, name, text in tags if name.lower() in ("encoder", "isft") and text]
    return ContainerHistory(
        writers=tuple(dict.fromkeys(writers)), encoders=find_encoders(file.read(SCANNED)),
        problems=problems,
    )  # fmt: skip


_KINDS: tuple[
    tuple[Callable[[bytes], bool], str, Callable[[BinaryIO, int, str], Carried]], ...
] = (
    (looks_like_boxes, "mp4", _boxes),
    (looks_like_matroska, "matroska", _matroska),
    (looks_like_riff, "riff", _riff),
    (looks_like_jpeg, "jpeg", _jpeg),
    (looks_like_png, "png", _png),
)
