from __future__ import annotations

import json
import platform
import socket
from pathlib import Path

import pytest

from benchmarks._results import Bar, machine_name, show_bars, write_result


def test_a_bar_says_by_how_much() -> None:
    assert Bar("ratio", value=2.0, limit=2.5, unit="x").line() == (
        "met    ratio: 2 x (bar <= 2.5), by 20%"
    )
    assert Bar("speed", value=5.0, limit=10.0, at_most=False).line() == (
        "MISSED speed: 5 (bar >= 10), by 50%"
    )


@pytest.mark.parametrize(
    ("value", "at_most", "strict", "met"),
    [(1.0, True, False, True), (1.0, True, True, False), (1.0, False, False, True),
     (1.1, True, False, False), (1.1, False, True, True), (0.9, False, False, False)],
)  # fmt: skip
def test_the_limit_itself_counts_unless_the_bar_is_strict(
    value: float, at_most: bool, strict: bool, met: bool
) -> None:
    assert Bar("b", value=value, limit=1.0, at_most=at_most, strict=strict).met is met


def test_a_count_may_have_the_bar_nought() -> None:
    assert "by 0%" in Bar("heavy", value=0, limit=0).line()
    assert not Bar("heavy", value=1, limit=0).met


def test_one_missed_bar_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    bars = [Bar("a", value=1, limit=2), Bar("b", value=3, limit=2)]
    assert not show_bars(bars)
    assert show_bars(bars[:1])
    assert capsys.readouterr().out.count("MISSED") == 1


def test_a_result_tells_the_machine_and_not_whose_it_is(tmp_path: Path) -> None:
    path = write_result("speed", {"n": 9}, tmp_path / "new")
    text = path.read_text(encoding="utf-8")
    result = json.loads(text)
    assert path.name == f"speed-{machine_name()}-{result['date'][:10]}.json"
    assert result["n"] == 9
    assert result["environment"]["versions"]["python"] == platform.python_version()
    assert result["environment"]["cores"] >= 1
    assert str(tmp_path) not in text
    assert socket.gethostname() not in machine_name()
    assert [p.name for p in path.parent.iterdir()] == [path.name]
