"""A small clip with sound, and a signing key of the test's own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def frames() -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(3)
    scene = cv2.resize(rng.uniform(40, 210, (8, 12, 3)).astype(np.float32), (400, 260))
    scene = (scene + rng.normal(0, 5, scene.shape)).clip(0, 255).astype(np.uint8)
    return [scene[i : i + 180, 2 * i : 2 * i + 320].copy() for i in range(16)]


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory, frames: list[NDArray[np.uint8]]) -> Path:
    path = tmp_path_factory.mktemp("target") / "target.mp4"
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"threads": "1"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = out.add_stream("aac", rate=16_000)
        audio.layout = "mono"
        for frame in frames:
            out.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(video.encode())
        tone = (0.3 * np.sin(np.arange(10_240) / 8)).astype(np.float32)
        for start in range(0, len(tone), 1024):
            sound = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "fltp", "mono")
            sound.sample_rate, sound.pts, sound.time_base = 16_000, start, Fraction(1, 16_000)
            out.mux(audio.encode(sound))
        out.mux(audio.encode())
    return path
