"""The progress bar on a terminal."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from forensics.cli._progress import scan_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_file_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with scan_progress(2) as start:
        for name in ("[a].mp4", "b.mp4"):
            start(Path(name))(3, 10)


def test_off_a_terminal_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with scan_progress(1) as start:
        start(Path("a.mp4"))(1, None)
    assert capsys.readouterr().err == ""
