"""The command ``forensics batch``."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli._batch_files import chosen_again, finder, read_shard
from forensics.cli._failures import INTERRUPTED
from forensics.cli._options import (
    All,
    Anchors,
    Every,
    Frames,
    MaxBytes,
    MaxDuration,
    MaxPixels,
    Timeout,
)
from forensics.cli.scan import Declared, Level, anchors_from, build_options
from forensics.errors import ExitCode, UsageError, printable

if TYPE_CHECKING:
    from forensics.batch import Batch, Outcome, Recorder
    from forensics.cli._batch_progress import Progress
    from forensics.report.custody.log import CustodyLog
    from forensics.store import Store

DEFAULT_DB = "cases.sqlite"
DbOption = Annotated[
    str, typer.Option("--db", help="Store: a SQLite file, or a postgresql:// URL.")
]
_FAILURES = ("suspect", "inconclusive", "unreadable")
_HOUR = 3600.0
_LINK_EVERY = 60.0


def register(app: typer.Typer) -> None:
    """Add the command ``batch`` to ``app``."""
    app.command("batch")(batch_command)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one run is asked for besides the scan itself."""

    find: Callable[[], list[Path]]
    again: Any
    watch: bool
    interval: float
    settle: float
    retention_days: float | None
    retention_log: Callable[[Store], CustodyLog]
    summary: Path | None
    fail_on: tuple[str, ...]


def batch_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Files; folders are walked.")
    ] = None,
    list_file: Annotated[
        Path | None, typer.Option("--list", help="File with one path a line; - for stdin.")
    ] = None,
    db: DbOption = DEFAULT_DB,
    engine: Annotated[str, typer.Option(help="serial, process or ray.")] = "process",
    workers: Annotated[
        int | None, typer.Option(help="Files at the same time (default: cores).")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster to join, HOST:PORT; private network only.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="Only the i-th of n parts of the files: i/n.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on and wait for new files.")] = False,
    interval: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.05)] = 2.0,
    settle: Annotated[
        float, typer.Option(help="Seconds for which a new file must not change.", min=0.0)
    ] = 5.0,
    frames: Frames = None,
    every: Every = None,
    all: All = False,
    detectors: Annotated[str | None, typer.Option(help="Detectors, separated by commas.")] = None,
    policy: Annotated[str | None, typer.Option(help="Rules to apply: cn,eu.")] = None,
    declared: Annotated[
        Declared, typer.Option(help="Do the uploaders say that it is synthetic?")
    ] = Declared.unknown,
    target_fpr: Annotated[
        float | None, typer.Option(help="Accepted share of unmanipulated clips called suspect.")
    ] = None,
    level: Annotated[Level, typer.Option(help="How much work to put in.")] = Level.fast,
    prior: Annotated[float, typer.Option(help="Probability of manipulation before looking.")] = 0.5,
    trust_anchors: Anchors = None,
    max_bytes: MaxBytes = None,
    max_pixels: MaxPixels = None,
    max_duration: MaxDuration = None,
    timeout: Timeout = None,
    patience: Annotated[
        float, typer.Option(help="Silence after which a worker counts as hung, seconds.")
    ] = 180.0,
    stop_when_declared: Annotated[
        bool, typer.Option("--stop-when-declared", help="Do not look at what declares itself.")
    ] = False,
    rescan: Annotated[bool, typer.Option("--rescan", help="Scan known files again.")] = False,
    rescan_older_than: Annotated[
        str | None,
        typer.Option(metavar="WEIGHTS", help="Scan again what was scanned before these weights: "
                     "'current', or the start of a digest."),
    ] = None,
    fail_on: Annotated[
        str | None, typer.Option(help="End with 1 on: suspect,inconclusive,unreadable.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Hash-chained log that gets the digests of each record.")
    ] = None,
    sign: Annotated[Path | None, typer.Option(help="Key that signs the log's lines.")] = None,
    webhook: Annotated[
        str | None, typer.Option(help="Send each verdict to this address; uses the network.")
    ] = None,
    retention_days: Annotated[
        float | None, typer.Option(help="Delete cases entered more than so many days ago.")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(help="Write a summary page of the store (HTML) at the end.")
    ] = None,
) -> None:
    """Scan many files; each ends with one record in the store. Run it again to go on.

    Ends with 0 when every file has a record, whatever the verdicts; see --fail-on. Ctrl-C lets the
    files in flight end.
    """  # fmt: skip
    from forensics.batch import Batch, Recorder
    from forensics.cli._batch_progress import batch_progress
    from forensics.cli._names import split_names
    from forensics.engines.base import ScanJob
    from forensics.engines.names import make_engine
    from forensics.report.custody.log import CustodyLog

    caps = {"max_bytes": max_bytes, "max_pixels": max_pixels, "max_duration": max_duration,
            "timeout": timeout}  # fmt: skip
    options = build_options(
        frames=frames, every=every, all=all, caps=caps,
        detectors=split_names(detectors, "--detectors"),
        policy=split_names(policy, "--policy") or (), declared=declared.value,
        target_fpr=target_fpr, level=level.value, prior=prior,
    )  # fmt: skip
    job = ScanJob(
        options=options, anchors=anchors_from(trust_anchors),
        stop_when_declared=stop_when_declared, patience=patience,
    )  # fmt: skip
    failures = _failures(split_names(fail_on, "--fail-on") or ())
    part = read_shard(shard)
    if not paths and list_file is None and rescan_older_than is None:
        raise UsageError("name files or folders, or give --list FILE")
    key = _key(sign, log)
    custody = None if log is None else CustodyLog(log, key=key)
    if custody is not None:
        custody.head()  # fails before the work, not after it
    runner = make_engine(engine, workers or _cores(), address)
    with batch_progress() as shown, contextlib.closing(runner):
        recorder = Recorder(db, shown.say, log=custody)
        try:
            with _stopping(shown.say) as stop, _hook(webhook, shown.say) as post:

                def on_record(entry: Any) -> None:
                    shown.record(entry)
                    post(entry)

                batch = Batch(job, runner, recorder, stop=stop.is_set, on_plan=shown.plan,
                              on_record=on_record)  # fmt: skip
                again, known = chosen_again(recorder, batch, rescan, rescan_older_than)
                wishes = Wishes(
                    find=finder(paths or [], list_file, known, part, shown.say),
                    again=again, watch=watch, interval=interval, settle=settle,
                    retention_days=retention_days,
                    retention_log=lambda store: custody or _log_of(store), summary=summary,
                    fail_on=failures,
                )  # fmt: skip
                code = _run(batch, recorder, wishes, stop, shown)
        finally:
            recorder.close()
    raise typer.Exit(code)


