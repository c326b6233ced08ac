"""``label`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.provenance.aigc import read_aigc
from forensics.provenance.c2pa import read_c2pa
from forensics.provenance.keys import new_identity
from forensics.testing import make_clip

from .conftest import Result

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))
    return make_clip(tmp_path / "c.mp4", count=10, size=(320, 192))


def test_label_says_what_it_wrote(run: Run, tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "o.mp4"
    done = run("label", clip, out, "--producer", "Svc-1", "--text", "人工智能生成")
    assert done.code == 0, done.err
    assert "1 by Svc-1" in done.out and "人工智能生成" in done.out and "intact" in done.out
    assert read_aigc(out)[0].values["ContentProducer"] == "Svc-1"
    assert "shorter than two seconds" in done.err and "GB 45438" not in done.err


def test_own_signing_key(run: Run, tmp_path: Path, clip: Path) -> None:
    new_identity(tmp_path / "keys", name="Newsroom")
    key, chain = (tmp_path / "keys" / f"signing.{n}.pem" for n in ("key", "chain"))
    quiet = ("--no-visible", "--no-watermark", "--label", "3")
    done = run("label", clip, tmp_path / "o.mp4", *quiet, "--key", key, "--chain", chain)
    assert done.code == 0 and "name yours: --producer" in done.err
    root = (tmp_path / "keys" / "root.pem").read_text()
    assert read_c2pa(tmp_path / "o.mp4", trust_anchors=root).signer_trust == "trusted"
    assert run("label", clip, tmp_path / "p.mp4", "--key", key).code == 2


def test_refusals_are_one_line(run: Run, tmp_path: Path, clip: Path) -> None:
    made = run("label", clip, tmp_path / "o.mp4", "--no-visible", "--no-watermark")
    assert made.code == 0
    for words, code, cause in (
        ((clip, tmp_path / "o.mp4"), 2, "nothing is overwritten"),
        ((tmp_path / "o.mp4", tmp_path / "p.mp4"), 2, "no mark is altered"),
        ((tmp_path / "none.mp4", tmp_path / "p.mp4"), 4, "no such file"),
        ((clip, tmp_path / "p.mp4", "--label", "9"), 2, "label must be one of"),
        ((clip, tmp_path / "p.mp4", "--text", "AI \U00012000\U0001f9ff"), 2, "glyph"),
        ((clip, tmp_path / "p.mp4", "--producer", "a b"), 2, "not allowed"),
        ((clip, tmp_path / "p.mp4", "--no-visible", "--tsa", "http://127.0.0.1:1"), 2, "signed"),
    ):
        done = run("label", *words)
        assert done.code == code and cause in done.err, done.err
        assert done.err.count("\n") == 1
    assert not (tmp_path / "p.mp4").exists()


def test_no_command_takes_marks_away(run: Run) -> None:
    words = run("--help").out.lower()
    for word in ("strip", "remove", "clean", "scrub", "unmark", "erase"):
        assert word not in words
