"""The program as a process: help, version, failures outside of a command's own work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forensics import __version__

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "forensics.cli.app"]


def test_help_documents_exit_codes(run: Any) -> None:
    result = run("--help")
    assert result.code == 0
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "10 ", "130 "):
        assert f"\n    {code}" in result.out
    for command in ("scan", "demo", "evaluate", "models", "detectors"):
        assert f"\n  {command}" in result.out


@pytest.mark.parametrize("command", ["scan", "demo", "evaluate", "models", "detectors"])
def test_every_command_has_help(run: Any, command: str) -> None:
    assert run(command, "--help").code == 0


def test_version(run: Any) -> None:
    assert run("--version").out == f"forensics {__version__}\n"


def test_unknown_option_is_a_usage_error(run: Any) -> None:
    assert run("scan", "--no-such-option", "x").code == 2


def test_process_ends_with_the_code_and_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "scan", str(tmp_path), "--format", "json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_full_disk_behind_stdout_is_one_line(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("w") as target:
        done = subprocess.run(
            [*PROGRAM, "scan", str(tmp_path), "--format", "json"],
            stdout=target,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: stdout: cannot write")


def test_models_list_and_verify(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", os.fspath(tmp_path / "empty"))
    entries = {entry["name"]: entry for entry in run("models", "list", "--format", "json").json}
    assert entries["face_mesh"]["state"] == "missing"
    result = run("models", "verify")
    assert result.code == 1
    assert result.err == "run: forensics models pull\n"
    assert run("models", "verify", "no_such_model").code == 2


def test_detectors_info_of_unknown_name(run: Any) -> None:
    result = run("detectors", "info", "blnd")
    assert result.code == 2
    assert "no detector is called 'blnd'" in result.err


def test_detectors_check_passes_the_shipped_one_and_names_an_unknown_one(run: Any) -> None:
    assert "keeps every rule" in run("detectors", "check", "blend").out
    assert run("detectors", "check", "blnd").code == 2


def test_a_missing_extra_is_named_in_one_line(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; sys.argv[1:] = ['cases', 'list', '--db', "
        "'cases.sqlite']; from forensics.cli.app import main; main()"
    )
    (tmp_path / "cases.sqlite").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "error: this command needs the extra 'batch': pip install 'deepfake-forensics[batch]'\n"
    )
