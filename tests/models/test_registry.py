"""The registry is complete data: every field filled, every pin well formed, no name twice."""

from __future__ import annotations

import re

import pytest

from forensics import models
from forensics.errors import UsageError

ENTRIES = models.list_models()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_entry_is_fully_pinned(entry: models.ModelEntry) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert re.fullmatch(r"[0-9a-f]{64}", entry.wheel.sha256)
    assert entry.bytes > 0
    assert entry.wheel.bytes > 0
    assert entry.licence
    assert entry.purpose
    assert entry.wheel.requirement.startswith(f"{entry.wheel.package}=={entry.wheel.version} ")


def test_names_and_cache_files_are_unique() -> None:
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    assert len({entry.file_name for entry in ENTRIES}) == len(ENTRIES)


def test_scanner_needs_and_samples_are_registered() -> None:
    kinds = {entry.name: entry.kind for entry in ENTRIES}
    assert kinds["blazeface_short"] == kinds["blazeface_full"] == kinds["face_mesh"] == "model"
    assert kinds["carphone"] == kinds["astronaut"] == "sample"


def test_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'face_mesh'"):
        models.find_entry("face_mseh")
