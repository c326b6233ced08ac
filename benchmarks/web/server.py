"""A desk in a process of its own, started as a user starts it."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BOOT = "from forensics.cli.app import main; main()"
_WAIT = 300.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running desk.

    Attributes:
        url: Address, without a slash at its end.
        pid: Process id.
    """

    url: str
    pid: int

    def get(self, path: str) -> Any:
        """Return the JSON answer to one question."""
        with urllib.request.urlopen(f"{self.url}/v1/{path}", timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, **body: str) -> None:
        """Send JSON."""
        import httpx2

        httpx2.post(f"{self.url}/v1/{path}", json=body, timeout=30).raise_for_status()

    def scan(self, clip: Path, **fields: str) -> str:
        """Upload a clip, wait for its report, and return the case's id."""
        import httpx2

        with clip.open("rb") as file:
            sent = httpx2.post(
                f"{self.url}/v1/scans", data=fields, files={"file": (clip.name, file)}, timeout=120
            )
        sent.raise_for_status()
        case: str = sent.json()["id"]
        end = time.monotonic() + _WAIT
        while self.get(f"scans/{case}")["state"] != "done":
            if time.monotonic() > end:
                raise TimeoutError(f"{clip.name} was not scanned within {_WAIT:g} s")
            time.sleep(0.25)
        return case


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    """Run ``forensics serve`` on a free port until the block ends.

    Raises:
        RuntimeError: It ended before it listened.
    """
    words = ["serve", "--port", "0", "--data", str(folder), *options]
    process = subprocess.Popen(
        [sys.executable, "-c", _BOOT, *words], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"(http://\S+?)/ ", line)
        if found is None:
            raise RuntimeError(f"forensics serve: {line.strip() or 'no answer'}")
        _wait(found[1])
        yield Server(found[1], process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stderr is not None:
            process.stderr.close()


def _wait(url: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{url}/v1/health", timeout=5):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
