"""Requests made up from the OpenAPI schema: whatever comes, the server itself never fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.web.running import desk_of, finished, opened, send, settings_for

LOCAL = {"Host": "127.0.0.1"}


def test_no_server_error(tmp_path: Path) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no media")
    with opened(settings_for(tmp_path), raise_server_exceptions=False) as client:
        known = send(client, junk)
        finished(client, known)
        desk_of(client).jobs.close()  # what comes in now is taken, and not scanned
        schema = schemathesis.openapi.from_asgi("/openapi.json", client.app, headers=LOCAL)
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) > 20
        for operation in operations:
            _probe(operation, known)
        assert client.get(f"/v1/cases/{known}").status_code == 200


def _probe(operation: Any, known: str) -> None:
    """Make up requests; all but deletions are about a case that exists."""

    @settings(max_examples=10, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(case=operation.as_strategy())
    def probe(case: Any) -> None:
        if case.method != "DELETE" and "case" in (case.path_parameters or {}):
            case.path_parameters["case"] = known
        answer = case.call(headers=LOCAL)
        assert answer.status_code < 500, (case.method, case.path, answer.content)

    probe()
