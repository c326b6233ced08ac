"""Uploads that are too large, too slow, broken, too many: refused, and nothing stays behind."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from forensics.web.uploads import UploadRefusedError, receive, safe_name, stored_name
from tests.web.running import desk_of, listening, opened, settings_for

TYPE = "multipart/form-data; boundary=B"


def _form(content: bytes, name: str = "a.mp4", end: bytes = b"\r\n--B--\r\n") -> bytes:
    head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + end


async def _pieces(*pieces: bytes, pause: float = 0.0) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(pause)
        yield piece


def _receive(
    folder: Path, *pieces: bytes, kind: str = TYPE, most: int = 1000, pause: float = 0.0
) -> bytes:
    stream = _pieces(*pieces, pause=pause)
    work = receive(stream, kind, folder, max_bytes=most, timeout=1.0, stall=0.2)
    return asyncio.run(work).path.read_bytes()


def test_a_form_in_any_pieces(tmp_path: Path) -> None:
    form = _form(b"\r\n--not the end\r\n-" * 9)
    assert _receive(tmp_path, *(bytes([byte]) for byte in form)) == b"\r\n--not the end\r\n-" * 9


@pytest.mark.parametrize(
    ("pieces", "kind", "status"),
    [
        ([_form(b"x" * 2000)], TYPE, 413),
        ([_form(b"x", end=b"")], TYPE, 400),
        ([_form(b"x", end=b"\r\n") + _form(b"y")], TYPE, 400),
        ([b"--B\r\nno header at all\r\n\r\n"], TYPE, 400),
        ([b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 999], TYPE, 400),
        ([b"--B\r\nX: " + b"y" * 9000], TYPE, 400),
        ([b"--B\r\n" + b"X: y\r\n" * 99], TYPE, 400),
        ([b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--\r\n'], TYPE, 400),
        ([b"{}"], "application/json", 415),
        ([b""], "multipart/form-data", 415),
        ([b""], "multipart/form-data; boundary=" + "B" * 999, 415),
    ],
)
def test_what_is_refused(tmp_path: Path, pieces: list[bytes], kind: str, status: int) -> None:
    with pytest.raises(UploadRefusedError) as refused:
        _receive(tmp_path, *pieces, kind=kind)
    assert refused.value.status == status
    assert list(tmp_path.iterdir()) == []


def test_a_silent_sender_is_let_go(tmp_path: Path) -> None:
    with pytest.raises(UploadRefusedError) as refused:
        _receive(tmp_path, _form(b"x"), pause=0.5)
    assert refused.value.status == 408 and list(tmp_path.iterdir()) == []


def test_a_trickle_ends_at_the_limit_for_all_of_it(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(UploadRefusedError) as refused:
        _receive(tmp_path, *[b"--B\r\n", *[b""] * 99], pause=0.1)
    assert refused.value.status == 408 and time.monotonic() - start < 5


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "no space")

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(Path, "open", lambda *_: Full())
    with pytest.raises(UploadRefusedError) as refused:
        _receive(tmp_path, _form(b"x"))
    assert refused.value.status == 507


def test_names() -> None:
    assert safe_name("C:\\Users\\x\\a<b>.mp4") == "ab.mp4"
    assert safe_name("../..") == "upload" and safe_name("审核.mp4") == "审核.mp4"
    long = safe_name("x" * 500 + ".mp4")
    assert len(long) <= 120 and long.endswith(".mp4")
    assert stored_name("a.PHP") == "media.bin" and stored_name("a.MP4") == "media.mp4"


def test_larger_than_the_limit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path, max_upload=1000)) as client:
        answer = client.post("/v1/scans", files={"file": ("a.mp4", b"x" * 100_000)})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert list(desk_of(client).settings.cases.iterdir()) == []
        assert client.get("/v1/cases").json()["total"] == 0


def test_an_unknown_field_or_rule_is_said(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path)) as client:
        for field in ({"polcy": "cn"}, {"policy": "mars"}, {"declared": "maybe"}, {"level": "x"}):
            answer = client.post("/v1/scans", data=field, files={"file": ("a.mp4", b"x")})
            assert answer.status_code == 400, field
        assert list(desk_of(client).settings.cases.iterdir()) == []


def test_a_full_queue_is_said(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path, queue=1)) as client:
        codes = [
            client.post("/v1/scans", files={"file": ("a.mp4", b"x")}).status_code for _ in range(3)
        ]
        assert codes[0] == 202 and 503 in codes


def test_a_connection_that_stalls_or_breaks_leaves_nothing(tmp_path: Path) -> None:
    with listening(settings_for(tmp_path, upload_stall=0.5)) as desk:
        head = (
            f"POST /v1/scans HTTP/1.1\r\nHost: 127.0.0.1:{desk.port}\r\n"
            f"Content-Type: {TYPE}\r\nContent-Length: 100000\r\n\r\n"
        ).encode() + _form(b"x" * 10, end=b"")
        with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as slow:
            slow.sendall(head)
            assert b" 408 " in slow.recv(4096).splitlines()[0]
        with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as broken:
            broken.sendall(head)
        end = time.monotonic() + 10
        while list(desk.desk.settings.cases.iterdir()) and time.monotonic() < end:
            time.sleep(0.05)
        assert list(desk.desk.settings.cases.iterdir()) == []
        assert desk.desk.store.find().total == 0
