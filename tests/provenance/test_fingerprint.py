"""One hash a second, the same after a new coding, and a reason where there are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.engines import Auditor, ScanOptions
from forensics.media import Limits, write_video
from forensics.provenance.fingerprint import MOST, find_fingerprints
from forensics.provenance.phash import NEAR, distance
from forensics.testing import draw_frames


def test_hashes_survive_a_new_coding_and_a_smaller_size(
    tmp_path: Path, astronaut: NDArray[np.uint8]
) -> None:
    portrait = np.asarray(cv2.resize(astronaut, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
    frames = [np.roll(portrait, n, axis=1) for n in range(30)]
    smaller = [np.asarray(cv2.resize(f, (160, 120), interpolation=3), np.uint8) for f in frames]
    write_video(tmp_path / "a.mp4", frames, fps=10)
    write_video(tmp_path / "b.mp4", smaller, fps=10, crf=33)
    write_video(tmp_path / "c.mp4", draw_frames(count=30, size=(320, 240), seed=8), fps=10)
    one, two, three = (find_fingerprints(tmp_path / f"{n}.mp4") for n in "abc")
    assert [pts for pts, _, _ in one.hashes] == [0.0, 1.0, 2.0] and not one.reason
    assert len(one.hashes[0][1]) == 64
    for (_, a, _), (_, b, _), (_, c, _) in zip(one.hashes, two.hashes, three.hashes, strict=True):
        assert distance(bytes.fromhex(a), bytes.fromhex(b)) <= NEAR
        assert distance(bytes.fromhex(a), bytes.fromhex(c)) > NEAR


def test_no_more_than_the_cap_and_no_exception(tmp_path: Path) -> None:
    write_video(tmp_path / "long.mp4", draw_frames(count=140, size=(64, 64)), fps=2)
    assert len(find_fingerprints(tmp_path / "long.mp4").hashes) == MOST
    (tmp_path / "x.mp4").write_bytes(b"rubbish")
    assert find_fingerprints(tmp_path / "x.mp4").reason
    small = Limits(max_pixels=100)
    assert find_fingerprints(tmp_path / "long.mp4", limits=small).reason == "over_limit"


def test_full_level_alone_takes_them_and_caps_are_kept(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", draw_frames(count=10, size=(96, 64)), fps=5)
    for level, taken in (("fast", 0), ("full", 1)):
        report = Auditor(ScanOptions(policy=("cn",), level=level)).audit(tmp_path / "a.mp4")
        assert [e.kind for e in report.evidence].count("fingerprint") == taken
    tiny = ScanOptions(policy=("cn",), level="full", limits=Limits(max_bytes=10))
    report = Auditor(tiny).audit(tmp_path / "a.mp4")
    assert report.error and report.declaration.status == "unreadable"
    assert not {"compliant", "noncompliant"} & {f.outcome for f in report.findings}
