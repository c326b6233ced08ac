"""Figures in the documents come out of committed results, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import tables


@pytest.mark.parametrize("path", list(tables.documents()), ids=lambda path: path.name)
def test_every_block_says_what_its_results_say(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tables.render(text) == text, "run: python -m benchmarks.tables"


def result(folder: Path, date: str, ratio: float) -> None:
    content = {
        "name": "speed", "date": date, "speed": {"ratio": ratio, "ratio_interval": [1, 2], "n": 3},
        "bars": [{"name": "scan speed", "value": 12.0}], "memory_mb": {"a": {"sum": 5.0}},
        "environment": {"cores": 2, "cpu": "x"},
    }  # fmt: skip
    (folder / f"speed-{date}.json").write_text(json.dumps(content))


def test_the_newest_result_is_taken_by_its_own_date(tmp_path: Path) -> None:
    result(tmp_path, "2026-02-01", 1.25)
    result(tmp_path, "2026-01-01", 1.75)
    made = tables.render("a\n<!-- figures: speed -->\nold\n<!-- /figures -->\nb", tmp_path)
    assert "1.25 [1.00, 2.00]" in made and "speed-2026-02-01.json" in made
    assert made.startswith("a\n") and made.endswith("\nb") and "old" not in made
    assert tables.render(made, tmp_path) == made


def test_a_block_without_a_writer_or_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        tables.render("<!-- figures: horoscope -->\n<!-- /figures -->", tmp_path)
    with pytest.raises(FileNotFoundError, match="no results of speed"):
        tables.render("<!-- figures: speed -->\n<!-- /figures -->", tmp_path)
