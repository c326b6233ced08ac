"""A record says what a scan says, from one look, and what was left out it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.engines import Scanner, ScanOptions, examine, scanner
from forensics.engines.base import ScanJob
from forensics.engines.examine import Examiner
from forensics.report.model import report_to_dict
from forensics.testing import make_clip
from forensics.types import Declaration, Report, Verdict

JOB = ScanJob(options=ScanOptions(frames=12))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory, head: NDArray[np.uint8]) -> Path:
    """A clip with more faces than are all looked at whatever the first say."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return make_clip(path, [head], count=24, size=(320, 240))


def test_a_record_is_the_report_of_a_scan_and_decoding_is_done_once(
    long: Path, models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    open_clip = scanner.open_clip

    def opening(path: Path, **more: Any) -> Any:
        opened.append(path)
        return open_clip(path, **more)

    plain = report_to_dict(Scanner(JOB.options).scan(long))
    monkeypatch.setattr(scanner, "open_clip", opening)
    record = Examiner(JOB).examine(long)
    assert record.report == plain and record.looks
    assert opened == [long]


@pytest.mark.parametrize(("suspect", "looks"), [(99.0, (6, 3)), (-99.0, (12, 9))])
def test_heavy_detectors_look_at_the_rest_only_while_that_may_decide(
    long: Path, models: None, monkeypatch: pytest.MonkeyPatch, suspect: float,
    looks: tuple[int, int],
) -> None:  # fmt: skip
    examiner = Examiner(JOB)
    judge = examiner._scanner.judge
    monkeypatch.setattr(type(judge), "suspect", lambda *_: suspect)
    monkeypatch.setattr(type(judge), "clear", lambda *_: -99.0)
    report, _ = examiner.report(long, lambda seen, planned: None)
    crops = {e.source: e.values["crops"] for e in report.evidence if "crops" in e.values}
    assert (crops["blend"], crops["occlusion"]) == looks


@pytest.mark.parametrize(("status", "integrity", "stops"), [
    ("declared_synthetic", "intact", True),
    ("declared_synthetic", "broken", False),
    ("none", "none", False),
])  # fmt: skip
def test_only_an_unbroken_declaration_ends_the_examination(
    clip: Path, models: None, monkeypatch: pytest.MonkeyPatch, status: Any, integrity: Any,
    stops: bool,
) -> None:  # fmt: skip
    plain = Report(clip, clip=None, verdict=Verdict("inconclusive", reasons=("not_examined",)),
                   declaration=Declaration(status=status, integrity=integrity))  # fmt: skip
    monkeypatch.setattr(examine.Auditor, "audit", lambda self, path: plain)
    report, looks = Examiner(replace(JOB, stop_when_declared=True)).report(clip, lambda *_: None)
    assert (report.tracks == ()) is stops and (looks is None) is stops
    assert (report.environment.get("cascade", {}).get("left_out") == ["pictures"]) is stops
    assert Examiner(JOB).report(clip, lambda *_: None)[0].tracks
