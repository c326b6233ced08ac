"""The log: every change is found, a crash loses nothing, processes do not mix their lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.errors import OutputError, UnreadableInputError
from forensics.report.custody import CustodyLog, load_private, load_public, new_key
from forensics.report.custody.log import GENESIS, MAX_LINE, Head, check_log


def fill(path: Path, count: int = 4, key: Path | None = None) -> list[Head]:
    log = CustodyLog(path, key=None if key is None else load_private(key))
    return [
        log.append("report", {"path": f"{n}.mp4", "record_sha256": f"{n}"}) for n in range(count)
    ]


def test_lines_are_chained(tmp_path: Path) -> None:
    path = tmp_path / "log"
    heads = fill(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["prev"] for line in lines] == [GENESIS, *(line["hash"] for line in lines[:-1])]
    state = check_log(path, records=["1", "9"], heads=[heads[2], Head(1, "x")])
    assert (state.head, state.problem, state.found) == (heads[3], "", {"1": 1})
    assert state.passed == {heads[2]} and state.unproven == 4


@pytest.mark.parametrize("signed", [False, True])
def test_every_changed_byte_is_found(tmp_path: Path, signed: bool) -> None:
    path = tmp_path / "log"
    key = new_key(tmp_path / "k.pem")[0] if signed else None
    fill(path, 3, key)
    public = load_public(key) if key else None
    raw = path.read_bytes()
    assert not check_log(path, key=public).problem
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1 << at % 7
        path.write_bytes(changed)
        assert check_log(path, key=public).problem.startswith("line "), at


def test_lines_removed_moved_or_doubled_are_found(tmp_path: Path) -> None:
    path = tmp_path / "log"
    heads = fill(path)
    a, b, c, d = path.read_bytes().splitlines(keepends=True)
    for lines, bad in (([a, c, d], 1), ([b, c, d], 0), ([a, c, b, d], 1), ([a, a, b, c, d], 1)):
        path.write_bytes(b"".join(lines))
        assert check_log(path).problem.startswith(f"line {bad}: it does not follow")
    # Lines cut off at the end leave a chain that holds; a head kept elsewhere tells.
    path.write_bytes(a + b)
    state = check_log(path, heads=[heads[3]])
    assert not state.problem and not state.passed


def test_an_owner_of_no_key_cannot_rewrite_a_signed_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    key = new_key(tmp_path / "k.pem")[0]
    fill(path, 2, key)
    public = load_public(key)
    assert check_log(path, key=public).signed == 2
    path.unlink()
    fill(path, 2, new_key(tmp_path / "thief.pem")[0])
    state = check_log(path, key=public)
    assert not state.problem and (state.signed, state.unproven) == (0, 2)


def test_a_torn_line_is_kept_and_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "log"
    fill(path, 2)
    whole = path.read_bytes()
    for cut in (1, 2, 40, len(whole.splitlines()[1])):
        path.write_bytes(whole[:-cut])
        raw = path.read_bytes()
        assert "cut off" in check_log(path).problem
        CustodyLog(path).append("report", {})
        assert path.read_bytes().startswith(raw + b"\n")
        state = check_log(path)
        assert not state.problem and state.head.line == 2
        # The torn bytes themselves cannot be changed either.
        path.write_bytes(raw[:-1] + b"#" + path.read_bytes()[len(raw) :])
        assert check_log(path).problem
    path.write_bytes(whole[:20])
    CustodyLog(path).append("report", {})
    assert not check_log(path).problem


def test_nothing_is_appended_to_a_log_whose_end_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    fill(path, 2)
    raw = path.read_bytes().replace(b"1.mp4", b"2.mp4")
    path.write_bytes(raw)
    with pytest.raises(OutputError, match="last line"):
        CustodyLog(path).append("report", {})
    assert path.read_bytes() == raw
    path.write_bytes(b"x" * (MAX_LINE + 1))
    with pytest.raises(OutputError, match="no custody log"):
        CustodyLog(path).append("report", {})


def test_caps_and_bad_places(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with pytest.raises(OutputError, match="would exceed"):
        CustodyLog(path).append("report", {"path": "x" * MAX_LINE})
    path.write_bytes(b"x" * (MAX_LINE + 5) + b"\n")
    assert "too long" in check_log(path).problem
    with pytest.raises(OutputError, match="cannot keep the log"):
        CustodyLog(tmp_path / "no" / "log").append("report", {})
    with pytest.raises(OutputError, match="cannot keep the log"):
        CustodyLog(tmp_path).head()
    with pytest.raises(UnreadableInputError):
        check_log(tmp_path / "none")


def test_processes_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    code = (
        "import sys; from forensics.report.custody import CustodyLog\n"
        "log = CustodyLog(sys.argv[1])\n"
        "for n in range(40): log.append('report', {'n': n})"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    state = check_log(path)
    assert not state.problem and state.head.line == 119
