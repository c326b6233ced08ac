"""A Ray cluster: one actor a worker holds the models, paths travel, pixels never do.

Every node needs this package, the models, and the files under the same paths. Ray listens on the
network: use it on a private one only. Token authentication is on (``RAY_AUTH_MODE=token``, the
token in ``RAY_AUTH_TOKEN`` or Ray's own file, the same on every node), usage statistics are off.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forensics.errors
from forensics.engines.base import (
    MAX_ATTEMPTS,
    WORKER_ENV,
    Record,
    ScanJob,
    crashed,
    path_from_text,
    path_to_text,
    record_to_json,
)
from forensics.errors import ForensicsError, UsageError

_LOG = logging.getLogger(__name__)
_TICK = 0.5
_LOOK = 5.0  # seconds between two looks at the nodes
_DEATHS = 10  # in a row, without one file done
_KNOCK = 10.0  # seconds
_PLACE = 300.0  # seconds that an actor may wait for a node


class Host:
    """What lives in an actor: one warm pipeline. Errors of a file never leave it."""

    def __init__(self, job: dict[str, Any]) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._refused: list[str] = []
        try:
            from forensics.engines.examine import Examiner

            self._examiner = Examiner(ScanJob.from_json(job))
        except ForensicsError as error:
            self._refused = [type(error).__name__, str(error)]

    def ready(self) -> list[str]:
        """Return nothing, or why the job cannot be carried out."""
        return self._refused

    def examine(self, path: str) -> dict[str, Any]:
        """Return the record of one file."""
        return record_to_json(self._examiner.examine(path_from_text(path)))


@dataclass(slots=True)
class _Busy:
    actor: Any
    path: Path | None  # None while the actor starts
    since: float


class RayEngine:
    """Workers on a Ray cluster, or on a small one of its own on this machine.

    Args:
        workers: Actors, one CPU each.
        address: ``HOST:PORT`` of a cluster; a local one is started and ended when None.

    Raises:
        UsageError: Ray is not installed, or the cluster cannot be joined.
    """

    def __init__(self, workers: int, address: str | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        # Ray lets its workers give way to everything else on the machine unless told not to.
        os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            import ray
        except ImportError as error:
            raise UsageError(
                "--engine ray needs a package that is not installed; run: "
                "pip install 'deepfake-forensics[ray]'"
            ) from error
        self._ray: Any = ray
        self._count = workers
        self._job: ScanJob | None = None
        self._idle: list[Any] = []
        self._busy: dict[Any, _Busy] = {}
        self._ours = not ray.is_initialized()
        self._deaths = 0
        self._nodes, self._looked = 0, 0.0
        if self._ours:
            _connect(ray, workers, address)

    @property
    def idle(self) -> int:
        """How many actors have their models loaded and wait for a file."""
        return len(self._idle)

    def map(self, paths: Iterable[Path], job: ScanJob) -> Iterator[Record]:
        """Yield records as they come; at most one file an actor is on its way."""
        if job != self._job:
            self._drop_all()
            self._job = job
        source, again = iter(paths), deque[Path]()
        attempts: dict[Path, int] = {}
        try:
            more = self._give(source, again, attempts)
            while more or attempts:
                found = list(self._collect(again, attempts))
                # First the actors, then the caller: what it does with a record takes time.
                more = self._give(source, again, attempts)
                yield from found
        finally:
            for ref, busy in list(self._busy.items()):
                if busy.path is not None:
                    self._forget(ref)

    def close(self) -> None:
        """End all actors, and the cluster if it is our own."""
        self._drop_all()
        if self._ours:
            self._ray.shutdown()

    def _give(
        self, source: Iterator[Path], again: deque[Path], attempts: dict[Path, int]
    ) -> bool:
        """Give idle actors a file; start actors while there is work. False: the source ended."""
        while True:
            if not self._idle and len(self._busy) >= self._count:
                return True
            if not self._idle:
                self._start()
                continue
            path = again.popleft() if again else next(source, None)
            if path is None:
                return False
            attempts[path] = attempts.get(path, 0) + 1
            actor = self._idle.pop()
            ref = actor.examine.remote(path_to_text(path))
            self._busy[ref] = _Busy(actor, path, time.monotonic())

    def _start(self) -> None:
        assert self._job is not None
        host = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Host)
        actor = host.remote(self._job.to_json())
        self._busy[actor.ready.remote()] = _Busy(actor, None, time.monotonic())

    def _collect(self, again: deque[Path], attempts: dict[Path, int]) -> Iterator[Record]:
        """Wait for any actor; look after those that died, hang, or lost their node."""
        assert self._job is not None
        done, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=_TICK)
        for ref in done:
            busy = self._busy.pop(ref)
            try:
                answer = self._ray.get(ref)
            except self._ray.exceptions.RayError as error:
                yield from self._bury(busy, _how(error), again, attempts)
                continue
            if busy.path is None:
                if answer:
                    raise _rebuilt(*answer)
            else:
                self._deaths = 0
                count = attempts.pop(busy.path)
                yield Record(busy.path, attempts=count, **answer)
            self._idle.append(busy.actor)
        now = time.monotonic()
        self._look_at_nodes(now)
        for ref, busy in list(self._busy.items()):
            patience = _PLACE if busy.path is None else self._patience(busy.path)
            if now - busy.since <= patience:
                continue
            self._forget(ref)
            if busy.path is not None:
                how = f"the worker did not end within {patience:g} s and was stopped"
                yield from self._bury(busy, how, again, attempts)
            elif self._idle or self._busy:
                self._count -= 1  # a node was lost; the others go on
            else:
                raise ForensicsError(
                    f"the cluster gave no place for a worker in {_PLACE:g} s; are there free CPUs?"
                )

    def _look_at_nodes(self, now: float) -> None:
        """Say when a node was lost; its files come back by their actors' deaths."""
        if now - self._looked < _LOOK:
            return
        self._looked, before = now, self._nodes
        self._nodes = sum(bool(node["Alive"]) for node in self._ray.nodes())
        if self._nodes < before:
            _LOG.warning(
                "warning: the cluster lost a node and has %d left; files that it had are tried "
                "once more on the others", self._nodes,
            )  # fmt: skip

    def _patience(self, path: Path) -> float:
        """Actors give no signs of life, so the whole of a scan has a limit: that of decoding."""
        assert self._job is not None
        return self._job.patience + self._job.options.limits.timeout

    def _bury(
        self, busy: _Busy, how: str, again: deque[Path], attempts: dict[Path, int]
    ) -> Iterator[Record]:
        self._deaths += 1
        if self._deaths >= _DEATHS:
            raise ForensicsError(f"workers end before they have done anything: {how}")
        if busy.path is None:
            return
        if attempts[busy.path] < MAX_ATTEMPTS:
            again.append(busy.path)
        else:
            yield crashed(busy.path, how, attempts.pop(busy.path))

    def _forget(self, ref: Any) -> None:
        busy = self._busy.pop(ref)
        self._ray.kill(busy.actor, no_restart=True)

    def _drop_all(self) -> None:
        for ref in list(self._busy):
            self._forget(ref)
        for actor in self._idle:
            self._ray.kill(actor, no_restart=True)
        self._idle = []


