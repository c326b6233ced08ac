"""A visible label is found, measured, or left to a person; the recogniser here is a stand-in."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from forensics.media import write_video
from forensics.provenance.burn_in import VisibleLabel
from forensics.provenance.visible_label import (
    Line,
    find_visible_label,
    ink_height,
    says_ai_generated,
)
from forensics.testing import draw_frames


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("AI生成", True), ("人工智能合成", True), ("AI generated", True), ("Al generated", True),
        ("AIgenerated", True), ("本视频由AI生成", True), ("A.I. MODIFIED", True),
        ("artificial intelligence, synthetic", True), ("AI", False), ("生成", False),
        ("he said it was altered", False), ("again modified", False), ("BBC NEWS", False),
    ],
)  # fmt: skip
def test_both_elements_are_asked_for(text: str, says: bool) -> None:
    assert says_ai_generated(text) is says


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("v") / "c.mp4"
    write_video(path, draw_frames(count=40, size=(160, 120)), fps=10)
    return path


class Script:
    """Answers look by look."""

    def __init__(self, *answers: list[Line]) -> None:
        self.answers, self.shapes = list(answers), list[tuple[int, ...]]()

    def __call__(self, image: NDArray[np.uint8]) -> list[Line]:
        self.shapes.append(image.shape)
        return self.answers[min(len(self.shapes), len(self.answers)) - 1]


LABEL: Line = ("AI生成", 33.6, 0.95)


def test_seen_throughout(clip: Path) -> None:
    script = Script([LABEL])
    found = find_visible_label(clip, recogniser=script)
    assert found.status == "found" and found.height == pytest.approx(0.07)
    assert found.seconds >= 2.0 and len(script.shapes) == 4
    assert {min(shape[:2]) for shape in script.shapes} == {480}


def test_gone_too_early_late_faint_or_split(clip: Path) -> None:
    early = find_visible_label(clip, recogniser=Script([LABEL], [LABEL], []))
    assert early.status == "found" and early.seconds < 1.5
    late = find_visible_label(clip, recogniser=Script([], [LABEL]))
    assert (late.status, late.reason) == ("unsure", "not at the start")
    faint = find_visible_label(clip, recogniser=Script([("AI生成", 30.0, 0.6)]))
    assert faint.status == "unsure"
    split = find_visible_label(clip, recogniser=Script([("AI", 40.0, 0.9), ("生成", 38.0, 0.9)]))
    assert split.status == "found" and split.text == "AI 生成"
    assert find_visible_label(clip, recogniser=Script([("News", 40, 1.0)])).status == "absent"


def test_a_clip_shorter_than_the_standard_asks_is_left_to_a_person(tmp_path: Path) -> None:
    write_video(tmp_path / "s.mp4", draw_frames(count=10, size=(160, 120)), fps=10)
    found = find_visible_label(tmp_path / "s.mp4", recogniser=Script([LABEL]))
    assert found.status == "unsure" and "1.0 s" in found.reason


def test_a_still_and_a_broken_file(tmp_path: Path) -> None:
    Image.fromarray(next(iter(draw_frames(count=1)))).save(tmp_path / "p.png")
    assert find_visible_label(tmp_path / "p.png", recogniser=Script([LABEL])).status == "found"
    (tmp_path / "b.mp4").write_bytes(b"rubbish" * 9)
    found = find_visible_label(tmp_path / "b.mp4", recogniser=Script([LABEL]))
    assert found.status == "not_examined" and found.reason


def test_without_a_recogniser(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from forensics.provenance import visible_label

    visible_label._rapidocr.cache_clear()
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    found = find_visible_label(clip)
    assert found.status == "not_examined" and "[ocr]" in found.reason


def test_letters_are_measured_without_the_margin_of_their_box() -> None:
    frame = np.full((480, 640, 3), 120, np.uint8)
    label = VisibleLabel((640, 480), "AI generated")
    drawn = label.draw(frame)
    (top, left), (high, wide) = label._at, label._letters.shape
    box = [[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]]
    capitals = 0.06 * 480
    assert high > 1.5 * capitals
    assert abs(ink_height(drawn, box) - capitals) <= 0.01 * 480
    assert ink_height(drawn, [[5, 5], [5, 5], [5, 5], [5, 5]]) == 0.0


def test_the_recogniser_itself_reads_our_label(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    frames = list(draw_frames(count=30, size=(320, 240)))
    label = VisibleLabel((320, 240))
    write_video(tmp_path / "c.mp4", [label.draw(f) for f in frames], fps=10, crf=20)
    found = find_visible_label(tmp_path / "c.mp4")
    assert found.status == "found" and 0.05 < found.height < 0.09
