"""Which files a batch is about: named, listed, of one shard, or scanned with older weights."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cli._failures import one_line
from forensics.errors import UnreadableInputError, UsageError

if TYPE_CHECKING:
    from forensics.batch import Batch, Recorder


def finder(
    paths: list[Path],
    list_file: Path | None,
    known: list[Path],
    part: tuple[int, int] | None,
    say: Callable[[str], None],
) -> Callable[[], list[Path]]:
    """Return what finds the files of this run.

    Args:
        paths: Named files and folders.
        list_file: Names more, one a line.
        known: Files that an option chose out of the store.
        part: Number and count of shards.
        say: Takes one line for a person.

    Raises:
        UnreadableInputError: The list cannot be read.
    """
    from forensics.batch.plan import in_shard
    from forensics.cli._inputs import find_inputs

    told: set[str] = set()

    def tell(line: str) -> None:
        if line not in told:
            told.add(line)
            say(one_line(line))

    listed = [] if list_file is None else _read_list(list_file)

    def find() -> list[Path]:
        found = find_inputs([*paths, *listed])
        for line in found.problems:
            tell(f"warning: {line}")
        for folder, _ in found.empty_folders:
            tell(f"warning: {folder}: no media file in this folder")
        if found.skipped:
            many = found.skipped > 1
            tell(f"skipped {found.skipped} {'files that are' if many else 'file that is'} no media")
        files = [*found.files, *known]
        return files if part is None else [file for file in files if in_shard(file, *part)]

    return find


def _read_list(file: Path) -> list[Path]:
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UnreadableInputError(file, (error.strerror or "cannot be read").lower()) from error
    lines = [line.removesuffix(b"\r") for line in raw.split(b"\n")]
    if b"\0" in raw:
        raise UnreadableInputError(file, "holds no list of paths, one a line")
    return [Path(os.fsdecode(line)) for line in lines if line]


def chosen_again(
    recorder: Recorder, batch: Batch, rescan: bool, older_than: str | None
) -> tuple[Any, list[Path]]:
    """Return which cases to scan once more, and the files of those that an option chose.

    Raises:
        UsageError: There are no such weights.
    """
    if older_than is None:
        return (None if rescan else ()), []
    from forensics.store import Filter

    store, weights = recorder.store, batch.weights
    if older_than != "current":
        weights, start = (digest_start(older_than), f":{digest_start(older_than)}")
        if start not in batch.weights and not store.find(Filter(weights=start), limit=1).total:
            raise UsageError(
                "--rescan-older-than: nothing was scanned with weights whose digest starts with "
                f"{older_than!r}, and they are not the current ones"
            )
    cases = store.older_weights(weights)
    return {case.id for case in cases}, [case.file for case in cases if case.place]


def digest_start(text: str) -> str:
    """Return as much of the digest of weights as a store keeps."""
    return text[:12] if re.fullmatch(r"[0-9a-f]{13,64}", text) else text


def read_shard(text: str | None) -> tuple[int, int] | None:
    """Return number and count out of ``i/n``.

    Raises:
        UsageError: It is not of this form.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard must be i/n with 1 <= i <= n, got {text!r}")
    return int(match[1]), int(match[2])
