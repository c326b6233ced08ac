"""Whether browsers can usually play an upload; when one cannot, it asks for the preview."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CODECS = {
    "mp4": frozenset({"h264", "av1", "vp9"}),
    "webm": frozenset({"vp8", "vp9", "av1"}),
}
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
)


def media_type(head: bytes) -> str | None:
    """Return the type under which these first bytes may be shown in place; None for all others.

    The type follows from the content, never from a name, and is always one of pictures or video:
    nothing that was uploaded is ever served as a page or a script.
    """
    for offset, magic, kind in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return kind
    return None


def playable(media: Path | None, report: Mapping[str, Any]) -> bool:
    """Tell from the report whether a browser probably plays a file itself."""
    if media is None or not report:
        return False
    file = report["file"]
    with media.open("rb") as stream:
        kind = media_type(stream.read(16))
    if kind is None:
        return False
    if file["kind"] == "image":
        return kind.startswith("image/")
    return file["codec"] in _CODECS.get(kind.partition("/")[2], frozenset())
