"""The desk: cases on disk and in the store, their scans, reviews, seals and their end."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import secrets
import shutil
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.batch.near import link_near
from forensics.engines import ScanOptions
from forensics.engines.base import ScanJob, failed_report, options_from
from forensics.errors import OutputError, UsageError
from forensics.policy import list_jurisdictions
from forensics.report.custody.canonical import digest
from forensics.report.custody.keys import new_key
from forensics.report.custody.log import CustodyLog
from forensics.report.custody.seal import Sealer
from forensics.report.model import report_to_dict
from forensics.store import Case, Filter, Review, Store
from forensics.store.connect import sqlite_file
from forensics.web.children import ChildFailedError
from forensics.web.decisions import Said, decide
from forensics.web.jobs import JobQueue, QueueFullError, Task
from forensics.web.settings import ServeSettings
from forensics.web.uploads import Upload
from forensics.web.worker import renamed

PREVIEW_TIMEOUT = 3600.0
_MAX_NAME = 100


class Desk:
    """Everything that the API asks for.

    Args:
        settings: Where things lie and what is allowed.

    Raises:
        OutputError: The folder, the key, the log or the store cannot be used.
        UsageError: The options cannot be carried out.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        try:
            settings.cases.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            cause = error.strerror or str(error)
            raise OutputError(f"{settings.data}: cannot make the folder: {cause}") from error
        self.key = settings.key or settings.data / "keys" / "report.pem"
        if settings.key is None and not self.key.exists():
            new_key(self.key)
        self._sealer = Sealer(self.key, log=settings.log)
        from forensics.report.custody.keys import load_private

        self._log = CustodyLog(settings.log, key=load_private(self.key))
        self.store = Store(settings.database)
        self.local = sqlite_file(self.store.address) is not None
        self.jobs = JobQueue(settings.workers, settings.queue)
        self._failed: dict[str, str] = {}
        self._writing, self._counting = threading.Lock(), threading.Lock()
        self._linking = threading.Lock()
        self._batch = 0
        self._tidy()
        for case in self._unfinished():
            self._queue(case, always=True)

    def close(self) -> None:
        """Stop scans; what is unfinished goes on at the next start."""
        self.jobs.close()
        self.store.close()

    def _tidy(self) -> None:
        """Remove folders that no case belongs to: uploads cut off by a crash, deleted cases."""
        names = [folder.name for folder in self.settings.cases.iterdir()]
        for name in set(names) - self.store.cases(names).keys():
            with contextlib.suppress(UsageError):
                self.discard(name)

    def _unfinished(self) -> list[Case]:
        """Return this desk's scans that did not end; a batch in the same store looks after its."""
        return [
            case
            for state in ("running", "queued")
            for case in self.store.each(Filter(state=state))
            if self._pictures(case.id).is_dir()
        ]

    def upload(self, case: str) -> Path | None:
        """Return the file of a case if it was uploaded to this desk, and so goes with the case."""
        folder = self.folder(case)
        try:
            names = [file.name for file in folder.iterdir()]
        except OSError:
            return None
        return next((folder / name for name in sorted(names) if name.startswith("media.")), None)

    def _pictures(self, case: str) -> Path:
        """Return where the pictures of a case go; the folder is there once this desk scans it."""
        return self.folder(case) / "evidence"

    def folder(self, case: str) -> Path:
        """Return the folder of a case; ids that are not from here lead nowhere."""
        if len(case) != 32 or not set(case) <= set("0123456789abcdef"):
            raise UsageError("no such case")
        return self.settings.cases / case

    def media(self, case: Case) -> Path | None:
        """Return the stored upload, or the file that a batch scanned if it is still the same."""
        upload = self.upload(case.id)
        if upload is not None or not case.place:
            return upload
        try:
            now = case.file.stat()
        except OSError:
            return None
        known = (case.bytes, case.mtime)
        same = stat.S_ISREG(now.st_mode) and (now.st_size, now.st_mtime_ns) == known
        return case.file if same else None

    def begin(self) -> tuple[str, Path]:
        """Return a new id and its folder, made."""
        case = secrets.token_hex(16)
        folder = self.folder(case)
        folder.mkdir(mode=0o700)
        return case, folder

    def discard(self, case: str) -> None:
        """Remove the folder of a case."""
        shutil.rmtree(self.folder(case), ignore_errors=True)

    def submit(self, case: str, upload: Upload, options: ScanOptions) -> None:
        """Enter an upload and queue its scan."""
        entry = Case(
            case, path=upload.name, bytes=upload.bytes, options=options.resolved(),
            config=ScanJob(options=options).config,
        )  # fmt: skip
        self.store.add([entry])
        self._queue(entry, always=True)

    def _queue(self, case: Case, *, always: bool) -> None:
        self._pictures(case.id).mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._counting:
            self._batch = (self._batch if self.jobs.waiting else 0) + 1
        media = self.media(case)
        if media is None:
            self._finish(case, None, ChildFailedError("the upload is gone", "unreadable"))
            return
        request = {
            "task": "scan",
            "media": str(media.absolute()),
            "name": case.name,
            "folder": str(self.folder(case.id).absolute()),
            "job": self._job(case),
        }
        task = Task(
            case.id, request=request, timeout=self.settings.scan_timeout,
            started=lambda: self.store.change(case.id, state="running"),
            done=lambda result, failure: self._finish(case, result, failure),
        )  # fmt: skip
        self.jobs.put(task, always=always)

    def _job(self, case: Case) -> dict[str, Any]:
        """Return what to do with a case: as it was asked for, else as this desk does."""
        options = options_from(case.options) if case.options else self.settings.options
        return ScanJob(options=options).to_json()

    def rescan(self, case: Case) -> None:
        """Scan a case again, with its own options and the detectors of today.

        Raises:
            UsageError: Its file is gone or was changed, or the case is being scanned.
            QueueFullError: No room.
        """
        if case.state != "done" or self.media(case) is None:
            raise UsageError("the case is being scanned, or its file is gone or was changed")
        if self.jobs.full:
            raise QueueFullError
        self.store.change(case.id, state="queued")
        self._queue(case, always=True)

    def _finish(
        self, case: Case, result: Mapping[str, Any] | None, failure: ChildFailedError | None
    ) -> None:
        """Seal and keep the report; a scan that ended without one gets a record that says so."""
        if failure is not None and failure.reason == "cancelled":
            return
        media = self.media(case) or Path(case.path)
        if result is None:
            reason = failure.reason if failure else "internal"
            codes = (reason,) if reason == "internal" else ("unreadable", reason)
            report = renamed(failed_report(media, str(failure), *codes), case.name)
            result = {"record": report_to_dict(report), "pictures": []}
        with self._writing:
            record = self._sealer.seal_record(dict(result["record"]), media)
        self.store.finish(
            case.id, record, pictures=result["pictures"], record_sha256=digest(record),
            seconds=result.get("seconds"), looks=result.get("looks"),
            attempts=result.get("attempts", 1),
        )  # fmt: skip
        with self._linking:
            link_near(self.store)

    def review(self, case: Case, reviewer: str, opinion: str, note: str) -> None:
        """Enter a review into log and store.

        Raises:
            UsageError: No name, or the case is not done.
            OutputError: The log cannot be written; the review is then not kept.
        """
        reviewer = " ".join(reviewer.split())[:_MAX_NAME]
        if not reviewer:
            raise UsageError("a review needs a name")
        if case.state != "done" or case.verdict is None:
            raise UsageError("the case is not scanned yet")
        entry = Review(reviewer, opinion, note.strip(), dt.datetime.now(dt.timezone.utc))
        with self._writing:
            before = self.store.reviews(case.id)
            said = [Said(one.reviewer, one.opinion) for one in [*before, entry]]
            standing = decide(case.verdict, said, self.settings.second_reader)
            # The log names a digest of the note: deleting a case must leave hashes only.
            self._log.append(
                "review",
                {
                    "case": case.id, "reviewer": reviewer, "opinion": opinion,
                    "note_sha256": digest(entry.note), "report_sha256": self.digest(case),
                    "decision": standing,
                },
            )  # fmt: skip
            self.store.add_review(case.id, entry, decision=standing, reviews=len(said))

    def digest(self, case: Case) -> str | None:
        """Return the digest of a case's report, sealed here or not."""
        if case.record_sha256 is not None:
            return case.record_sha256
        report = self.store.report(case.id)
        return None if report is None else digest(json.loads(report))

    def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Enter another event into the custody log."""
        with self._writing:
            self._log.append(event, facts)

    def custody(self, case: Case) -> list[dict[str, Any]]:
        """Return the lines of the log that belong to a case."""
        lines = []
        wanted = {case.id, case.record_sha256} - {None}
        if not self.settings.log.exists():
            return []
        with self.settings.log.open("rb") as file:
            for raw in file:
                if not any(name.encode() in raw for name in wanted if name):
                    continue
                line = json.loads(raw)
                if line.get("case") in wanted or line.get("record_sha256") in wanted:
                    line.pop("signature", None)
                    lines.append(line)
        return lines

    def delete(self, case: Case, by: str) -> None:
        """Remove a case; the log keeps its hashes and a line that says so."""
        self.jobs.cancel(case.id)
        self.jobs.cancel(f"preview {case.id}")
        facts = {
            "case": case.id, "media_sha256": case.sha256, "report_sha256": self.digest(case),
            "by": " ".join(by.split())[:_MAX_NAME],
        }  # fmt: skip
        self.note("deletion", facts)
        self.store.delete([case.id])
        self.discard(case.id)
        self._failed.pop(case.id, None)

    def batch(self) -> int:
        """Return how many scans came in since the queue was last empty."""
        with self._counting:
            if not self.jobs.waiting:
                self._batch = 0
            return self._batch

    def expire(self) -> int:
        """Delete uploads older than the retention; return how many cases that were."""
        if self.settings.retention_days is None:
            return 0
        before = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=self.settings.retention_days)
        old = self.store.cases([name for name in self.store.older(before) if self.upload(name)])
        for case in old.values():
            self.delete(case, "retention")
        return len(old)

    def expires(self, case: Case) -> dt.datetime | None:
        """Return when an upload will be deleted by itself."""
        days = self.settings.retention_days
        return None if days is None else case.created + dt.timedelta(days=days)

    def start_preview(self, case: Case) -> None:
        """Queue the derived copy, unless it is there or on its way."""
        media = self.media(case)
        if self.preview(case.id)["state"] in ("ready", "running") or media is None:
            return
        self._failed.pop(case.id, None)
        self.folder(case.id).mkdir(parents=True, exist_ok=True, mode=0o700)

        def done(result: object, failure: ChildFailedError | None) -> None:
            if result is None:
                self._failed[case.id] = str(failure)

        request = {
            "task": "preview",
            "media": str(media.absolute()),
            "folder": str(self.folder(case.id).absolute()),
            "job": self._job(case),
        }
        key = f"preview {case.id}"
        self.jobs.put(Task(key, request=request, timeout=PREVIEW_TIMEOUT, done=done))

    def preview(self, case: str) -> dict[str, Any]:
        """Return the state of a preview: ``none``, ``running``, ``ready`` or ``failed``."""
        for name in ("preview.mp4", "preview.png"):
            if (self.folder(case) / name).is_file():
                return {"state": "ready", "url": f"/v1/scans/{case}/{name}"}
        task = self.jobs.find(f"preview {case}")
        if task is not None:
            progress = task.progress and list(task.progress)
            return {"state": "running", "progress": progress}
        if case in self._failed:
            return {"state": "failed"}
        return {"state": "none"}

    def with_fields(self, fields: Mapping[str, str]) -> ScanOptions:
        """Return the options of the server with what the form asks for.

        Raises:
            UsageError: A field holds what is not allowed.
        """
        known = {"declared", "policy", "level"}
        if extra := set(fields) - known:
            raise UsageError(f"unknown field {min(extra)[:40]!r}; known: declared, level, policy")
        changes: dict[str, Any] = {n: fields[n] for n in ("declared", "level") if fields.get(n)}
        if fields.get("policy"):
            changes["policy"] = tuple(p.strip() for p in fields["policy"].split(",") if p.strip())
            unknown = set(changes["policy"]) - set(policies())
            if unknown:
                raise UsageError(f"unknown policy {min(unknown)[:40]!r}")
        return dataclasses.replace(self.settings.options, **changes)


def policies() -> tuple[str, ...]:
    """Return the jurisdictions whose rules can be applied."""
    return tuple(list_jurisdictions())
