"""A stand-in for the scanner, so that these tests are about the command line alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import forensics.engines
from forensics.cli.app import build_app
from forensics.types import Declaration, Report, Verdict


@dataclass
class Result:
    """What a run of the program left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run the program in this process."""

    def call(*arguments: object) -> Result:
        done = CliRunner().invoke(build_app(), [str(item) for item in arguments])
        return Result(done.exit_code, done.stdout, done.stderr)

    return call


Answer = Callable[[Path], Report]


def report(path: Path, label: str = "no_evidence", **rest: Any) -> Report:
    """Make a report with the given verdict label."""
    reasons = rest.pop("reasons", ())
    return Report(path, clip=None, verdict=Verdict(label, reasons=reasons), **rest)  # type: ignore[arg-type]


def answer_by_name(path: Path) -> Report:
    """Answer as the file's name says; the real scanner never looks at names."""
    known: dict[str, Answer] = {
        "suspect": lambda p: report(p, "suspect"),
        "doubt": lambda p: report(p, "inconclusive", reasons=("no_face",)),
        "clean": report,
        "declared": lambda p: report(p, declaration=Declaration("declared_synthetic")),
        "broken": lambda p: report(
            p, "inconclusive", reasons=("unreadable",), error=f"{p}: no moov"
        ),
    }
    if path.stem not in known:
        return known["broken"](path)
    return known[path.stem](path)


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Any]]:
    """Replace the scanner; collect (path, options) of its calls."""
    calls: list[tuple[Path, Any]] = []

    def scan(path: Path, *, options: Any, on_progress: Any, **rest: Any) -> Report:
        calls.append((path, options))
        on_progress(1, 2)
        if path.stem == "bug":
            raise RuntimeError("unexpected\nthing")
        if path.stem == "stop":
            raise KeyboardInterrupt
        return answer_by_name(path)

    monkeypatch.setattr(forensics.engines, "scan", scan)
    return calls
