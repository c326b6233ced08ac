"""Consent records: written, read back, hashed, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.errors import OutputError, UnreadableInputError, UsageError
from generator.consent import ConsentRecord, load_consent, new_consent

GOOD = {"subject": "A. Person", "basis": "written", "scope": "tests", "date": "2026-01-02"}


def test_round_trip_keeps_awkward_text(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    subject = 'Zoë "Q" \\ 张三\n\x7f'
    record = new_consent(path, subject=subject, basis="public-domain", scope="x = 1 # no")
    assert load_consent(path) == record
    assert record.subject == subject


def test_hash_depends_on_content_not_layout(tmp_path: Path) -> None:
    record = new_consent(tmp_path / "a.toml", **GOOD)
    (tmp_path / "b.toml").write_text(
        "# other layout\ndate = 2026-01-02\nscope='tests'\nbasis='written'\nsubject='A. Person'\n"
    )
    assert load_consent(tmp_path / "b.toml").sha256 == record.sha256
    assert ConsentRecord(**{**GOOD, "scope": "tests."}).sha256 != record.sha256


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"basis": "found online"}, "unknown"),
        ({"subject": " "}, "empty"),
        ({"date": "yesterday"}, "YYYY-MM-DD"),
        ({"date": "2999-01-01"}, "future"),
    ],
)
def test_bad_field_is_named_and_the_way_out_shown(change: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        ConsentRecord(**{**GOOD, **change})
    assert "generator consent new" in str(caught.value)


def test_absent_record_shows_how_to_write_one(tmp_path: Path) -> None:
    for given in (None, tmp_path / "none.toml"):
        with pytest.raises(UsageError, match="generator consent new"):
            load_consent(given)


def test_incomplete_and_broken_files(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('subject = "A"\n')
    with pytest.raises(UsageError, match="lacks basis, date, scope"):
        load_consent(path)
    path.write_text("subject = ")
    with pytest.raises(UnreadableInputError, match="c.toml"):
        load_consent(path)
    path.write_bytes(b"#" * 70_000)
    with pytest.raises(UnreadableInputError, match="longer"):
        load_consent(path)


def test_existing_record_is_not_overwritten(tmp_path: Path) -> None:
    record = new_consent(tmp_path / "c.toml", **GOOD)
    with pytest.raises(OutputError, match="exists"):
        new_consent(tmp_path / "c.toml", **{**GOOD, "scope": "more"})
    assert load_consent(tmp_path / "c.toml") == record
    assert [p.name for p in tmp_path.iterdir()] == ["c.toml"]
