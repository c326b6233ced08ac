"""Cases and everything that belongs to them, in a database."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import sqlalchemy as sa

from forensics.report.model import records_to_jsonl
from forensics.store import rows
from forensics.store.cases import Case, Deleted, Filter, Found, Review, Same, Scan, now
from forensics.store.connect import empty_log, open_engine, parse, shown, translated, writing
from forensics.store.queries import Test, few_of, order_of, tests_of
from forensics.store.tables import CASES, EVIDENCE, FILES, FINDINGS, REVIEWS, SCANS

_MANY = 500  # values in one statement: SQLite's oldest limit is 999
_RARE = 20  # matches are rare when fewer than one case in so many is one


class Store:
    """The store behind a URL.

    Args:
        url: SQLAlchemy URL, or a path to a SQLite file.
        create: Make the database when it is missing.
        busy_ms: How long SQLite waits for another program's lock, milliseconds.

    Raises:
        UsageError: The URL means nothing, or its driver is not installed.
        DamagedStoreError: The SQLite file is no whole database.
        OutputError: It cannot be opened. Every method may raise this and `DamagedStoreError`.
    """

    def __init__(self, url: str, *, create: bool = True, busy_ms: int = 30_000) -> None:
        self.address = parse(url)
        self.name = shown(self.address)
        self._engine = open_engine(url, create=create, busy_ms=busy_ms)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that only reads."""
        with translated(self.name), self._engine.connect() as link:
            yield link

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes, alone."""
        with translated(self.name), writing(self._engine) as link:
            yield link

    def add(self, cases: Iterable[Case]) -> int:
        """Enter new cases in order; an id that is known is left as it is.

        Returns:
            How many were new.
        """
        added, source = 0, iter(cases)
        while block := list(islice(source, _MANY)):
            with self.writing() as link:
                known = set(
                    link.scalars(sa.select(CASES.c.id).where(CASES.c.id.in_([c.id for c in block])))
                )
                fresh = {c.id: rows.case_row(c) for c in block if c.id not in known}
                if fresh:
                    link.execute(sa.insert(CASES), list(fresh.values()))
                added += len(fresh)
        return added

    def change(self, case: str, **values: Any) -> None:
        """Change fields of a case."""
        with self.writing() as link:
            link.execute(sa.update(CASES).where(CASES.c.id == case).values(**rows.encoded(values)))

    def finish(
        self,
        case: str,
        report: Mapping[str, Any],
        *,
        seconds: float | None = None,
        attempts: int = 1,
        looks: str | None = None,
        job: str = "",
        lasting: bool = True,
        **values: Any,
    ) -> None:
        """Enter the report of a case's scan: the case is then ``done``.

        Args:
            case: Its id.
            report: As `forensics.report.model.report_to_dict` returns it, sealed or not.
            seconds: How long the scan took.
            attempts: How often it was tried.
            looks: Perceptual hashes in hex, joined by spaces.
            job: Digest of all that fixes the report.
            lasting: False for a report that was itself taken over from another case.
            values: Fields of the `Case` to change with it.
        """
        now_ = values.pop("finished", None) or now()
        weights = values.pop("weights", None)
        weights = rows.weights_of(report) if weights is None else weights
        changes = rows.current(report) | rows.encoded(values)
        mine = CASES.c.id == case
        with self.writing() as link:
            config = values.get("config")
            if config is None:
                config = link.execute(sa.select(CASES.c.config).where(mine)).scalar() or ""
            link.execute(
                sa.update(CASES).where(mine).values(
                    state="done", finished=now_, seconds=seconds, weights=weights, **changes
                )
            )  # fmt: skip
            content = rows.file_row(report, looks)
            if content is not None:
                self._note_file(link, content)
            scan = link.execute(
                sa.insert(SCANS).values(
                    case=case, sha256=changes["sha256"], config=config, job=job,
                    weights=weights, finished=now_, seconds=seconds, attempts=attempts,
                    lasting=lasting and rows.lasting(report), verdict=changes["verdict"],
                    probability=changes["probability"], report=records_to_jsonl([report]),
                ).returning(SCANS.c.number)
            ).scalar_one()  # fmt: skip
            link.execute(sa.delete(FINDINGS).where(FINDINGS.c.case == case))
            for table, found in (
                (EVIDENCE, rows.evidence_rows(scan, report)),
                (FINDINGS, rows.finding_rows(scan, case, report)),
            ):
                if found:
                    link.execute(sa.insert(table), found)

    def _note_file(self, link: sa.Connection, content: dict[str, Any]) -> None:
        same = FILES.c.sha256 == content["sha256"]
        if link.execute(sa.select(FILES.c.sha256).where(same)).first() is None:
            link.execute(sa.insert(FILES).values(**content))
        elif content["looks"] is not None:
            link.execute(sa.update(FILES).where(same).values(**content))

    def case(self, case: str) -> Case | None:
        """Return a case by its id."""
        return next(iter(self.cases([case]).values()), None)

    def cases(self, ids: Collection[str]) -> dict[str, Case]:
        """Return those cases that are known, by id."""
        found: dict[str, Case] = {}
        source = iter(ids)
        while block := list(islice(source, _MANY)):
            with self.reading() as link:
                for row in link.execute(sa.select(CASES).where(CASES.c.id.in_(block))).mappings():
                    found[row["id"]] = rows.case_from(row)
        return found

    def starting(self, start: str) -> list[Case]:
        """Return up to two cases whose id starts so."""
        test = CASES.c.id.startswith(start, autoescape=True)
        with self.reading() as link:
            found = link.execute(sa.select(CASES).where(test).limit(2)).mappings()
            return [rows.case_from(row) for row in found]

    def scans(self, case: str) -> list[Scan]:
        """Return every examination of a case, oldest first."""
        query = sa.select(SCANS).where(SCANS.c.case == case).order_by(SCANS.c.number)
        with self.reading() as link:
            return [
                Scan(
                    finished=row.finished, seconds=row.seconds, config=row.config, job=row.job,
                    weights=row.weights, attempts=row.attempts, lasting=row.lasting,
                    verdict=row.verdict, probability=row.probability, report=row.report,
                )
                for row in link.execute(query)
            ]  # fmt: skip

    def report(self, case: str) -> str | None:
        """Return the latest report of a case as JSON text."""
        query = sa.select(SCANS.c.report).where(SCANS.c.case == case)
        with self.reading() as link:
            found: str | None = link.execute(query.order_by(SCANS.c.number.desc())).scalar()
        return found

    def find(
        self,
        wanted: Filter | None = None,
        *,
        sort: str = "number",
        offset: int = 0,
        limit: int = 50,
    ) -> Found:
        """Return one page of cases.

        Args:
            wanted: Which; all when None.
            sort: Column, with ``-`` before it for the largest first.
            offset: Cases to leave out at the start.
            limit: Most cases to return.

        Raises:
            UsageError: There is no such order.
        """
        tests, order = self._tests(wanted), order_of(sort)
        with self.reading() as link:
            counted = link.execute(
                sa.select(CASES.c.state, sa.func.count()).group_by(CASES.c.state)
            ).all()
            states = {str(state): int(count) for state, count in counted}
            total = sum(states.values())
            if tests:
                matching = sa.select(sa.func.count()).select_from(CASES).where(*tests)
                total = link.execute(matching).scalar_one()
            if tests and total * _RARE < sum(states.values()):
                tests = few_of(tests)
            query = sa.select(CASES).where(*tests).order_by(*order)
            page = link.execute(query.offset(offset).limit(limit)).mappings().all()
        return Found([rows.case_from(row) for row in page], total, states)

    def _tests(self, wanted: Filter | None) -> list[Test]:
        return tests_of(wanted or Filter(), self._engine.dialect.name)

    def each(self, wanted: Filter | None = None, *, sort: str = "number") -> Iterator[Case]:
        """Yield every case that matches, in constant memory."""
        query = sa.select(CASES).where(*self._tests(wanted)).order_by(*order_of(sort))
        with self.reading() as link:
            result = link.execution_options(yield_per=_MANY).execute(query)
            for row in result.mappings():
                yield rows.case_from(row)

    def counts(self, wanted: Filter | None = None) -> dict[str, int]:
        """Return the number of cases by verdict; without one they count by their state."""
        key = sa.func.coalesce(CASES.c.verdict, CASES.c.state)
        query = sa.select(key, sa.func.count()).where(*self._tests(wanted)).group_by(key)
        with self.reading() as link:
            return {str(name): int(count) for name, count in link.execute(query)}

    def same_bytes(self, sha256: str, job: str) -> Same | None:
        """Return the earliest case with this content that the same job examined."""
        query = (
            sa.select(CASES.c.id, CASES.c.path, SCANS.c.report)
            .join(SCANS, SCANS.c.case == CASES.c.id)
            .where(SCANS.c.sha256 == sha256, SCANS.c.job == job, SCANS.c.lasting)
            .order_by(CASES.c.number, SCANS.c.number.desc())
        )
        with self.reading() as link:
            row = link.execute(query.limit(1)).first()
        return None if row is None else Same(row.id, path=row.path, report=row.report)

    def looks(self, sha256: str | None) -> str | None:
        """Return the perceptual hashes of a content."""
        query = sa.select(FILES.c.looks).where(FILES.c.sha256 == sha256)
        with self.reading() as link:
            found: str | None = link.execute(query).scalar()
        return found

    def sizes(self) -> set[int]:
        """Return the sizes of all contents, bytes: what has another size cannot be known."""
        with self.reading() as link:
            return set(link.scalars(sa.select(FILES.c.bytes).distinct()))

    def reviews(self, case: str) -> list[Review]:
        """Return the reviews of a case, oldest first."""
        query = sa.select(REVIEWS).where(REVIEWS.c.case == case).order_by(REVIEWS.c.number)
        with self.reading() as link:
            return [Review(r.reviewer, r.opinion, r.note, r.time) for r in link.execute(query)]

    def add_review(self, case: str, review: Review, *, decision: str, reviews: int) -> None:
        """Enter a review and where the case stands with it."""
        with self.writing() as link:
            link.execute(
                sa.insert(REVIEWS).values(
                    case=case, reviewer=rows.clean(review.reviewer), opinion=review.opinion,
                    note=rows.clean(review.note), time=review.time,
                )
            )  # fmt: skip
            link.execute(
                sa.update(CASES).where(CASES.c.id == case).values(
                    decision=decision, reviews=reviews
                )
            )  # fmt: skip

    def older(self, than: dt.datetime) -> list[str]:
        """Return the ids of finished cases that were entered before a time."""
        query = sa.select(CASES.c.id).where(CASES.c.created < than, CASES.c.state == "done")
        with self.reading() as link:
            return [str(value) for value in link.scalars(query)]

    def older_weights(self, weights: str) -> list[Case]:
        """Return finished cases whose weights are older than the given ones.

        Older are weights that scanned their first file before the given ones did. Weights that
        have scanned nothing yet are newer than all others.

        Args:
            weights: As `Case.weights` has them, or the start of a digest among them.
        """
        first = sa.select(SCANS.c.weights, sa.func.min(SCANS.c.finished)).group_by(SCANS.c.weights)
        with self.reading() as link:
            begun = {str(name): time for name, time in link.execute(first) if name}
        same = {name for name in begun if weights == name or f":{weights}" in f" {name}"}
        start = min((begun[name] for name in same), default=None)
        older = [name for name, time in begun.items() if start is None or time < start]
        wanted = [CASES.c.weights.in_([n for n in older if n not in same])]
        query = sa.select(CASES).where(CASES.c.state == "done", *wanted).order_by(CASES.c.number)
        with self.reading() as link:
            return [rows.case_from(row) for row in link.execute(query).mappings()]

    def digests(self, ids: Sequence[str]) -> list[Deleted]:
        """Return what would be left of cases if they were deleted."""
        found: list[Deleted] = []
        for start in range(0, len(ids), _MANY):
            with self.reading() as link:
                found += self._digests(link, ids[start : start + _MANY])
        return found

    def delete(self, ids: Sequence[str]) -> list[Deleted]:
        """Remove cases with all their scans, evidence, findings and reviews.

        Facts about a content go with its last case.

        Returns:
            Digests of what was there, for the custody log; unknown ids are left out.
        """
        gone: list[Deleted] = []
        for start in range(0, len(ids), _MANY):
            block = ids[start : start + _MANY]
            with self.writing() as link:
                found = self._digests(link, block)
                link.execute(sa.delete(CASES).where(CASES.c.id.in_(block)))
                hashes = [item.media_sha256 for item in found if item.media_sha256]
                left = set(
                    link.scalars(sa.select(CASES.c.sha256).where(CASES.c.sha256.in_(hashes)))
                )
                orphans = [one for one in hashes if one not in left]
                link.execute(sa.delete(FILES).where(FILES.c.sha256.in_(orphans)))
            gone += found
        with translated(self.name):
            empty_log(self._engine)
        return gone

    def _digests(self, link: sa.Connection, ids: Sequence[str]) -> list[Deleted]:
        query = sa.select(CASES.c.id, CASES.c.sha256, CASES.c.record_sha256)
        found = []
        for row in link.execute(query.where(CASES.c.id.in_(ids))):
            digest = row.record_sha256
            if digest is None:
                latest = sa.select(SCANS.c.report).where(SCANS.c.case == row.id)
                report = link.execute(latest.order_by(SCANS.c.number.desc())).scalar()
                digest = hashlib.sha256(report.encode()).hexdigest() if report else None
            found.append(Deleted(row.id, row.sha256, digest))
        return found
