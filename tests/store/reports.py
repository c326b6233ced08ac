"""Made-up reports in their JSON form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics.report.model import report_to_dict
from forensics.types import Clip, Evidence, Finding, Report, TrackResult, Verdict


def make_report(
    path: str = "a.mp4",
    *,
    label: Any = "no_evidence",
    score: float = 0.2,
    sha256: str | None = "a" * 64,
    reasons: tuple[str, ...] = (),
    rule: str | None = None,
    outcome: Any = "noncompliant",
    weights: str = "0123456789abcdef",
    explanation: str = "nothing stands out",
) -> dict[str, Any]:
    clip = None
    if sha256 is not None:
        clip = Clip(Path(path), sha256=sha256, bytes=1000, kind="video", duration=10.0, fps=25.0,
                    size=(640, 360), codec="h264", container="mp4")  # fmt: skip
    finding = [Finding(rule, jurisdiction="cn", outcome=outcome, severity="error")] if rule else []
    report = Report(
        Path(path),
        clip=clip,
        verdict=Verdict(label, probability=score, interval=(score / 2, score), llr=-1.0,
                        reasons=reasons),
        tracks=(TrackResult(0, span=(0.0, 9.0), scores=((0.0, score / 2), (1.0, score))),),
        evidence=(Evidence("blend", kind="blend_boundary", llr=-1.0, span=(0.0, 9.0), track_id=0,
                           values={"crops": 2}, explanation=explanation),),
        findings=tuple(finding),
        environment={"weights_sha256": {"blend": weights * 4}, "config": {}},
        error=None if sha256 else f"{path}: no such file",
    )  # fmt: skip
    return report_to_dict(report)
