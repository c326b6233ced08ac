"""The parent's side of a worker process: start it, talk to it, kill it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

_POLL = 0.25
_MAX_LINE = 64 << 20

ChildProgress = Callable[[int, int | None], None]


class ChildFailedError(Exception):
    """A request ended without a result.

    Args:
        cause: One line.
        reason: ``timeout``, ``worker_crashed``, ``cancelled``, or what the worker named.
    """

    def __init__(self, cause: str, reason: str) -> None:
        self.reason = reason
        super().__init__(cause)


class WorkerChild:
    """One worker process, started when it is first needed and again after it was killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def run(
        self,
        request: Mapping[str, Any],
        *,
        timeout: float,
        on_progress: ChildProgress,
        cancelled: Callable[[], bool],
    ) -> dict[str, Any]:
        """Send one request and wait for its end.

        Args:
            request: JSON-ready; see `forensics.web.worker`.
            timeout: Seconds after which the process is killed.
            on_progress: Receives pictures seen and planned.
            cancelled: Asked several times a second; True kills the process.

        Raises:
            ChildFailedError: No result; the reason says why.
        """
        process = self._running()
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            self.close()
            raise ChildFailedError("the scanning process died", "worker_crashed") from error
        end = time.monotonic() + timeout
        while True:
            message = self._answer(process, end, timeout, cancelled)
            if "progress" in message:
                on_progress(*message["progress"])
            elif "done" in message:
                done: dict[str, Any] = message["done"]
                return done
            else:
                raise ChildFailedError(str(message["failed"]), str(message["reason"]))

    @property
    def pid(self) -> int | None:
        """Process id, while it runs."""
        process = self._process
        return None if process is None else process.pid

    def close(self) -> None:
        """End the process and what it started."""
        process, self._process, self._rest = self._process, None, b""
        if process is None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "forensics.web.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # one signal then reaches the decoder too
            )
        return self._process

    def _answer(
        self,
        process: subprocess.Popen[bytes],
        end: float,
        timeout: float,
        cancelled: Callable[[], bool],
    ) -> dict[str, Any]:
        """Wait for one line."""
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if cancelled():
                    self.close()
                    raise ChildFailedError("the scan was cancelled", "cancelled")
                if time.monotonic() > end:
                    self.close()
                    raise ChildFailedError(f"took longer than {timeout:g} s", "timeout")
                if not selector.select(_POLL):
                    continue
                piece = os.read(process.stdout.fileno(), 1 << 20)
                if not piece or len(self._rest) > _MAX_LINE:
                    self.close()
                    raise ChildFailedError("the scanning process died", "worker_crashed")
                self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message
