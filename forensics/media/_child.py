"""Start, keep, watch and end the decoding process (in the parent)."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO, cast

from forensics.media._protocol import ProtocolError, receive, send

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from forensics.media._worker import main; main()"
)
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031
_GRACE = 2.0
_JOBS = 1000  # of one child: codecs keep a little memory of every file
Message = tuple[dict[str, Any], bytearray]


class ChildDiedError(Exception):
    """The decoding process ended; the text says how."""


class ChildSilentError(Exception):
    """The decoding process gave no sign of life in time."""


class Child:
    """One decoding process and the thread that reads its answers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # Codec threads come and go with each file; an arena for each would pile up (glibc).
            env={**os.environ, "MALLOC_ARENA_MAX": "2"},
        )
        self._stdin = cast(BinaryIO, self._process.stdin)
        self._stdout = cast(BinaryIO, self._process.stdout)
        _enlarge(self._stdout)
        self._answers: SimpleQueue[Message | None] = SimpleQueue()
        self._job = 0
        self.max_payload = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def worn(self) -> bool:
        """Whether it has done so much that a new one should take its place."""
        return self._job >= _JOBS

    def begin(self, do: str, max_payload: int, **values: Any) -> int:
        """Send a job and return its number.

        Raises:
            ChildDiedError: The process has ended.
        """
        self._job += 1
        self.max_payload = max_payload
        self._send({"do": do, "job": self._job, **values})
        return self._job

    def tell(self, do: str, job: int) -> None:
        """Send ``more`` or ``stop`` for a job; a dead child is noticed on the next answer."""
        with contextlib.suppress(ChildDiedError):
            self._send({"do": do, "job": job})

    def answer(self, job: int, timeout: float) -> Message:
        """Return the next message of a job.

        Args:
            job: Number from `begin`.
            timeout: Seconds to wait.

        Raises:
            ChildDiedError: The process ended or sent nonsense.
            ChildSilentError: Nothing came in time.
        """
        end = time.monotonic() + timeout
        while True:
            try:
                message = self._answers.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                raise ChildSilentError from None
            if message is None:
                self.kill()
                raise ChildDiedError(self._obituary())
            if message[0].get("job") == job:
                return message

    def close(self) -> None:
        """Ask the process to end, and kill it if it does not."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self.kill()

    def kill(self) -> None:
        """End the process at once and free its pipes."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        self._thread.join(_GRACE)
        for pipe in (self._stdin, self._stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def _send(self, header: dict[str, Any]) -> None:
        try:
            send(self._stdin, header)
        except (OSError, ValueError) as error:
            raise ChildDiedError(self._obituary()) from error

    def _read(self) -> None:
        try:
            while (message := receive(self._stdout, cap=lambda: self.max_payload)) is not None:
                self._answers.put(message)
        except (ProtocolError, OSError, ValueError):
            pass
        self._answers.put(None)

    def _obituary(self) -> str:
        code = self._process.poll()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"the decoder crashed ({signal.Signals(-code).name})"
        return "the decoder ended unexpectedly"


class Pool:
    """Keeps one idle child warm; a second user at the same time gets a child of its own.

    A child is replaced after many jobs, so that a batch may run for months.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Child] = []

    def acquire(self) -> Child:
        """Return a living child that nobody else uses."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is not None and child.alive:
            return child
        if child is not None:
            child.kill()
        return Child()

    def release(self, child: Child) -> None:
        """Give a child back after its job has ended."""
        with self._lock:
            if child.alive and not child.worn and not self._idle:
                self._idle.append(child)
                return
        child.close()

    def close(self) -> None:
        """End the idle child."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()

    def forget(self) -> None:
        """Drop the idle child without touching it: after a fork it belongs to the parent."""
        self._lock = threading.Lock()
        self._idle = []


POOL = Pool()
atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)


def _enlarge(pipe: BinaryIO) -> None:
    """Give the pipe a larger kernel buffer where the system can (fewer switches per frame)."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), _SET_PIPE_SIZE, _PIPE_BYTES)
