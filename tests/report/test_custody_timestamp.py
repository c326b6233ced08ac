"""Time stamps against a small authority on this machine, made with OpenSSL."""

from __future__ import annotations

import base64
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import make_clip

from forensics.errors import ExitCode, UnreadableInputError, UsageError
from forensics.report.custody import load_public, new_key, save_report, verify_report
from forensics.report.custody.log import check_log
from forensics.report.custody.timestamp import TimestampError, check, load_roots, request
from forensics.report.custody.verify import exit_code
from forensics.types import Report, Verdict

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")

CONFIG = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[tsa]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[authority]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    url: str
    root: Path
    answer: Callable[[bytes], tuple[int, bytes]]
    asked: list[bytes] = field(default_factory=list)


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tsa")
    (path / "c.cnf").write_text(CONFIG)
    (path / "serial").write_text("01\n")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "c.cnf")
    openssl(path, "req", "-x509", *new, "-keyout", "root.key", "-out", "root.pem", "-days", "30",
            "-subj", "/CN=test root", "-extensions", "root")  # fmt: skip
    openssl(path, "req", *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=test tsa")
    openssl(path, "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
            "-CAcreateserial", "-out", "tsa.pem", "-days", "30", "-extfile", "c.cnf",
            "-extensions", "tsa")  # fmt: skip
    return path


@pytest.fixture
def authority(folder: Path) -> Iterator[Authority]:
    def stamp(query: bytes) -> tuple[int, bytes]:
        (folder / "q.tsq").write_bytes(query)
        openssl(folder, "ts", "-reply", "-config", "c.cnf", "-section", "authority", "-queryfile",
                "q.tsq", "-inkey", "tsa.key", "-signer", "tsa.pem", "-out", "r.tsr")  # fmt: skip
        return 200, (folder / "r.tsr").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.append(body)
            status, answer = found.answer(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Authority(f"http://127.0.0.1:{server.server_port}/tsa", folder / "root.pem", stamp)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_stamp_covers_its_content_and_nothing_else(authority: Authority) -> None:
    text = request(authority.url, b"content")
    roots = load_roots(authority.root)
    seen = check(b"content", text, roots=roots)
    assert seen.valid and seen.trusted and seen.time.endswith("+00:00")
    assert check(b"content", text).valid and not check(b"content", text).trusted
    assert not check(b"other", text, roots=roots).valid
    assert len(authority.asked) == 1 and b"content" not in authority.asked[0]


def test_bytes_of_a_stamp_cannot_be_changed(authority: Authority) -> None:
    raw = base64.b64decode(request(authority.url, b"content"))
    roots = load_roots(authority.root)
    passed = 0
    # A response has a few bytes (lengths, versions) that its own signature does not cover, which
    # is why a sealed report signs the response once more: the next test changes those.
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        seen = check(b"content", base64.b64encode(changed).decode(), roots=roots)
        passed += seen.valid and seen.trusted
    assert passed <= 12
    for text in (None, "", "x", base64.b64encode(raw).decode() + "\n", "A" * 400_000):
        assert not check(b"content", text, roots=roots).valid


def test_a_stamped_report_holds_and_each_changed_byte_is_found(
    tmp_path: Path, authority: Authority
) -> None:
    key, public = new_key(tmp_path / "k.pem")
    media = tmp_path / "a.mp4"
    media.write_bytes(b"x")
    report = Report(media, clip=make_clip(str(media)), verdict=Verdict("inconclusive"))
    out, log = tmp_path / "r.json", tmp_path / "log"
    save_report(report, out, sign_with=key, log=log, tsa=authority.url)
    roots = load_roots(authority.root)
    checks = {c.what: c.state for c in verify_report(out, key=load_public(public), roots=roots)}
    assert checks["timestamp"] == "holds" and checks["signature"] == "holds"
    unnamed = {c.what: c.state for c in verify_report(out, key=load_public(public))}
    assert unnamed["timestamp"] == "unknown"
    raw = out.read_bytes()
    start = raw.index(b'"timestamp"') + 15
    for at in range(start, len(raw)):
        out.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        try:
            checks_now = verify_report(out, key=load_public(public), roots=roots)
        except UnreadableInputError:
            continue
        assert exit_code(checks_now) is ExitCode.SUSPECT, at
    assert not check_log(log).problem


def test_an_authority_that_nobody_named_is_not_trusted(
    tmp_path: Path, authority: Authority, folder: Path
) -> None:
    text = request(authority.url, b"c")
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-config", "c.cnf", "-keyout", "o.key", "-out", "o.pem", "-subj",
            "/CN=other", "-extensions", "root")  # fmt: skip
    seen = check(b"c", text, roots=load_roots(folder / "o.pem"))
    assert seen.valid and not seen.trusted
    (tmp_path / "x").write_text("x")
    with pytest.raises(UnreadableInputError, match="no certificate"):
        load_roots(tmp_path / "x")


def test_bad_answers_are_one_line(authority: Authority, folder: Path) -> None:
    good = authority.answer
    first: list[bytes] = []

    def replay(query: bytes) -> tuple[int, bytes]:
        first.append(good(query)[1])
        return 200, first[0]

    authority.answer = replay
    request(authority.url, b"c")
    with pytest.raises(TimestampError, match="another request"):
        request(authority.url, b"c")
    for answer, cause in (
        ((500, b""), "status 500"),
        ((200, b"hello"), "no time stamp"),
        ((200, b"\0" * 300_000), "status 200"),
    ):
        authority.answer = lambda query, answer=answer: answer  # type: ignore[misc]
        with pytest.raises(TimestampError, match=cause):
            request(authority.url, b"c")
    with pytest.raises(TimestampError, match="cannot be reached"):
        request("http://127.0.0.1:1/", b"c")
    for url in ("file:///etc/passwd", "tsa.example", "http://"):
        with pytest.raises(UsageError, match="--tsa must be"):
            request(url, b"c")
