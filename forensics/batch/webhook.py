"""Tell another service of each verdict. The only thing in a batch that uses the network."""

from __future__ import annotations

import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from forensics.batch.recorder import Entry
from forensics.errors import UsageError

_ROOM = 1000
_TRIES = 3
_TIMEOUT = 10.0
_LAST = 30.0  # seconds that the end of a batch waits for messages


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        """Go nowhere else than where the person said."""


class Webhook:
    """Posts one JSON object a verdict, in a thread of its own, with three tries each.

    A service that does not answer never holds up or ends a batch: what cannot be delivered is
    counted and told once at the end; the store has it all.

    Args:
        url: Address, http or https.
        say: Takes one line for a person.

    Raises:
        UsageError: The address is none.
    """

    def __init__(self, url: str, say: Callable[[str], None], *, wait: float = 1.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError("--webhook must be an http or https address")
        self._url, self._say, self._wait = url, say, wait
        self._host = parts.hostname
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(_ROOM)
        self.lost = 0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Send a record's verdict, without waiting."""
        try:
            self._queue.put_nowait(message(entry))
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Wait a while for what is on its way, and say what did not arrive."""
        end = time.monotonic() + _LAST
        try:
            self._queue.put(None, timeout=_LAST)
            self._thread.join(max(0.0, end - time.monotonic()))
        except queue.Full:
            pass
        self.lost += self._queue.qsize()
        if self.lost:
            self._say(f"warning: {self.lost} verdicts did not reach the webhook at {self._host}; "
                      "the store has them (cases list --since)")  # fmt: skip

    def _work(self) -> None:
        while (content := self._queue.get()) is not None:
            if not self._send(content):
                self.lost += 1

    def _send(self, content: dict[str, Any]) -> bool:
        request = urllib.request.Request(
            self._url, json.dumps(content).encode(), {"Content-Type": "application/json"}
        )
        for number in range(_TRIES):
            if number:
                time.sleep(self._wait * 2**number)
            try:
                with self._opener.open(request, timeout=_TIMEOUT) as answer:
                    answer.read(1024)
                return True
            except (OSError, ValueError):
                continue
        return False


def message(entry: Entry) -> dict[str, Any]:
    """Return what is sent of a record: the verdict and what rules say, no picture."""
    report = entry.report
    return {
        "case": entry.case.id,
        "path": entry.case.path,
        "sha256": report["file"]["sha256"],
        "verdict": report["verdict"],
        "declaration": report["declaration"]["status"],
        "findings": [
            {"rule": item["rule"], "outcome": item["outcome"]} for item in report["findings"]
        ],
        "scope": report["scope"],
    }
