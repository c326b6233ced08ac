"""Control clips are marked as controls, and are no back door for swaps."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.errors import UsageError
from forensics.provenance.aigc import read_aigc
from forensics.provenance.c2pa import read_c2pa
from forensics.provenance.watermark import detect
from generator.mark import MarkedWriter
from generator.mark_control import write_control_clip


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as clip:
        return [f.to_ndarray(format="rgb24") for f in clip.decode(video=0)]


def test_control_mark_declares_nothing_synthetic(tmp_path: Path, target: Path) -> None:
    path = tmp_path / "control.mp4"
    write_control_clip(target, path, size=(240, 136))
    found = detect(pictures(path))
    assert found.kind == "control" and found.payload is not None
    assert read_aigc(path) == ()
    facts = read_c2pa(path)
    assert facts.integrity == "intact" and not facts.declares_ai
    assert pictures(path)[0].shape == (136, 240, 3)


def test_synthetic_clips_are_refused_with_and_without_their_metadata(
    tmp_path: Path, target: Path, frames: list[NDArray[np.uint8]]
) -> None:
    swap = tmp_path / "swap.mp4"
    with MarkedWriter(swap, size=(320, 180), fps=25, sidecar={}, source=target) as out:
        for i, frame in enumerate(frames[:6]):
            out.write(frame, pts=i / 25)
    with pytest.raises(UsageError, match="declares itself"):
        write_control_clip(swap, tmp_path / "c.mp4")
    bare = tmp_path / "bare.mp4"
    with av.open(str(bare), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"threads": "1"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for picture in pictures(swap):
            out.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(video.encode())
    assert read_aigc(bare) == ()
    with pytest.raises(UsageError, match="synthetic watermark"):
        write_control_clip(bare, tmp_path / "c.mp4")
    assert not (tmp_path / "c.mp4").exists()
    assert not list(tmp_path.glob(".control*"))
