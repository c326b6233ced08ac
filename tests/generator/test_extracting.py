"""What `extract` leaves behind when it is stopped; finding faces is played."""

from pathlib import Path
from typing import Any

import pytest

from forensics.errors import OutputError
from generator import extract as module
from generator.extract import extract
from generator.faceset import FaceEntry, read_faceset, write_faceset


@pytest.fixture
def found(people: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> list[FaceEntry]:
    """The faces that are found in every source."""
    entries = list(read_faceset(people[0]).faces[:3])
    monkeypatch.setattr(module, "find_faces", lambda *_: (entries, {"rejected": {}}))
    return entries


def full_disk(folder: Path, *given: Any, **named: Any) -> None:
    (folder / "faces").mkdir(parents=True)
    raise OutputError(f"{folder}: cannot be written: No space left on device")


def test_a_set_lies_whole_in_its_folder(tmp_path: Path, found: list[FaceEntry]) -> None:
    out = tmp_path / "set"
    made = extract([tmp_path / "clip"], out)
    assert made.path == out
    assert len(read_faceset(out)) == 3
    found.pop()
    extract([tmp_path / "clip"], out)
    assert len(read_faceset(out)) == 2
    assert sorted(p.name for p in (out / "faces").iterdir()) == ["000000.png", "000001.png"]
    assert not (out / ".part").exists()


def test_a_full_disk_costs_no_older_set_and_the_command_can_be_given_again(
    tmp_path: Path, found: list[FaceEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    extract([tmp_path / "clip"], old)
    monkeypatch.setattr(module, "write_faceset", full_disk)
    for out in (old, new):
        with pytest.raises(OutputError, match="No space left"):
            extract([tmp_path / "clip"], out)
    assert len(read_faceset(old)) == 3
    monkeypatch.setattr(module, "write_faceset", write_faceset)
    (new / ".part").mkdir(parents=True)  # of a process that was killed
    assert len(extract([tmp_path / "clip"], new)) == 3


def test_a_folder_with_something_else_is_refused(tmp_path: Path, found: list[FaceEntry]) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "letter.txt").write_text("mine")
    with pytest.raises(OutputError, match="is no face set"):
        extract([tmp_path / "clip"], tmp_path / "set")
    assert (tmp_path / "set" / "letter.txt").read_text() == "mine"
