"""Synthetic reports: one per situation that a report must put into words."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensics.types import (
    Clip,
    Declaration,
    Evidence,
    Finding,
    Illustration,
    Report,
    TrackResult,
    Verdict,
)

ENVIRONMENT: dict[str, Any] = {
    "versions": {"deepfake-forensics": "0.1.0", "python": "3.11.9", "onnxruntime": "1.24.1"},
    "weights_sha256": {"blend": "c0ffee" + "0" * 58},
    "config": {"threshold": 0.62, "target_fpr": 0.05, "detectors": ["blend"], "prior": 0.5},
    "sampling": {"mode": "stratified", "frames": 32, "decoded": 41},
    "error_rate": {
        "population": "held-out portraits",
        "n": 420,
        "false_positive_rate": 0.048,
        "interval": [0.031, 0.071],
    },
    "command": "forensics scan interview.mp4 --format html",
}


def make_clip(path: str = "interview.mp4", **changes: Any) -> Clip:
    facts: dict[str, Any] = {
        "sha256": "ab" * 32,
        "bytes": 4_194_304,
        "kind": "video",
        "duration": 12.5,
        "fps": 29.97002997,
        "size": (1280, 720),
        "codec": "h264",
        "container": "mov,mp4",
        "has_audio": True,
    }
    return Clip(Path(path), **(facts | changes))


def make_track(number: int = 0, level: float = 0.8, n: int = 24, **changes: Any) -> TrackResult:
    times = np.linspace(0.2, 12.2, n)
    scores = np.clip(level + 0.12 * np.sin(times * 1.7), 0.0, 1.0)
    pairs = [(float(t), float(s)) for t, s in zip(times, scores, strict=True)]
    pairs[n // 2] = (pairs[n // 2][0], math.nan)
    facts: dict[str, Any] = {
        "span": (0.2, 12.2),
        "quality": {
            "inter_ocular": 61.0,
            "sharpness": 1.9,
            "exposure": 0.44,
            "yaw": -8.0,
            "mesh_confidence": 0.97,
            "occlusion": 0.03,
        },
        "scores": tuple(pairs),
        "llr": 3.4,
    }
    return TrackResult(number, **(facts | changes))


def make_illustration(track_id: int = 0, pts: float = 3.1, score: float = 0.91) -> Illustration:
    rows, columns = np.mgrid[0:64, 0:64]
    crop = np.stack([rows * 3, columns * 3, rows + columns], axis=-1).astype(np.uint8)
    heat = np.exp(-((rows - 40) ** 2 + (columns - 32) ** 2) / 200).astype(np.float32)
    return Illustration(track_id, pts=pts, score=score, crop=crop, heat=heat)


def suspect(path: str = "interview.mp4", **changes: Any) -> Report:
    facts: dict[str, Any] = {
        "clip": make_clip(path),
        "verdict": Verdict(
            "suspect",
            probability=0.937123456,
            interval=(0.81, 0.98),
            llr=2.7,
            reasons=("above_threshold",),
        ),
        "tracks": (make_track(),),
        "evidence": (
            Evidence(
                "blend",
                kind="blend_boundary",
                llr=2.7,
                span=(0.2, 12.2),
                track_id=0,
                values={"median_score": 0.81, "crops": 23, "worst": math.inf},
                explanation="A seam runs around the inner face in 21 of 23 judged pictures.",
                artifacts={"heat": np.zeros((4, 4))},
            ),
        ),
        "findings": (
            Finding(
                "cn.label.explicit",
                jurisdiction="cn",
                outcome="not_found",
                severity="warning",
                evidence=(0,),
                message={"en": "No visible label was found.", "zh": "未发现显式标识。"},
            ),
        ),
        "environment": ENVIRONMENT,
        "illustrations": (make_illustration(), make_illustration(pts=7.4, score=0.88)),
    }
    return Report(Path(path), **(facts | changes))


def no_face(path: str = "landscape.mp4") -> Report:
    return Report(
        Path(path),
        clip=make_clip(path, has_audio=False),
        verdict=Verdict("inconclusive", reasons=("no_face",)),
        environment=ENVIRONMENT,
    )


def unreadable(path: str = "broken.mp4") -> Report:
    return Report(
        Path(path),
        clip=None,
        verdict=Verdict("inconclusive", reasons=("unreadable", "worker_crashed")),
        error=f"{path}: the decoder stopped",
        environment={"versions": {"deepfake-forensics": "0.1.0"}},
    )


def several(path: str = "panel.mp4") -> Report:
    return Report(
        Path(path),
        clip=make_clip(path),
        verdict=Verdict(
            "no_evidence",
            probability=0.08,
            interval=(0.02, 0.21),
            llr=-2.4,
            reasons=("below_threshold",),
        ),
        tracks=(
            make_track(0, 0.2, llr=-2.0),
            make_track(1, 0.3, llr=-1.1),
            make_track(
                2, scores=(), llr=None, abstained=True, reasons=("face_too_small", "too_blurred")
            ),
        ),
        declaration=Declaration(
            "declared_capture",
            ("c2pa",),
            "intact",
            "untrusted",
            "not_evaluated",
            ("signingCredential.untrusted",),
        ),
        actions=("ask_for_original",),
        environment=ENVIRONMENT,
    )


def photo(path: str = "portrait.png") -> Report:
    return suspect(
        path,
        clip=make_clip(path, kind="image", duration=0.0, fps=0.0, codec="png", has_audio=False),
        tracks=(make_track(scores=((0.0, 0.83),), span=(0.0, 0.0)),),
    )


FACTORIES: dict[str, Callable[..., Report]] = {
    "suspect": suspect,
    "no_face": no_face,
    "unreadable": unreadable,
    "several": several,
    "photo": photo,
}


@pytest.fixture(params=sorted(FACTORIES))
def any_report(request: pytest.FixtureRequest) -> Report:
    return FACTORIES[request.param]()


@pytest.fixture
def factories() -> dict[str, Callable[..., Report]]:
    return FACTORIES
