"""What the cascade leaves out, and that it says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forensics.engines import ScanOptions, cascade
from forensics.engines.base import ScanJob
from forensics.types import Declaration, Report, Verdict

COSTS = {"quick": 1, "fine": 2, "deep": 3, "deeper": 5}
FILE = Path("a.mp4")


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Replace the scanner by one that reports `label`; return which detectors looked."""
    seen: list[tuple[str, ...]] = []

    class Fake:
        label: Any = "no_evidence"
        error: str | None = None

        def __init__(self, options: ScanOptions, anchors: object = None) -> None:
            self._names = options.detectors or ()

        def scan(self, path: Path, *_: object) -> Report:
            seen.append(self._names)
            return Report(path, clip=None, verdict=Verdict(Fake.label, probability=0.5),
                          error=Fake.error)  # fmt: skip

    monkeypatch.setattr(cascade, "Scanner", Fake)
    monkeypatch.setattr(
        cascade, "detector_info", lambda name: SimpleNamespace(cost=COSTS[name])
    )
    return seen


def job(*names: str, **more: Any) -> ScanJob:
    return ScanJob(options=ScanOptions(detectors=names), **more)


def test_heavy_detectors_are_left_out_where_there_is_no_doubt(
    looked: list[tuple[str, ...]]
) -> None:
    report = cascade.CascadeScanner(job(*COSTS)).scan(FILE)
    assert looked == [("quick", "fine")]
    assert report.environment["cascade"] == {
        "left_out": ["deep", "deeper"], "because": "the other detectors leave no doubt",
    }  # fmt: skip


def test_doubt_calls_all_detectors(
    looked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cascade.Scanner, "label", "inconclusive")
    scanner = cascade.CascadeScanner(job(*COSTS))
    for _ in range(2):
        assert "cascade" not in scanner.scan(FILE).environment
    assert looked == [("quick", "fine"), tuple(COSTS)] * 2


def test_a_file_that_cannot_be_read_is_not_tried_again(
    looked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cascade.Scanner, "label", "inconclusive")
    monkeypatch.setattr(cascade.Scanner, "error", "a.mp4: no such file")
    assert cascade.CascadeScanner(job(*COSTS)).scan(FILE).error
    assert len(looked) == 1


@pytest.mark.parametrize(("wanted", "names"), [
    (job(*COSTS, cascade=False), tuple(COSTS)),
    (job("deep", "deeper"), ("deep", "deeper")),
    (job("quick"), ("quick",)),
])  # fmt: skip
def test_nothing_is_left_out_where_there_is_no_choice(
    looked: list[tuple[str, ...]], wanted: ScanJob, names: tuple[str, ...]
) -> None:
    assert "cascade" not in cascade.CascadeScanner(wanted).scan(FILE).environment
    assert looked == [names]


@pytest.mark.parametrize(("status", "integrity", "stops"), [
    ("declared_synthetic", "intact", True),
    ("declared_synthetic", "broken", False),
    ("none", "none", False),
])  # fmt: skip
def test_only_an_unbroken_declaration_ends_the_examination(
    looked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, status: Any, integrity: Any,
    stops: bool,
) -> None:  # fmt: skip
    declared = Declaration(status=status, integrity=integrity)
    plain = Report(FILE, clip=None, verdict=Verdict("inconclusive", reasons=("not_examined",)))
    monkeypatch.setattr(
        cascade.Auditor, "audit", lambda self, path: replace(plain, declaration=declared)
    )
    report = cascade.CascadeScanner(job("quick", stop_when_declared=True)).scan(FILE)
    assert (looked == []) is stops
    assert (report.environment.get("cascade", {}).get("left_out") == ["pictures"]) is stops
