"""What the store gives and takes: plain frozen records, free of any database."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DAY = 86_400


def now() -> dt.datetime:
    """Return the time in UTC."""
    return dt.datetime.now(dt.timezone.utc)


def path_id(path: Path | str) -> str:
    """Return the id of the case of a file in a batch: a digest of its absolute path.

    The same path gives the same id on every run and every machine, so that a batch that was
    stopped goes on, and shards cannot double a file.
    """
    return hashlib.sha256(os.fsencode(Path(path).absolute())).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Case:
    """One file that was or will be examined, and what is known of it now.

    Attributes:
        id: 32 hex digits: random for an upload, `path_id` in a batch.
        path: As it was given, printable.
        place: Absolute path in hex of its bytes, where the file can be found again; "" if unknown.
        bytes: Size; None when unknown.
        mtime: Modification time, nanoseconds; None when unknown.
        created: When it was entered, UTC.
        options: Options of its scan, JSON-ready.
        config: Digest of these options.
        state: ``queued``, ``running`` or ``done``.
        finished: When its latest scan ended, UTC.
        seconds: How long that took.
        sha256: Of the content.
        verdict: Label of the latest scan.
        probability: Of manipulation.
        low: Lower end of its 95 % interval.
        high: Upper end.
        llr: Natural-log likelihood ratio.
        score: Largest crop score of any face, 0..1.
        reasons: Codes of the verdict.
        error: Why the file could not be examined.
        declaration: What the file says of itself.
        weights: Detectors and the start of their weights' digests, such as ``blend:0a1b2c3d4e5f``.
        same_as: Id of the case with the same bytes whose report was taken over.
        near: Id of an earlier case that looks the same, by perceptual hash.
        near_distance: Bits in which they differ, of 256.
        same_stream: Id of an earlier case with the same coded pictures, by the sizes of their
            packets, in a file of other bytes.
        decision: What reviewers decided; ``open`` at first.
        reviews: Number of reviews.
        pictures: What each evidence picture shows.
        record_sha256: Digest of the report as it was sealed.
        number: Order of entry; set by the store.
    """

    id: str
    path: str = field(kw_only=True)
    place: str = field(kw_only=True, default="")
    bytes: int | None = field(kw_only=True, default=None)
    mtime: int | None = field(kw_only=True, default=None)
    created: dt.datetime = field(kw_only=True, default_factory=now)
    options: Mapping[str, Any] = field(kw_only=True, default_factory=dict)
    config: str = field(kw_only=True, default="")
    state: str = field(kw_only=True, default="queued")
    finished: dt.datetime | None = field(kw_only=True, default=None)
    seconds: float | None = field(kw_only=True, default=None)
    sha256: str | None = field(kw_only=True, default=None)
    verdict: str | None = field(kw_only=True, default=None)
    probability: float | None = field(kw_only=True, default=None)
    low: float | None = field(kw_only=True, default=None)
    high: float | None = field(kw_only=True, default=None)
    llr: float | None = field(kw_only=True, default=None)
    score: float | None = field(kw_only=True, default=None)
    reasons: tuple[str, ...] = field(kw_only=True, default=())
    error: str | None = field(kw_only=True, default=None)
    declaration: str | None = field(kw_only=True, default=None)
    weights: str = field(kw_only=True, default="")
    same_as: str | None = field(kw_only=True, default=None)
    near: str | None = field(kw_only=True, default=None)
    near_distance: int | None = field(kw_only=True, default=None)
    same_stream: str | None = field(kw_only=True, default=None)
    decision: str = field(kw_only=True, default="open")
    reviews: int = field(kw_only=True, default=0)
    pictures: Sequence[Mapping[str, Any]] = field(kw_only=True, default=())
    record_sha256: str | None = field(kw_only=True, default=None)
    number: int = field(kw_only=True, default=0)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def file(self) -> Path:
        """Where the file lies."""
        return Path(os.fsdecode(bytes.fromhex(self.place))) if self.place else Path(self.path)


@dataclass(frozen=True, slots=True)
class Review:
    """One review: who said what, why and when (UTC)."""

    reviewer: str
    opinion: str
    note: str
    time: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One examination of a case.

    Attributes:
        finished: When it ended, UTC.
        seconds: How long it took.
        config: Digest of its options.
        job: Digest of all that fixes its report.
        weights: As in `Case`.
        attempts: 1, or 2 when a worker died over it.
        lasting: Whether the same bytes would give the same report.
        verdict: Its label.
        probability: Of manipulation.
        report: The report as JSON text.
    """

    finished: dt.datetime
    seconds: float | None
    config: str
    job: str
    weights: str
    attempts: int
    lasting: bool
    verdict: str
    probability: float | None
    report: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which cases are wanted; every value that is set must hold.

    Attributes:
        verdict: Label.
        decision: Of the reviewers; only cases whose scan is done.
        state: ``queued``, ``running`` or ``done``.
        reason: A code among the verdict's reasons.
        text: Part of the path, whatever its case.
        rule: Id of a policy rule that said something.
        outcome: What it said, for example ``noncompliant``.
        since: Scanned at or after this time.
        until: Scanned before this time.
        min_score: Least crop score.
        max_score: Largest crop score.
        weights: Part of what `Case.weights` holds.
        not_weights: Part of what it does not hold.
    """

    verdict: str | None = None
    decision: str | None = None
    state: str | None = None
    reason: str | None = None
    text: str = ""
    rule: str | None = None
    outcome: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    min_score: float | None = None
    max_score: float | None = None
    weights: str | None = None
    not_weights: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of cases.

    Attributes:
        cases: The rows of the page.
        total: How many cases match.
        states: Number of all cases by state.
    """

    cases: Sequence[Case]
    total: int
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What is left of a deleted case: digests.

    Attributes:
        case: Its id.
        media_sha256: Digest of the file's content.
        report_sha256: Digest of the report as sealed, or of its text.
    """

    case: str
    media_sha256: str | None
    report_sha256: str | None


@dataclass(frozen=True, slots=True)
class Same:
    """A case whose content is the same.

    Attributes:
        case: Its id.
        path: Its file.
        report: Its report as JSON text.
    """

    case: str
    path: str = field(kw_only=True)
    report: str = field(kw_only=True, repr=False)
