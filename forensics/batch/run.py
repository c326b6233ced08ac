"""The driver of a batch: plan, known contents, engine, store, and a clean way to stop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from forensics.batch.near import link_near
from forensics.batch.plan import Item, as_case, blocks, forced, is_done, sha256_of
from forensics.batch.recorder import Entry, Recorder
from forensics.engines.base import Engine, Record, ScanJob, weights_of
from forensics.errors import printable
from forensics.report.plain import text
from forensics.store.cases import Case, Same, now

OnRecord = Callable[[Entry], None]


@dataclass(slots=True)
class Outcome:
    """What a batch came to.

    Attributes:
        files: Number of files asked for.
        labels: Number of their records by verdict, earlier ones included.
        unreadable: How many of them could not be examined.
        skipped: How many had a record already.
        reused: How many took over the report of the same bytes.
        crashed: How many files ended a worker twice.
        other_weights: How many of the skipped ones were scanned with other weights.
        left: How many have no record yet, because the batch was stopped.
    """

    files: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    skipped: int = 0
    reused: int = 0
    crashed: int = 0
    other_weights: int = 0
    left: int = 0


class Batch:
    """Runs a job over many files.

    Args:
        job: What to do with each.
        engine: Who does it.
        recorder: Where records go.
        stop: Asked before each file; when it says True, what is in flight ends and no file more
            is begun.
        on_plan: Gets the number of files to scan and what is known of the others.
        on_record: Gets each new record.
    """

    def __init__(
        self,
        job: ScanJob,
        engine: Engine,
        recorder: Recorder,
        *,
        stop: Callable[[], bool] = lambda: False,
        on_plan: Callable[[int, Outcome], None] = lambda todo, outcome: None,
        on_record: OnRecord = lambda entry: None,
    ) -> None:
        self.job, self._engine, self._recorder = job, engine, recorder
        self._stop, self._on_plan, self._on_record = stop, on_plan, on_record
        self.weights = weights_of(job.options)
        self._digest = job.digest(self.weights)
        self._config, self._options = job.config, job.options.resolved()
        self._in_flight: dict[Path, Item] = {}
        self._outcome = Outcome()

    def run(self, paths: Iterable[Path], *, again: Collection[str] | None = ()) -> Outcome:
        """See to it that every file has a record.

        Args:
            paths: Files; one named twice counts once.
            again: Ids of cases to scan once more; None for all of them.

        Raises:
            ForensicsError: The job cannot be carried out, or the store stayed unusable.
        """
        files = list(paths)
        before = self._recorder.renewed
        self._run_once(files, again)
        while self._recorder.renewed != before and not self._stop():
            # Records that were in the damaged store are made again in the new one.
            before = self._recorder.renewed
            self._run_once(files, ())
        return self._outcome

    def link(self) -> int:
        """Link cases that look like an earlier one; return how many new links there are."""
        return self._recorder.patiently(lambda: link_near(self._recorder.store))

    def _run_once(self, files: list[Path], again: Collection[str] | None) -> None:
        self._outcome = Outcome()
        todo = self._plan(files, again)
        self._outcome.left = len(todo)
        self._on_plan(len(todo), self._outcome)
        self._sizes = self._recorder.patiently(lambda: self._recorder.store.sizes())
        alike: list[Item] = []
        self._scan(self._first(todo, alike))
        same: list[Item] = []
        self._scan(self._second(alike, same))
        self._scan(self._third(same))
        self._recorder.flush(patience=0.0)

    def _plan(self, files: list[Path], again: Collection[str] | None) -> list[Item]:
        """Enter every file into the store and return those to scan, in order."""
        todo = []
        for block in blocks(files):
            items = {item.id: item for item in block}
            store = self._recorder
            known: dict[str, Case] = store.patiently(partial(self._known, list(items)))
            fresh = [self._case(item) for item in block if item.id not in known]
            if fresh:
                store.patiently(partial(self._enter, fresh))
            for item in block:
                self._outcome.files += 1
                case = known.get(item.id)
                if case is None or forced(case, again) or not is_done(case, item, self._config):
                    todo.append(item)
                else:
                    self._outcome.skipped += 1
                    self._count(str(case.verdict), case.error, case.reasons)
                    ours = not case.weights or case.weights == self.weights
                    self._outcome.other_weights += not ours
        return todo

    def _known(self, ids: list[str]) -> dict[str, Case]:
        return self._recorder.store.cases(ids)

    def _enter(self, cases: list[Case]) -> int:
        return self._recorder.store.add(cases)

    def _case(self, item: Item) -> Case:
        return as_case(item, config=self._config, options=self._options)

    def _scan(self, paths: Iterator[Path]) -> None:
        for record in self._engine.map(paths, self.job):
            item = self._in_flight.pop(record.path)
            self._outcome.crashed += "worker_crashed" in record.report["verdict"]["reasons"]
            self._save(item, record)

    def _begin(self, item: Item) -> Path:
        self._in_flight[item.path] = item
        return item.path

    def _first(self, todo: list[Item], alike: list[Item]) -> Iterator[Path]:
        """Yield files of a size that nothing known has; others cost a digest, and come later."""
        begun: set[int] = set()
        for item in todo:
            if self._stop():
                return
            if not item.bytes:
                yield self._begin(item)
            elif item.bytes in self._sizes and self._take_over(item, sha256_of(item.path)):
                continue
            elif item.bytes in begun:
                alike.append(item)
            else:
                begun.add(item.bytes)
                yield self._begin(item)

    def _second(self, alike: list[Item], same: list[Item]) -> Iterator[Path]:
        """Yield one file of each content."""
        begun: set[str] = set()
        for item in alike:
            if self._stop():
                return
            sha256 = sha256_of(item.path)
            if self._take_over(item, sha256):
                continue
            if sha256 in begun:
                same.append(item)
                continue
            if sha256 is not None:
                begun.add(sha256)
            yield self._begin(item)

    def _third(self, same: list[Item]) -> Iterator[Path]:
        """Yield files whose double has left no report to take over."""
        for item in same:
            if self._stop():
                return
            if not self._take_over(item, sha256_of(item.path)):
                yield self._begin(item)

    def _take_over(self, item: Item, sha256: str | None) -> bool:
        """Use the report of the same bytes, if there is one."""
        if sha256 is None:
            return False
        found = self._recorder.patiently(
            lambda: self._recorder.store.same_bytes(sha256, self._digest)
        )
        if found is None or found.case == item.id:
            return False
        self._outcome.reused += 1
        self._save(item, Record(item.path, taken_over(found, item.path)), same=found)
        return True

    def _save(self, item: Item, record: Record, same: Same | None = None) -> None:
        values: dict[str, Any] = {
            "seconds": round(record.seconds, 4), "attempts": record.attempts,
            "looks": record.looks, "job": self._digest, "config": self._config,
            "options": self._options, "weights": self.weights, "finished": now(),
            "bytes": item.bytes, "mtime": item.mtime, "lasting": same is None,
            "same_as": None if same is None else same.case, "near": None, "near_distance": None,
            "same_stream": None,
        }  # fmt: skip
        entry = Entry(self._case(item), record.report, values)
        self._recorder.save(entry)
        verdict = record.report["verdict"]
        self._count(verdict["label"], record.report["error"], verdict["reasons"])
        self._outcome.left -= 1
        self._on_record(entry)

    def _count(self, label: str, error: str | None, reasons: Collection[str]) -> None:
        self._outcome.labels[label] += 1
        self._outcome.unreadable += error is not None or "unreadable" in reasons


def taken_over(found: Same, path: Path) -> dict[str, Any]:
    """Return the report of the same bytes under another path; it says where it comes from."""
    report: dict[str, Any] = json.loads(found.report)
    old = report["file"]["path"]
    report["file"].pop("path_bytes_hex", None)
    report["file"]["path"] = text(path)
    if report["error"] is not None:
        report["error"] = report["error"].replace(printable(old), printable(path), 1)
    # No path: when that case is deleted, nothing but digests may stay of it.
    report["same_bytes_as"] = {"case": found.case}
    return report
