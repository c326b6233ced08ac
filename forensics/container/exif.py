"""The few EXIF fields that matter here: the user comment, and what camera is claimed."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_ENTRIES = 500
_MAX_TEXT = 64 * 1024
_MAKE, _MODEL, _SOFTWARE, _EXIF_IFD = 0x010F, 0x0110, 0x0131, 0x8769
_USER_COMMENT, _TAKEN = 0x9286, 0x9003
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 9: 4}


@dataclass(frozen=True, slots=True)
class Exif:
    """What an EXIF block says.

    Attributes:
        comment: User comment, its character code removed.
        camera: Maker and model.
        software: Program that wrote the file.
        taken: Time of the picture as written, without a time zone.
    """

    comment: str = ""
    camera: str = ""
    software: str = ""
    taken: str = ""


def read_exif(block: bytes) -> Exif:
    """Read an EXIF block (a TIFF structure, TIFF 6.0); malformed parts are left out."""
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(block[:4])
    if order is None:
        return Exif()
    fields = _directory(block, _number(block, 4, 4, order), order)
    pointer = fields.get(_EXIF_IFD, b"")
    inner = _directory(block, _number(pointer, 0, 4, order), order) if len(pointer) >= 4 else {}
    comment = inner.get(_USER_COMMENT, b"")
    for code in (b"ASCII\0\0\0", b"UNICODE\0", b"\0" * 8):
        comment = comment.removeprefix(code)
    camera = f"{_text(fields.get(_MAKE, b''))} {_text(fields.get(_MODEL, b''))}".strip()
    return Exif(
        comment=_text(comment),
        camera=camera,
        software=_text(fields.get(_SOFTWARE, b"")),
        taken=_text(inner.get(_TAKEN, b"")),
    )


def _directory(block: bytes, at: int, order: str) -> dict[int, bytes]:
    """Return the values of one directory by tag, each at most 64 KiB."""
    count = min(_number(block, at, 2, order), _MAX_ENTRIES)
    found = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if entry + 12 > len(block):
            break
        tag, kind = _number(block, entry, 2, order), _number(block, entry + 2, 2, order)
        length = _SIZES.get(kind, 0) * _number(block, entry + 4, 4, order)
        if not 0 < length <= _MAX_TEXT:
            continue
        place = entry + 8 if length <= 4 else _number(block, entry + 8, 4, order)
        found[tag] = block[place : place + length]
    return found


def _number(data: bytes, at: int, width: int, order: str) -> int:
    return int.from_bytes(data[at : at + width], "little" if order == "little" else "big")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip("\0 ")
