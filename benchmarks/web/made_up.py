"""Requests made up from the OpenAPI schema by schemathesis: how many, and how many failed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from forensics.engines import ScanOptions
from forensics.web.app import create_app
from forensics.web.settings import ServeSettings

_LOCAL = {"Host": "127.0.0.1"}


def made_up(folder: Path, examples: int) -> dict[str, Any]:
    """Send up to ``examples`` requests an operation; all but deletions meet a case that exists.

    Returns:
        ``operations``, ``requests``, and ``statuses`` by first digit.
    """
    import schemathesis
    from starlette.testclient import TestClient

    asked = ServeSettings(data=folder, options=ScanOptions(frames=4), reads=1e6, writes=1e6)
    statuses: Counter[str] = Counter()
    app = create_app(asked)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        sent = client.post("/v1/scans", files={"file": ("junk.mp4", b"no media")})
        known = sent.json()["id"]
        while client.get(f"/v1/scans/{known}").json()["state"] != "done":
            pass
        app.state.desk.jobs.close()  # what comes in now is taken, and not scanned
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=_LOCAL)
        operations = [found.ok() for found in schema.get_all_operations()]
        for operation in operations:
            _probe(operation, known, examples, statuses)
    return {
        "operations": len(operations), "requests": sum(statuses.values()),
        "statuses": dict(sorted(statuses.items())),
    }  # fmt: skip


def _probe(operation: Any, known: str, examples: int, statuses: Counter[str]) -> None:
    @seed(7)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def probe(case: Any) -> None:
        if case.method != "DELETE" and "case" in (case.path_parameters or {}):
            case.path_parameters["case"] = known
        statuses[f"{case.call(headers=_LOCAL).status_code // 100}xx"] += 1

    probe()
