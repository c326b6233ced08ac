"""A desk that really listens, in a thread of the test."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from forensics.engines import ScanOptions
from forensics.web.app import create_app
from forensics.web.desk import Desk
from forensics.web.settings import ServeSettings

BASE = "http://127.0.0.1"
PATIENCE = 90.0


def settings_for(folder: Path, **changes: Any) -> ServeSettings:
    """Return settings for tests: few pictures, no rate limit that a loop would meet."""
    defaults: dict[str, Any] = {
        "data": folder / "desk", "options": ScanOptions(frames=8), "reads": 1e6, "writes": 1e6,
    }  # fmt: skip
    return ServeSettings(**(defaults | changes))


@contextlib.contextmanager
def opened(settings: ServeSettings, **options: Any) -> Iterator[TestClient]:
    """Yield a client of a desk in this process."""
    with TestClient(create_app(settings), base_url=BASE, **options) as client:
        yield client


def desk_of(client: TestClient) -> Desk:
    """Return the desk behind a client."""
    app = client.app
    assert isinstance(app, FastAPI)
    desk = app.state.desk
    assert isinstance(desk, Desk)
    return desk


def send(client: TestClient, path: Path, name: str | None = None, **fields: str) -> str:
    """Upload a file and return the id of its case."""
    with path.open("rb") as file:
        answer = client.post("/v1/scans", data=fields, files={"file": (name or path.name, file)})
    assert answer.status_code == 202, answer.text
    case = answer.json()["id"]
    assert isinstance(case, str)
    return case


def finished(client: TestClient, case: str) -> dict[str, Any]:
    """Wait until a scan has ended and return what the API says of it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        said: dict[str, Any] = client.get(f"/v1/scans/{case}").json()
        if said["state"] == "done":
            return said
        time.sleep(0.05)
    raise AssertionError(f"the scan did not end within {PATIENCE} s")


@dataclass(frozen=True)
class Running:
    """A desk that listens."""

    url: str
    port: int
    desk: Desk


@contextlib.contextmanager
def listening(settings: ServeSettings) -> Iterator[Running]:
    """Serve in a thread until the block ends."""
    import uvicorn

    app = create_app(settings)
    door = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = door.getsockname()[1]
    config = uvicorn.Config(
        app, log_level="error", access_log=False, ws="none", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive() and time.monotonic() < end, "the server did not start"
            time.sleep(0.02)
        yield Running(f"http://127.0.0.1:{port}", port, app.state.desk)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        door.close()