def _connect(ray: Any, workers: int, address: str | None) -> None:
    """Join a cluster, or start one that nobody else can reach.

    Raises:
        UsageError: It cannot be joined.
    """
    common: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    # Ray would copy the working folder's environment; actors get what they need to import us.
    common["runtime_env"] = {"env_vars": WORKER_ENV}
    try:
        if address is not None:
            _knock(address)
            ray.init(address=address, **common)
        else:
            ray.init(num_cpus=workers, include_dashboard=False, **common,
                     _node_ip_address="127.0.0.1")  # fmt: skip
    except Exception as error:  # its errors have no common base
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if isinstance(error, OSError):
            first = (error.strerror or first).lower()
        where = address or "this machine"
        raise UsageError(
            f"--engine ray: no cluster at {where}: {first} (RAY_AUTH_MODE and RAY_AUTH_TOKEN must "
            "be the same on every node)"
        ) from error


def _knock(address: str) -> None:
    """See whether anybody answers there: Ray itself tries for two minutes.

    Raises:
        OSError: Nobody does.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK):
            pass


def _how(error: Exception) -> str:
    name = type(error).__name__.removesuffix("Error")
    return {
        "ActorDied": "the worker died",
        "ActorUnavailable": "the worker's node cannot be reached",
        "NodeDied": "the worker's node was lost",
    }.get(name, f"the worker failed ({name})")


def _rebuilt(kind: str, message: str) -> ForensicsError:
    found = getattr(forensics.errors, kind, ForensicsError)
    fits = isinstance(found, type) and issubclass(found, ForensicsError)
    if not fits or issubclass(found, forensics.errors.UnreadableInputError):
        return ForensicsError(message)
    error: ForensicsError = found(message)
    return error
