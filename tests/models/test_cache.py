"""The cache hands out registered bytes or says what to run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from forensics import models
from forensics.errors import ExitCode, ModelMissingError, OutputError
from forensics.models import cache as cache_module
from forensics.models.registry import ModelEntry

from .conftest import CONTENT


def test_missing_model_says_what_to_run(cache: Path, entry: ModelEntry) -> None:
    with pytest.raises(ModelMissingError, match="run: forensics models pull") as caught:
        models.model_path("tiny")
    assert caught.value.exit_code == ExitCode.USAGE
    assert not cache.exists()


def test_stored_model_is_found_and_verified(cache: Path, entry: ModelEntry) -> None:
    cache_module.store(entry, CONTENT)
    assert models.model_path("tiny").read_bytes() == CONTENT
    assert [status.state for status in models.verify()] == ["ok"]
    assert [path.name for path in (cache / "models").iterdir()] == [entry.file_name]


@pytest.mark.parametrize("damage", [CONTENT[:-1], CONTENT[:-1] + b"!"], ids=["short", "flipped"])
def test_damaged_model_is_refused(cache: Path, entry: ModelEntry, damage: bytes) -> None:
    path = cache_module.store(entry, CONTENT)
    assert models.model_path("tiny") == path
    path.write_bytes(damage)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelMissingError, match="other bytes"):
        models.model_path("tiny")
    assert models.verify()[0].state == "damaged"
    assert models.missing() == ("tiny",)


def test_model_is_hashed_once_per_process(
    cache: Path, entry: ModelEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_module.store(entry, CONTENT)
    models.model_path("tiny")
    monkeypatch.setattr(cache_module, "file_sha256", lambda path: pytest.fail("hashed again"))
    assert models.model_path("tiny").exists()


def test_store_refuses_other_bytes(cache: Path, entry: ModelEntry) -> None:
    with pytest.raises(ModelMissingError, match="other bytes"):
        cache_module.store(entry, CONTENT + b"!")
    assert not cache.exists()


def test_unwritable_cache_is_one_clear_line(
    tmp_path: Path, entry: ModelEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    monkeypatch.setenv("FORENSICS_HOME", str(blocker / "cache"))
    with pytest.raises(OutputError, match="cannot write the model cache"):
        cache_module.store(entry, CONTENT)


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".cache/forensics"),
        ("darwin", "Library/Caches/forensics"),
        ("win32", "AppData/Local/forensics"),
    ],
)
def test_default_home_is_the_platforms_cache(
    platform: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("FORENSICS_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert models.home() == Path.home() / expected
