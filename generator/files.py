"""Write files so that an interruption never leaves half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from forensics.errors import OutputError, UnreadableInputError


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a hidden file beside ``path``, then put it in place.

    Raises:
        OutputError: Disk full, no permission; the old file is untouched then.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text. Raises `OutputError` as `write_file` does."""
    write_file(path, lambda part: part.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as indented JSON. Raises `OutputError` as `write_file` does."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path, what: str) -> Any:
    """Read JSON.

    Args:
        path: The file.
        what: What it should be, for the error: ``a face set``.

    Raises:
        UnreadableInputError: Missing or malformed.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnreadableInputError(path.parent, f"is not {what}: no {path.name}") from None
    except (OSError, ValueError) as error:
        raise UnreadableInputError(path, f"is not {what} ({error})") from error
