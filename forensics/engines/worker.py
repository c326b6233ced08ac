"""A process that examines files for the process engine, until its driver goes away.

It reads one JSON message a line: the job first, then ``{"path": ...}``. It answers ``{"ready"}``
once, then any number of ``{"beat"}`` and one ``{"record"}`` a file; ``{"refused"}`` means that the
job itself cannot be carried out.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from queue import SimpleQueue
from typing import Any, BinaryIO

from forensics.engines.base import ScanJob, path_from_text, record_to_json
from forensics.errors import ForensicsError

_BEAT = 1.0  # seconds between two signs of life


class _Voice:
    """Writes messages; signs of life only now and then."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._last = time.monotonic()

    def say(self, message: dict[str, Any]) -> None:
        self._last = time.monotonic()
        self._pipe.write(json.dumps(message).encode() + b"\n")
        self._pipe.flush()

    def beat(self) -> None:
        if time.monotonic() - self._last > _BEAT:
            self.say({"beat": 1})


def main() -> None:
    """Serve one job until standard input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    voice = _Voice(out)
    inbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_read, args=(inbox,), daemon=True).start()
    try:
        _serve(voice, inbox)
    except ForensicsError as error:
        voice.say({"refused": str(error), "kind": type(error).__name__})


def _read(inbox: SimpleQueue[dict[str, Any]]) -> None:
    """Hand messages over; when the driver is gone, nobody wants what is being done here."""
    for line in sys.stdin.buffer:
        inbox.put(json.loads(line))
    os._exit(0)


def _serve(voice: _Voice, inbox: SimpleQueue[dict[str, Any]]) -> None:
    import cv2

    from forensics.engines.examine import Examiner

    # Workers share the cores among themselves; threads inside one would only wait for them.
    cv2.setNumThreads(1)
    examiner = Examiner(ScanJob.from_json(inbox.get()["job"]))
    voice.say({"ready": 1})
    while True:
        record = examiner.examine(path_from_text(inbox.get()["path"]), voice.beat)
        voice.say({"record": record_to_json(record)})


if __name__ == "__main__":
    main()
