"""The decoding process: takes commands on standard input, answers on standard output.

Everything that touches a hostile file happens here, so that a crash or a hang of a codec ends
this process and nothing else. It ends by itself when its parent does.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from forensics.media._decode import stream_video
from forensics.media._fault import MediaFault, StoppedError
from forensics.media._images import is_still, read_still
from forensics.media._probe import probe
from forensics.media._protocol import ProtocolError, receive, send
from forensics.media.limits import Limits
from forensics.media.plan import SamplingPlan

_TICK = 0.5
Command = dict[str, Any]


class Inbox:
    """Commands from the parent, read by a thread so that a stop is seen in mid decode."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._changed = threading.Condition()
        self._job = 0
        self._credit = 0
        self._stopped = False
        self.jobs: SimpleQueue[Command] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def begin(self, command: Command) -> None:
        """Make ``command`` the job that later credits and stops belong to."""
        with self._changed:
            self._job = int(command["job"])
            self._credit = int(command.get("window", 0))
            self._stopped = False

    def check(self) -> None:
        """Raise `StoppedError` if the parent has stopped the job."""
        if self._stopped:
            raise StoppedError

    def spend(self) -> None:
        """Wait until the parent can take another frame.

        Raises:
            StoppedError: The parent has stopped the job.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._credit > 0 or self._stopped)
            self.check()
            self._credit -= 1

    def _read(self) -> None:
        try:
            while (message := receive(self._pipe)) is not None:
                self._take(message[0])
        except ProtocolError:
            pass
        os._exit(0)

    def _take(self, command: Command) -> None:
        kind = command["do"]
        if kind in _JOBS:
            self.jobs.put(command)
            return
        with self._changed:
            if command["job"] == self._job:
                self._credit += kind == "more"
                self._stopped |= kind == "stop"
                self._changed.notify_all()


class Job:
    """One command being carried out."""

    def __init__(self, command: Command, inbox: Inbox, pipe: BinaryIO) -> None:
        self.path = str(command["path"])
        self.limits = Limits(**command["limits"])
        self.plan = SamplingPlan(**command.get("plan", {}))
        self._id = int(command["job"])
        self._inbox, self._pipe = inbox, pipe
        self._told = time.monotonic()

    def say(self, event: str, payload: memoryview | None = None, **values: Any) -> None:
        """Send one message of this job."""
        self._told = time.monotonic()
        send(self._pipe, {"job": self._id, "event": event, **values}, payload)

    def tick(self) -> None:
        """Report progress now and then; leave when the parent has stopped the job."""
        self._inbox.check()
        if time.monotonic() - self._told > _TICK:
            self.say("progress")

    def emit(
        self, image: NDArray[np.uint8], pts: float, shot: int, burst: int | None = None,
        extra: bool = False,
    ) -> None:
        """Send one picture once the parent can take it."""
        self._inbox.spend()
        self.say(
            "frame", image.data, shape=image.shape, pts=pts, shot=shot, burst=burst, extra=extra
        )


def _probe(job: Job) -> None:
    job.say("end", facts=probe(job.path, job.limits))


def _stream(job: Job) -> None:
    if is_still(job.path):
        image, notes = read_still(job.path, job.limits)
        job.emit(image, 0.0, 0)
    else:
        notes = stream_video(job.path, job.plan, job.limits, job.emit, job.tick)
    job.say("end", warnings=notes)


_JOBS: dict[str, Callable[[Job], None]] = {"probe": _probe, "stream": _stream}


def main() -> None:
    """Serve jobs until the parent closes standard input."""
    # Ctrl-C at a terminal reaches this process too, but the parent decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    av.logging.set_level(None)
    inbox = Inbox(os.fdopen(os.dup(0), "rb", buffering=0))
    gc.collect()
    gc.freeze()  # what was imported stays; to look through it again for every job took 10 ms
    while True:
        command = inbox.jobs.get()
        inbox.begin(command)
        gc.collect()
        job = Job(command, inbox, answers)
        try:
            _JOBS[command["do"]](job)
        except StoppedError:
            job.say("end", warnings=[])
        except MediaFault as fault:
            job.say("error", kind=fault.kind, cause=fault.cause)
        except MemoryError:
            job.say("error", kind="over_limit", cause="needs more memory than there is")
        except OSError as error:
            cause = error.strerror or "cannot be read"
            job.say("error", kind="unreadable", cause=cause.lower())
        # The parent must get an answer to every job, whatever a library raises.
        except Exception as error:
            job.say("error", kind="unreadable", cause=f"decoder failed ({type(error).__name__})")


if __name__ == "__main__":
    main()
