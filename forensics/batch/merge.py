"""Bring the results of shards, or records that could not be stored, into one store."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forensics.errors import UnreadableInputError
from forensics.store import Case, Store
from forensics.store.cases import now, path_id

_MAX_LINE = 64 << 20


@dataclass(slots=True)
class Merged:
    """What a merge did.

    Attributes:
        added: Records that are new or newer than those in the store.
        known: Records that the store had.
        unfinished: Cases without a record, in all sources.
    """

    added: int = 0
    known: int = 0
    unfinished: int = 0


def merge_store(source: Store, target: Store, merged: Merged) -> None:
    """Copy every case of another store that is newer than what is known."""
    for case in source.each():
        held = target.case(case.id)
        if case.finished is None:
            target.add([case])
            merged.unfinished += 1
            continue
        if held is not None and held.finished is not None and held.finished >= case.finished:
            merged.known += 1
            continue
        target.add([replace(case, state="queued", near=None, near_distance=None, same_stream=None)])
        _copy_scans(source, target, case)
        have = {(r.reviewer, r.time) for r in target.reviews(case.id)}
        for review in source.reviews(case.id):
            if (review.reviewer, review.time) not in have:
                target.add_review(case.id, review, decision=case.decision, reviews=case.reviews)
        merged.added += 1


def _copy_scans(source: Store, target: Store, case: Case) -> None:
    known = {scan.finished for scan in target.scans(case.id)}
    looks = source.looks(case.sha256)
    for scan in source.scans(case.id):
        if scan.finished in known:
            continue
        target.finish(
            case.id, json.loads(scan.report), seconds=scan.seconds, attempts=scan.attempts,
            looks=looks, job=scan.job, lasting=scan.lasting, finished=scan.finished,
            config=scan.config, weights=scan.weights, bytes=case.bytes, mtime=case.mtime,
            options=case.options, same_as=case.same_as, record_sha256=case.record_sha256,
            pictures=case.pictures, near=None, near_distance=None, same_stream=None,
        )  # fmt: skip


def merge_lines(path: Path, target: Store, merged: Merged) -> None:
    """Enter JSON Lines: records that a batch could not store, or reports of ``forensics scan``.

    Raises:
        UnreadableInputError: The file, or a line of it, cannot be read.
    """
    for number, line in _lines(path):
        try:
            case, report, values = _entry(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            cause = f"line {number} is no record of a batch and no report ({error})"
            raise UnreadableInputError(path, " ".join(cause.split())) from None
        held = target.case(case.id)
        if held is not None and held.finished and held.finished >= values["finished"]:
            merged.known += 1
            continue
        target.add([case])
        target.finish(case.id, report, **values)
        merged.added += 1


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_MAX_LINE + 1):
                number += 1
                if len(line) > _MAX_LINE:
                    raise UnreadableInputError(path, f"line {number} is too long")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UnreadableInputError(path, (error.strerror or "cannot be read").lower()) from error


def _entry(data: Mapping[str, Any]) -> tuple[Case, Mapping[str, Any], dict[str, Any]]:
    """Return what `Store.add` and `Store.finish` need."""
    if "case" in data:
        given = dict(data["case"])
        given["created"] = dt.datetime.fromisoformat(given["created"])
        values = dict(data["values"])
        values["finished"] = dt.datetime.fromisoformat(values["finished"])
        return Case(**given), data["report"], values
    file = data["file"]
    place = file.get("path_bytes_hex")
    path = Path(os.fsdecode(bytes.fromhex(place)) if place else file["path"])
    config = data["environment"].get("config_sha256") or ""
    case = Case(
        path_id(path), path=file["path"], place=os.fsencode(path.absolute()).hex(),
        bytes=file["bytes"],
    )  # fmt: skip
    data["verdict"]["label"], data["tracks"], data["evidence"], data["findings"]
    return case, data, {"finished": now(), "config": config}
