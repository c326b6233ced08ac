"""Digest and size of a file, also of one that no decoder can open."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import Any

from forensics.errors import UnreadableInputError
from forensics.media.limits import Limits

_BLOCK = 1 << 20


def identify(path: Path, max_bytes: int = Limits().max_bytes) -> dict[str, Any]:
    """Return digest and size of a file, JSON-ready.

    Raises:
        UnreadableInputError: Missing, empty, no file, too large or not readable.
    """
    try:
        if path.is_dir():
            raise UnreadableInputError(path, "is a folder")
        status = path.stat()
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableInputError(path, "is not a regular file")
        if size == 0:
            raise UnreadableInputError(path, "is empty")
        if size > max_bytes:
            raise UnreadableInputError(path, f"has {size} bytes, the limit is {max_bytes}")
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or type(error).__name__
        raise UnreadableInputError(path, f"cannot be read: {cause}") from error
    return {"sha256": digest.hexdigest(), "bytes": size}
