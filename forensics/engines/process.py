"""Worker processes on this machine: one that dies or hangs is replaced, its file tried once more.

Own processes with pipes, not a pool of the standard library: that one gives up as a whole when a
worker dies, and cannot tell a hung worker from a busy one.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import forensics.errors
from forensics.engines.base import (
    MAX_ATTEMPTS,
    WORKER_ENV,
    Record,
    ScanJob,
    crashed,
    path_to_text,
)
from forensics.errors import ForensicsError, UsageError

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from forensics.engines.worker import main; main()"
)
_BOOT_PATIENCE = 120.0  # seconds until the models are loaded
_BOOT_DEATHS = 5  # in a row, without one file done
_READ = 1 << 20
_MAX_MESSAGE = 256 << 20


@dataclass(slots=True)
class Task:
    """A file on its way.

    Attributes:
        path: The file.
        attempts: How often it was given to a worker.
    """

    path: Path
    attempts: int = 0


class Worker:
    """One process.

    Attributes:
        task: The file it works on.
        ready: Whether its models are loaded.
    """

    def __init__(self, job: ScanJob) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A Ctrl-C at the terminal is for the driver alone, which lets files in flight end.
            start_new_session=True,
            env={**os.environ, **WORKER_ENV},
        )
        self._stdin = cast(BinaryIO, self._process.stdin)
        self.stdout = cast(BinaryIO, self._process.stdout)
        self._rest = bytearray()
        self._heard = time.monotonic()
        self._patience = job.patience
        self.task: Task | None = None
        self.ready = False
        self.dead = False
        self._tell({"job": job.to_json()})

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def give(self, task: Task) -> None:
        """Send a file."""
        task.attempts += 1
        self.task = task
        self._heard = time.monotonic()
        self._tell({"path": path_to_text(task.path)})

    def read(self) -> list[dict[str, Any]]:
        """Return the messages that have come; none and `dead` when the process is gone."""
        piece = os.read(self.stdout.fileno(), _READ)
        self._heard = time.monotonic()
        self._rest += piece
        if not piece or len(self._rest) > _MAX_MESSAGE:
            self.dead = True
            return []
        *lines, rest = self._rest.split(b"\n")
        self._rest = bytearray(rest)
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            self.dead = True
            return []

    @property
    def hung(self) -> bool:
        """Whether it has been silent for too long."""
        patience = self._patience if self.ready else max(self._patience, _BOOT_PATIENCE)
        waiting = self.task is not None or not self.ready
        return waiting and time.monotonic() - self._heard > patience

    def how(self) -> str:
        """Say how it ended."""
        if self.hung:
            return f"the worker hung for {self._patience:g} s and was stopped"
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1.0)
            if code < 0:
                with contextlib.suppress(ValueError):
                    return f"the worker was ended by {signal.Signals(-code).name}"
        return "the worker ended unexpectedly"

    def kill(self) -> None:
        """End it and its decoder at once."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._stdin, self.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            self._stdin.write(json.dumps(message).encode() + b"\n")
            self._stdin.flush()
        except OSError:
            self.dead = True


class ProcessEngine:
    """A fixed number of workers on this machine.

    Args:
        workers: How many; they start with the first files.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise UsageError(f"--workers must be at least 1, got {workers}")
        self._count = workers
        self._job: ScanJob | None = None
        self._workers: list[Worker] = []
        self._deaths = 0

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.pid for worker in self._workers]

    def map(self, paths: Iterable[Path], job: ScanJob) -> Iterator[Record]:
        """Yield records as they come."""
        if job != self._job:
            self.close()
            self._job = job
        source = iter(paths)
        again: deque[Task] = deque()
        try:
            self._give(source, again, job)
            while any(worker.task for worker in self._workers):
                found = list(self._collect(again))
                # First the workers, then the caller: what it does with a record takes time.
                self._give(source, again, job)
                yield from found
        finally:
            for worker in [w for w in self._workers if w.task is not None]:
                self._drop(worker)

    def close(self) -> None:
        """End all workers."""
        while self._workers:
            self._drop(self._workers[-1])

    def _drop(self, worker: Worker) -> None:
        worker.kill()
        self._workers.remove(worker)

    def _give(self, source: Iterator[Path], again: deque[Task], job: ScanJob) -> None:
        """Give every idle worker a file; start workers while there are files for them."""
        for worker in list(self._workers):
            if worker.task is None and (task := self._next(source, again)) is not None:
                worker.give(task)
        while len(self._workers) < self._count:
            task = self._next(source, again)
            if task is None:
                return
            worker = Worker(job)
            self._workers.append(worker)
            worker.give(task)

    def _next(self, source: Iterator[Path], again: deque[Task]) -> Task | None:
        if again:
            return again.popleft()
        path = next(source, None)
        return None if path is None else Task(path)

    def _collect(self, again: deque[Task]) -> Iterator[Record]:
        """Wait for a sign of any worker, and look after those that died or hang."""
        with selectors.DefaultSelector() as selector:
            for worker in self._workers:
                selector.register(worker.stdout, selectors.EVENT_READ, worker)
            for key, _ in selector.select(0.25):
                yield from self._listen(key.data)
        for worker in [w for w in self._workers if w.dead or w.hung]:
            yield from self._bury(worker, again)

    def _listen(self, worker: Worker) -> Iterator[Record]:
        for message in worker.read():
            if "refused" in message:
                kind = getattr(forensics.errors, message["kind"], ForensicsError)
                raise _rebuilt(kind, message["refused"])
            worker.ready = True
            if "record" in message and worker.task is not None:
                task, worker.task = worker.task, None
                self._deaths = 0
                yield Record(task.path, attempts=task.attempts, **message["record"])

    def _bury(self, worker: Worker, again: deque[Task]) -> Iterator[Record]:
        how, task, ready = worker.how(), worker.task, worker.ready
        self._drop(worker)
        self._deaths += 1
        if not ready:
            # It never saw the file, so the file cannot be the cause.
            if task is not None:
                task.attempts -= 1
            if self._deaths >= _BOOT_DEATHS:
                raise ForensicsError(f"workers end before they have started: {how}")
        if task is None:
            return
        if task.attempts < MAX_ATTEMPTS:
            again.append(task)
        else:
            yield crashed(task.path, how, task.attempts)


def _rebuilt(kind: Any, message: str) -> ForensicsError:
    """Return a worker's refusal as the error that it was."""
    fits = isinstance(kind, type) and issubclass(kind, ForensicsError)
    if not fits or issubclass(kind, forensics.errors.UnreadableInputError):
        return ForensicsError(message)
    error: ForensicsError = kind(message)
    return error
