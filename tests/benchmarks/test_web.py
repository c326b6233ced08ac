"""The desk's benchmark at toy size, without a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import tables
from benchmarks._results import Bar
from benchmarks.web.run import bounds


def test_bounds_hold_the_percentile() -> None:
    low, high = bounds(list(range(200)), 0.95)
    assert low <= 190 <= high and high - low < 30


def test_a_table_out_of_a_result(tmp_path: Path) -> None:
    row = {"n": 250, "median_ms": 90.0, "p95_ms": 120.0, "p95_interval_ms": [110.0, 130.0]}
    result = {
        "name": "web", "date": "2026-01-01",
        "environment": {"cores": 2, "cpu": "x", "load_at_end": 2.0},
        "pages": {"n": 2, "bytes": 28_700, "requests": 12, "inbox_s": [0.4, 0.5],
                  "case_usable_s": [0.6, 0.7], "case_picture_s": [0.8, 0.9]},
        "load": {"clients": 50, "cases": 1000, "questions": {"list": row, "case": row}},
        "upload": {"bytes": 2 << 30, "seconds": 9.0, "grown": 6e6},
        "made_up": {"requests": 100, "operations": 31, "statuses": {"2xx": 100}},
        "bars": [Bar("p95", value=120, limit=150, unit="ms").record()],
    }  # fmt: skip
    (tmp_path / "web-a.json").write_text(json.dumps(result), encoding="utf-8")
    made = tables.render("<!-- figures: web -->\n<!-- /figures -->", tmp_path)
    assert "28.7 kB in 12 requests" in made and "120 ms [110, 130]" in made
    assert "2 GiB" in made and "0 server errors" in made
    bars = tables.render("<!-- figures: web-bars -->\n<!-- /figures -->", tmp_path)
    assert "| p95 | 120 ms | at most 150 | met |" in bars


def test_a_server_is_started_and_ended(models: None, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    from benchmarks.web.server import serving

    with serving(tmp_path / "desk") as server:
        assert server.get("health")["status"] == "ok"
        junk = tmp_path / "junk.mp4"
        junk.write_bytes(b"no media")
        case = server.scan(junk, policy="cn")
        assert server.get(f"cases/{case}")["verdict"] == "inconclusive"
