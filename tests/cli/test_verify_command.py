"""``keys``, the sealing options of ``scan``, and ``verify``, as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

import forensics
import forensics.engines
from forensics.models.cache import file_sha256
from forensics.report.model import schema
from forensics.types import Report, Verdict

from .conftest import Result

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))


@pytest.fixture
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the stand-in scanner hashes as the real one does."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"media" * 50)

    def scan(path: Path, *, options: Any, on_progress: Any, **rest: Any) -> Report:
        facts = {"file": {"sha256": file_sha256(path), "bytes": path.stat().st_size}}
        if path.name.startswith("growing"):
            path.write_bytes(path.read_bytes() + b"!")
        verdict = Verdict("no_evidence")
        return Report(path, clip=None, verdict=verdict, environment=facts)

    monkeypatch.setattr(forensics.engines, "scan", scan)
    return path


def test_sign_log_verify(run: Run, tmp_path: Path, media: Path) -> None:
    assert run("keys", "new", tmp_path / "audit.pem").code == 0
    out, log, public = tmp_path / "r.json", tmp_path / "c.log", tmp_path / "audit.pub.pem"
    sealing = ("--sign", tmp_path / "audit.pem", "--log", log)
    assert run("scan", media, "--out", out, *sealing).code == 0
    validate(json.loads(out.read_text()), schema())
    done = run("verify", out, "--media", media, "--key", public, "--log", log)
    assert done.code == 0 and "BROKEN" not in done.out
    assert run("verify", out, "--media", media).code == 3
    media.write_bytes(b"other")
    done = run("verify", out, "--media", media, "--key", public, "--log", log)
    assert done.code == 1
    assert [line.split()[:2] for line in done.out.splitlines() if "BROKEN" in line] == [
        ["BROKEN", "media"]
    ]
    log.write_bytes(log.read_bytes().replace(b"no_evidence", b"inconclusive"))
    done = run("verify", out, "--key", public, "--log", log, "--format", "json")
    assert done.code == 1
    assert [c["what"] for c in done.json["checks"] if c["state"] == "broken"] == ["log"]


def test_own_key_is_the_default(run: Run, tmp_path: Path, media: Path) -> None:
    assert run("keys", "show").code == 4
    made = run("keys", "new")
    assert made.code == 0 and str(tmp_path / "home") in made.out
    assert run("keys", "new").code == 2
    assert run("keys", "show").out.split()[1] in made.out
    key = tmp_path / "home" / "keys" / "report.pem"
    printed = run("scan", media, "--format", "json", "--sign", key).out
    (tmp_path / "r.json").write_text(printed)
    assert run("verify", tmp_path / "r.json", "--media", media).code == 0


def test_every_line_of_jsonl_is_sealed(run: Run, tmp_path: Path, media: Path) -> None:
    run("keys", "new")
    key = tmp_path / "home" / "keys" / "report.pem"
    second = tmp_path / "b.mp4"
    second.write_bytes(b"b")
    done = run("scan", media, second, "--format", "jsonl", "--sign", key)
    (tmp_path / "r.jsonl").write_text(done.out)
    assert all("signature" in json.loads(line)["custody"] for line in done.out.splitlines())
    assert len(done.out.splitlines()) == 2
    assert run("verify", tmp_path / "r.jsonl").code == 0
    run("scan", media, second, "--out", tmp_path / "both.json", "--sign", key)
    assert run("verify", tmp_path / "both.json").code == 0


def test_media_that_changes_during_the_scan(run: Run, tmp_path: Path, media: Path) -> None:
    run("keys", "new")
    growing = media.rename(tmp_path / "growing.mp4")
    out = tmp_path / "r.json"
    key = tmp_path / "home" / "keys" / "report.pem"
    done = run("scan", growing, "--out", out, "--sign", key)
    assert done.code == 3 and "growing.mp4: changed while" in done.err
    assert run("verify", out).code == 1


def test_log_goes_with_any_format(run: Run, tmp_path: Path, media: Path) -> None:
    log = tmp_path / "c.log"
    for form in ("table", "html", "json"):
        done = run("scan", media, "--format", form, "--log", log)
        assert done.code == 0 and "clip.mp4" in done.out
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["media_sha256"] for line in lines] == [file_sha256(media)] * 3


def test_refusals_come_before_the_work(run: Run, tmp_path: Path, scans: list[Any]) -> None:
    run("keys", "new", tmp_path / "k.pem")
    (tmp_path / "clean.mp4").write_bytes(b"x")
    (tmp_path / "log").write_bytes(b"{}\n")
    (tmp_path / "folder").mkdir()
    key = ("--sign", tmp_path / "k.pem")
    for options, code, cause in (
        (key, 2, "--sign needs"),
        (("--tsa", "http://127.0.0.1:1"), 2, "--tsa stamps"),
        (("--format", "json", "--sign", tmp_path / "none"), 4, "none"),
        (("--log", tmp_path / "log"), 2, "last line"),
        (("--format", "json", "--out", tmp_path / "folder", *key), 2, "not a folder"),
    ):
        done = run("scan", tmp_path / "clean.mp4", *options)
        assert done.code == code and cause in done.err, (done.code, done.err)
    assert scans == []


def test_verify_of_what_is_no_report(run: Run, tmp_path: Path, media: Path) -> None:
    done = run("verify", media)
    assert done.code == 4 and "clip.mp4: is no JSON report" in done.err
    assert run("verify", tmp_path / "none").code == 4


def test_save_report_from_python(tmp_path: Path, run: Run, media: Path) -> None:
    run("keys", "new", tmp_path / "audit-key.pem")
    report = forensics.engines.scan(media, options=None, on_progress=None)  # type: ignore[arg-type]
    out = tmp_path / "upload.report.json"
    forensics.save_report(report, out, sign_with=tmp_path / "audit-key.pem")
    key = tmp_path / "audit-key.pub.pem"
    assert run("verify", out, "--media", media, "--key", key).code == 0
    forensics.save_report(report, out)
    assert run("verify", out, "--media", media).code == 3
