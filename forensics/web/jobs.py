"""The queue of scans and previews: worker threads, each with a process that can be killed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from forensics.engines.base import MAX_ATTEMPTS
from forensics.web.children import ChildFailedError, WorkerChild


@dataclass(slots=True)
class Task:
    """One piece of work.

    Attributes:
        key: What it is for; two tasks with one key are never queued at the same time.
        request: For the worker process.
        timeout: Seconds.
        done: Called in the worker thread with the result, or with what went wrong.
        progress: Pictures seen and planned; None before it starts.
        cancelled: Set to stop it.
    """

    key: str
    request: Mapping[str, Any] = field(kw_only=True)
    timeout: float = field(kw_only=True)
    done: Callable[[dict[str, Any] | None, ChildFailedError | None], None] = field(kw_only=True)
    started: Callable[[], None] = field(kw_only=True, default=lambda: None)
    progress: tuple[int, int | None] | None = field(kw_only=True, default=None)
    cancelled: bool = field(kw_only=True, default=False)


class QueueFullError(Exception):
    """There is no room for another task."""


class JobQueue:
    """Run tasks in a fixed number of worker threads.

    Args:
        workers: Number of threads and processes.
        room: Tasks that may wait.
    """

    def __init__(self, workers: int, room: int) -> None:
        self._room = room
        self._waiting: queue.Queue[Task | None] = queue.Queue()
        self._known: dict[str, Task] = {}
        self._lock = threading.Lock()
        self._stop = False
        self._children: list[WorkerChild] = []
        self._threads = [
            threading.Thread(target=self._work, name=f"forensics-job-{n}", daemon=True)
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many tasks wait or run."""
        return len(self._known)

    @property
    def full(self) -> bool:
        """Whether another task would be refused."""
        return len(self._known) >= self._room

    def put(self, task: Task, *, always: bool = False) -> None:
        """Queue a task; one that is known already is left as it is.

        Raises:
            QueueFullError: No room, unless ``always``.
        """
        with self._lock:
            if task.key in self._known:
                return
            if not always and self.full:
                raise QueueFullError
            self._known[task.key] = task
        self._waiting.put(task)

    def find(self, key: str) -> Task | None:
        """Return the task that waits or runs under this key."""
        return self._known.get(key)

    def cancel(self, key: str) -> None:
        """Stop a task; its process is killed when it runs."""
        task = self._known.get(key)
        if task is not None:
            task.cancelled = True

    def close(self) -> None:
        """Stop all work; what did not finish is found again at the next start."""
        self._stop = True
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return [child.pid for child in self._children if child.pid is not None]

    def _work(self) -> None:
        child = WorkerChild()
        self._children.append(child)
        try:
            while (task := self._waiting.get()) is not None and not self._stop:
                self._run(child, task)
        finally:
            child.close()

    def _run(self, child: WorkerChild, task: Task) -> None:
        def note(seen: int, planned: int | None) -> None:
            task.progress = (seen, planned)

        result, failure, attempts = None, None, 0
        try:
            if not task.cancelled:
                task.started()
            while result is None:
                attempts += 1
                try:
                    result = child.run(
                        task.request,
                        timeout=task.timeout,
                        on_progress=note,
                        cancelled=lambda: task.cancelled or self._stop,
                    )
                except ChildFailedError as error:
                    # As in a batch: what killed a worker once may have met bad luck, not twice.
                    if error.reason != "worker_crashed" or attempts >= MAX_ATTEMPTS:
                        raise
            result["attempts"] = attempts
        except ChildFailedError as error:
            failure = error
        except Exception as error:  # a bug must not end the thread: other cases wait
            failure = ChildFailedError(f"internal error: {error!r}", "internal")
        try:
            if not self._stop:
                task.done(result, failure)
        finally:
            with self._lock:
                self._known.pop(task.key, None)
