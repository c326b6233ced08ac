"""Whether the server's memory stays flat while a large file comes in."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.web.server import Server

_PIECE = 1 << 20
_MARK = re.compile(r"^(VmHWM|VmRSS):\s+(\d+) kB$", re.MULTILINE)


def _memory(pid: int) -> dict[str, int]:
    """Return resident size and its largest value so far, bytes."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return {name: 1024 * int(value) for name, value in _MARK.findall(text)}


def upload(server: Server, size: int) -> dict[str, Any]:
    """Send ``size`` bytes that are no media and watch the server's memory.

    Returns:
        ``grown`` (bytes above the resident size before, at the peak), ``seconds`` and ``status``.
    """
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak counts from here
    before = _memory(server.pid)["VmRSS"]
    head, tail = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="large.mp4"\r\n\r\n',
        b"\r\n--B--\r\n",
    )
    place = urlsplit(server.url)
    asked = (
        f"POST /v1/scans HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\n"
        f"Content-Length: {len(head) + size + len(tail)}\r\n\r\n"
    )
    piece = bytes(range(256)) * (_PIECE // 256)
    start = time.perf_counter()
    with socket.create_connection((place.hostname, place.port), timeout=120) as link:
        link.sendall(asked.encode() + head)
        for _ in range(size // _PIECE):
            link.sendall(piece)
        link.sendall(tail)
        answer = link.makefile("rb").readline().decode()
    seconds = time.perf_counter() - start
    peak = _memory(server.pid)["VmHWM"]
    return {
        "bytes": size, "seconds": seconds, "status": int(answer.split()[1]),
        "before": before, "peak": peak, "grown": peak - before,
    }  # fmt: skip
