"""The commands batch, merge and cases, as a person runs them."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray
from typer.testing import CliRunner

from forensics.cli.app import build_app
from forensics.media._child import POOL
from forensics.testing import make_clip

FORENSICS = [sys.executable, "-m", "forensics.cli.app"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, head: NDArray[np.uint8]) -> Path:
    made = tmp_path_factory.mktemp("uploads")
    for number in range(4):
        make_clip(made / f"{number}.mp4", [head], count=6, size=(320, 240), seed=number)
    (made / "=cmd.mp4").write_bytes(b"junk")
    return made


@pytest.fixture(scope="module", autouse=True)
def _end_the_decoder() -> Iterator[None]:
    yield
    POOL.close()


def forensics(*words: object, at: Path, code: int = 0) -> Result:
    """Run the program in this process and folder; starting anew each time takes seconds."""
    before = Path.cwd()
    os.chdir(at)
    try:
        done = CliRunner().invoke(build_app(), [str(word) for word in words])
    finally:
        os.chdir(before)
    assert done.exit_code == code, (done.stderr, done.exception)
    assert "Traceback" not in done.stderr
    return done


def rows(db: Path, at: Path) -> dict[str, str]:
    forensics("cases", "export", "--db", db, "--out", "r.json", at=at)
    return {Path(r["path"]).name: r["verdict"] for r in json.loads((at / "r.json").read_text())}


def test_killed_at_any_moment_the_same_command_goes_on(folder: Path, tmp_path: Path) -> None:
    words = ["batch", str(folder), "--db", "c.sqlite", "--workers", "1", "--frames", "4"]
    driver = subprocess.Popen([*FORENSICS, *words], cwd=tmp_path, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while time.monotonic() < end and driver.poll() is None:
        time.sleep(0.05)
        if _records(tmp_path):
            driver.kill()
    assert driver.wait() != 0, "it was killed on the way"
    done = forensics(*words, at=tmp_path)
    assert "5 files:" in done.stderr
    forensics(*words[:3], "plain.sqlite", "--engine", "serial", *words[6:], at=tmp_path)
    assert rows(Path("c.sqlite"), tmp_path) == rows(Path("plain.sqlite"), tmp_path)
    shown = forensics("cases", "list", "--db", "c.sqlite", "--format", "csv", at=tmp_path).stdout
    table = list(csv.DictReader(shown.splitlines()))
    assert len(table) == 5 and all(row["state"] == "done" for row in table)
    none = forensics("cases", "list", "--db", "c.sqlite", "--rule", "eu-0", at=tmp_path).stderr
    assert "0 of 0" in none and "there is no rule eu-0; rules: " in none
    forensics(*words, "--fail-on", "inconclusive", at=tmp_path, code=1)


def _records(at: Path) -> int:
    try:
        with sqlite3.connect(f"file:{at / 'c.sqlite'}?mode=ro", uri=True) as link:
            query = "SELECT count(*) FROM cases WHERE state = 'done'"
            return int(link.execute(query).fetchone()[0])
    except sqlite3.Error:
        return 0


def test_ctrl_c_ends_what_is_in_flight_and_says_how_to_go_on(folder: Path, tmp_path: Path) -> None:
    words = ["batch", str(folder), "--db", "c.sqlite", "--workers", "1", "--frames", "4"]
    driver = subprocess.Popen([*FORENSICS, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while time.monotonic() < end and not _records(tmp_path):
        time.sleep(0.02)
    driver.send_signal(signal.SIGINT)
    _, said = driver.communicate(timeout=60)
    if driver.returncode == 130:
        assert "the same command goes on" in said
    else:
        assert driver.returncode == 0, said  # it had just finished
    forensics(*words, "--engine", "serial", at=tmp_path)
    assert len(rows(Path("c.sqlite"), tmp_path)) == 5


def test_what_older_weights_scanned_is_scanned_again_when_asked(
    folder: Path, tmp_path: Path
) -> None:
    words = ("--db", "c.sqlite", "--engine", "serial", "--frames", "4")
    forensics("batch", folder, *words, at=tmp_path)
    card = json.loads(forensics("detectors", "info", "blend", at=tmp_path).stdout)["card"]
    sha256 = card["sha256"]
    assert sha256[:12] in _weights(tmp_path, "0.mp4")[0]
    with sqlite3.connect(tmp_path / "c.sqlite") as link:
        for table, column in (("cases", "id"), ("scans", '"case"')):
            link.execute(f"UPDATE {table} SET weights = 'blend:0123456789ab' WHERE {column} IN "
                         "(SELECT id FROM cases WHERE path LIKE '%/0.mp4')")  # fmt: skip
        link.execute("UPDATE scans SET finished = '2020-01-01 00:00:00.000000' "
                     "WHERE weights = 'blend:0123456789ab'")  # fmt: skip
    said = forensics("batch", folder, *words, at=tmp_path).stderr
    assert "1 was scanned with other weights; to scan again" in said
    older = ("--rescan-older-than", "0123456789ab")
    forensics("batch", folder, *words, *older, at=tmp_path)
    assert len(_weights(tmp_path, "0.mp4")) == 1, "nothing is older than the oldest"
    shown = ("cases", "list", "--db", "c.sqlite", "--format", "csv", "--weights")
    assert len(forensics(*shown, sha256, at=tmp_path).stdout.splitlines()) == 1 + 4
    # Without a path, what is chosen is all that is scanned; a digest may be given in full.
    said = forensics("batch", *words, "--rescan-older-than", sha256, at=tmp_path).stderr
    assert "1 file:" in said
    assert [w[:18] for w in _weights(tmp_path, "0.mp4")] == [
        "blend:0123456789ab", f"blend:{sha256[:12]}"
    ]  # fmt: skip
    assert len(_weights(tmp_path, "1.mp4")) == 1
    assert "0 files:" in forensics("batch", *words, "--rescan-older-than", "current",
                                   at=tmp_path).stderr  # fmt: skip
    said = forensics("batch", *words, "--rescan-older-than", "beef", at=tmp_path, code=2).stderr
    assert "starts with 'beef'" in said and said.count("\n") == 1


def _weights(at: Path, name: str) -> list[str]:
    """Return the weights of every scan of a file, oldest first."""
    query = ('SELECT s.weights FROM scans s JOIN cases c ON c.id = s."case" '
             "WHERE c.path LIKE ? ORDER BY s.number")  # fmt: skip
    with sqlite3.connect(at / "c.sqlite") as link:
        return [row[0] for row in link.execute(query, (f"%/{name}",))]


def test_shards_merge_to_the_whole(folder: Path, tmp_path: Path) -> None:
    for part in ("1/2", "2/2"):
        forensics("batch", folder, "--db", f"{part[0]}.sqlite", "--shard", part, "--engine",
                  "serial", "--frames", "4", at=tmp_path)  # fmt: skip
    done = forensics("merge", "1.sqlite", "2.sqlite", "--db", "all.sqlite", at=tmp_path)
    assert "5 records merged" in done.stderr
    assert len(rows(Path("all.sqlite"), tmp_path)) == 5
    exported = forensics("cases", "export", "--db", "all.sqlite", at=tmp_path).stdout
    assert len(list(csv.DictReader(exported.splitlines()))) == 5
    forensics("cases", "export", "--db", "all.sqlite", "--out", "r.parquet", at=tmp_path)
    from pyarrow import parquet

    assert parquet.read_table(tmp_path / "r.parquet").num_rows == 5
    forensics("cases", "summary", "--db", "all.sqlite", "--out", "s.html", at=tmp_path)
    page = (tmp_path / "s.html").read_text()
    assert "5 files in all.sqlite" in page and "95 % interval" in page and "=cmd.mp4" in page
    shown = forensics("cases", "show", folder / "0.mp4", "--db", "all.sqlite", at=tmp_path)
    assert "verdict" in shown.stdout
    gone = forensics("cases", "delete", folder / "0.mp4", "--db", "all.sqlite", at=tmp_path)
    assert "digests" in gone.stderr
    assert len(rows(Path("all.sqlite"), tmp_path)) == 4
    stills = forensics("cases", "export", "--db", "all.sqlite", "--format", "stills", "--out",
                       "stills", "--blur-bystanders", at=tmp_path)  # fmt: skip
    assert "wrote 3 stills" in stills.stderr, "one of four was deleted, one is no media"


def test_watching_takes_what_arrives_and_survives_a_restart(folder: Path, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    words = [*FORENSICS, "batch", str(drop), "--db", "c.sqlite", "--watch", "--interval", "0.1",
             "--settle", "0.3", "--engine", "serial", "--frames", "4"]  # fmt: skip
    for number in (0, 1):
        watcher = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL)
        (drop / f"{number}.mp4").write_bytes((folder / f"{number}.mp4").read_bytes())
        _until(lambda: _records(tmp_path) > number)  # noqa: B023
        if number == 0:
            watcher.kill()
            watcher.wait()
        else:
            os.kill(watcher.pid, signal.SIGINT)
            assert watcher.wait(30) == 0
    assert sorted(rows(Path("c.sqlite"), tmp_path)) == ["0.mp4", "1.mp4"]
    watcher = subprocess.Popen([*words, "--rescan"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    _until(lambda: len(_weights(tmp_path, "0.mp4") + _weights(tmp_path, "1.mp4")) == 4)
    os.kill(watcher.pid, signal.SIGTERM)
    assert watcher.wait(30) == 0
    assert len(_weights(tmp_path, "0.mp4")) == 2, "once for each state of a file, not each look"


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and not holds():
        time.sleep(0.1)
    assert holds()


@pytest.mark.parametrize(("words", "message"), [
    (["batch"], "name files or folders"),
    (["batch", ".", "--shard", "3/2"], "--shard must be i/n"),
    (["batch", ".", "--engine", "spark"], "--engine must be one of"),
    (["batch", ".", "--fail-on", "fake"], "--fail-on knows"),
    (["batch", ".", "--db", "no/where/c.sqlite"], "unable to open database file"),
    (["batch", ".", "--sign", "k.pem"], "needs --log"),
    (["cases", "list"], "there is no such database"),
    (["cases", "list", "--since", "tuesday"], "must be a date"),
    (["cases", "list", "--verdict", "fake"], "--verdict must be one of"),
])  # fmt: skip
def test_what_cannot_be_done_is_one_line(words: list[str], message: str, tmp_path: Path) -> None:
    done = forensics(*words, at=tmp_path, code=2)
    assert message in done.stderr and done.stderr.count("\n") == 1
