"""The contract of an engine: files and a job in, one record a file out, whatever happens."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from forensics import __version__
from forensics.engines.identify import identify
from forensics.engines.options import ScanOptions
from forensics.errors import UnreadableInputError, UsageError, printable
from forensics.media.limits import Limits
from forensics.provenance.facts import TrustAnchors
from forensics.report.model import report_to_dict
from forensics.types import Report, Verdict

MAX_ATTEMPTS = 2  # a file that killed a worker twice is not given a third one

WORKER_ENV = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Workers share the cores among themselves, so one has few threads; with an arena for each of those
that come and go (glibc), memory would grow for hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanJob:
    """Everything that a worker has to know. It travels as JSON; pixels never travel.

    Attributes:
        options: What a scan does.
        anchors: Certificates that the user trusts.
        stop_when_declared: Do not look at the pictures of a file whose own marks, unbroken, say
            that it is synthetic.
        looks: Compute perceptual hashes.
        patience: Seconds without a sign of life after which a worker counts as hung.
    """

    options: ScanOptions = field(default_factory=ScanOptions)
    anchors: TrustAnchors | None = None
    stop_when_declared: bool = False
    looks: bool = True
    patience: float = 180.0

    def __post_init__(self) -> None:
        if not self.patience > 0:
            raise UsageError(f"patience must be above 0 seconds, got {self.patience}")

    def to_json(self) -> dict[str, Any]:
        """Return the job as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ScanJob:
        """Rebuild a job from `to_json`."""
        given = dict(data)
        anchors = given.pop("anchors")
        return cls(
            options=options_from(given.pop("options")),
            anchors=None if anchors is None else TrustAnchors(**anchors),
            **given,
        )

    @property
    def config(self) -> str:
        """Digest of what was asked for: the same on every version of the program."""
        asked = {
            "options": self.options.resolved(),
            "anchors": None if self.anchors is None else self.anchors.sha256,
            "stop_when_declared": self.stop_when_declared,
        }
        return _digest(asked)

    def digest(self, weights: str) -> str:
        """Digest of all that fixes a report: options, weights, calibration, program version."""
        from forensics.verdict.calibration import read_calibration

        fixed = [self.config, weights, __version__, asdict(read_calibration())]
        return _digest(fixed)


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one file.

    Attributes:
        path: As it was given.
        report: The report in its JSON form.
        seconds: Wall time of the scan.
        attempts: 2 when a worker died over it once.
        looks: Perceptual hashes in hex, joined by spaces, or None.
    """

    path: Path
    report: dict[str, Any] = field(repr=False)
    seconds: float = field(kw_only=True, default=0.0)
    attempts: int = field(kw_only=True, default=1)
    looks: str | None = field(kw_only=True, default=None)


class Engine(Protocol):
    """Runs a job over files. Engines keep their workers between two calls of `map`."""

    def map(self, paths: Iterable[Path], job: ScanJob) -> Iterator[Record]:
        """Yield one record a file, in any order; nothing that a file does raises.

        ``paths`` is read as work is taken up, so it may be long, and may end early.

        Raises:
            ForensicsError: The job itself cannot be carried out (a missing model, a bad name).
        """

    def close(self) -> None:
        """End all workers."""


def options_from(data: Mapping[str, Any]) -> ScanOptions:
    """Rebuild options from `ScanOptions.resolved`, as they came through JSON."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    given["limits"] = Limits(**data["limits"])
    return ScanOptions(**given)


def weights_of(options: ScanOptions) -> str:
    """Return which detectors a scan would use now, as the store writes it.

    Raises:
        UsageError: There is no such detector.
        ModelMissingError: Its weights are missing.
    """
    from forensics.detectors import detector_info, list_detectors

    names = options.detectors or tuple(list_detectors(default=True))
    cards = {name: detector_info(name).card for name in names}
    return " ".join(f"{n}:{card['sha256'][:12]}" for n, card in sorted(cards.items()) if card)


def failed(path: Path, cause: str, *reasons: str, attempts: int = 1) -> Record:
    """Return the record of a file that could not be examined; its digest is taken if possible."""
    report = failed_report(path, cause, *reasons)
    return Record(path, report_to_dict(report), attempts=attempts)


def failed_report(path: Path, cause: str, *reasons: str) -> Report:
    """Return the report in such a record."""
    environment: dict[str, Any] = {}
    with suppress(UnreadableInputError):
        environment["file"] = identify(path)
    return Report(
        path,
        clip=None,
        verdict=Verdict("inconclusive", reasons=tuple(dict.fromkeys(reasons))),
        environment=environment,
        error=f"{printable(path)}: {cause}",
    )


def crashed(path: Path, cause: str, attempts: int) -> Record:
    """Return the record of a file over which workers died or hung."""
    return failed(path, cause, "unreadable", "worker_crashed", attempts=attempts)


def path_to_text(path: Path) -> str:
    """Return a path for a message: every byte of it survives."""
    return os.fsencode(path).hex()


def path_from_text(text: str) -> Path:
    """Undo `path_to_text`."""
    return Path(os.fsdecode(bytes.fromhex(text)))


def record_to_json(record: Record) -> dict[str, Any]:
    """Return a record for a message."""
    return {
        "report": record.report, "seconds": record.seconds, "looks": record.looks,
    }  # fmt: skip


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