def _run(
    batch: Batch, recorder: Recorder, wishes: Wishes, stop: threading.Event, shown: Progress
) -> int:
    """Run the batch, once or until it is stopped, and return the exit code."""
    from forensics.cli._batch_progress import last_words

    _expire(recorder, wishes, shown)
    if wishes.watch:
        outcome = _watch(batch, recorder, wishes, stop, shown)
    else:
        outcome = batch.run(wishes.find(), again=wishes.again)
        shown.say(last_words(outcome))
        if outcome.other_weights:
            verb = "was" if outcome.other_weights == 1 else "were"
            shown.say(f"{outcome.other_weights} {verb} scanned with other weights; to scan again "
                      "what older ones scanned: --rescan-older-than current")  # fmt: skip
        batch.link()
    if wishes.summary is not None:
        from forensics.report.write import write_text_atomic
        from forensics.store.summary import summary_html

        write_text_atomic(wishes.summary, summary_html(recorder.store))
        shown.say(f"wrote {printable(wishes.summary)}")
    if stop.is_set() and not wishes.watch and outcome.left:
        shown.say(f"stopped: {outcome.left} files have no record yet; the same command goes on")
        return INTERRUPTED
    counts = {**outcome.labels, "unreadable": outcome.unreadable}
    failed = any(counts.get(name, 0) for name in wishes.fail_on)
    return int(ExitCode.SUSPECT if failed else ExitCode.OK)


def _watch(
    batch: Batch, recorder: Recorder, wishes: Wishes, stop: threading.Event, shown: Progress
) -> Outcome:
    """Scan what arrives until the person stops it."""
    from forensics.batch.run import Outcome
    from forensics.batch.watch import Watcher
    from forensics.cli._batch_progress import last_words

    watcher = Watcher(wishes.find, wishes.settle)
    whole, expired, linked = Outcome(), time.monotonic(), 0.0
    shown.say("watching; Ctrl-C ends it after the files in flight")
    while not stop.is_set():
        ready = watcher.ready()
        if ready:
            outcome = batch.run(ready, again=wishes.again)
            if outcome.skipped < outcome.files:
                shown.say(last_words(outcome))
            whole.labels.update(outcome.labels)
            whole.unreadable += outcome.unreadable
            if time.monotonic() - linked > _LINK_EVERY:
                batch.link()
                linked = time.monotonic()
        if time.monotonic() - expired > _HOUR:
            _expire(recorder, wishes, shown)
            expired = time.monotonic()
        stop.wait(wishes.interval)
    batch.link()
    shown.say("stopped; the same command goes on")
    return whole


def _expire(recorder: Recorder, wishes: Wishes, shown: Progress) -> None:
    if wishes.retention_days is None:
        return
    from forensics.batch.privacy import expire

    log = wishes.retention_log(recorder.store)
    count = expire(recorder.store, wishes.retention_days, log)
    if count:
        shown.say(f"{count} cases were older than {wishes.retention_days:g} days and are deleted; "
                  f"their digests stay in {printable(log.path)}")  # fmt: skip


def _failures(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in _FAILURES:
            raise UsageError(f"--fail-on knows {', '.join(_FAILURES)}, got {name!r}")
    return names


def _key(sign: Path | None, log: Path | None) -> Any:
    if sign is None:
        return None
    if log is None:
        raise UsageError("--sign signs the lines of the log, so it needs --log FILE")
    from forensics.report.custody.keys import load_private

    return load_private(sign)


def _log_of(store: Store) -> CustodyLog:
    from forensics.batch.privacy import log_beside
    from forensics.report.custody.log import CustodyLog

    return CustodyLog(log_beside(store, None))


def _cores() -> int:
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


@contextlib.contextmanager
def _stopping(say: Callable[[str], None]) -> Iterator[threading.Event]:
    """Turn the first Ctrl-C (or SIGTERM) into a wish to stop, and let a second one interrupt."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say("stopping after the files in flight; once more stops at once")

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _hook(url: str | None, say: Callable[[str], None]) -> Iterator[Callable[[Any], None]]:
    """Yield what sends each record to the webhook, if there is one."""
    if url is None:
        yield lambda entry: None
        return
    from forensics.batch.webhook import Webhook

    hook = Webhook(url, say)
    try:
        yield hook.put
    finally:
        hook.close()
