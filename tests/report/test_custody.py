"""Sealed reports: signed, re-read by an independent library, and every change of a byte seen."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import make_clip

from forensics.errors import ExitCode, OutputError, UnreadableInputError, UsageError
from forensics.models.cache import file_sha256
from forensics.report.custody import (
    Check,
    Sealer,
    load_private,
    load_public,
    new_key,
    save_report,
    thumbprint,
    verify_report,
)
from forensics.report.custody.canonical import canonical, loads
from forensics.report.custody.seal import signed_content
from forensics.report.custody.verify import exit_code
from forensics.report.model import records_to_json, records_to_jsonl, schema
from forensics.types import Report, Verdict


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "audit.pem")[0]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(range(256)))
    return path


@pytest.fixture
def report(media: Path) -> Report:
    clip = make_clip(str(media), sha256=file_sha256(media))
    verdict = Verdict("no_evidence", probability=1e-7, reasons=("ok", "größe"))
    return Report(media, clip=clip, verdict=verdict, environment={"config": {"a": 0.1}})


def states(checks: list[Check]) -> dict[str, str]:
    return {check.what: check.state for check in checks}


def test_everything_holds_of_an_untouched_report(
    tmp_path: Path, key: Path, media: Path, report: Report
) -> None:
    out, log = tmp_path / "r.json", tmp_path / "log"
    save_report(report, out, sign_with=key, log=log)
    public = load_public(tmp_path / "audit.pub.pem")
    checks = verify_report(out, media=media, key=public, log=log)
    assert exit_code(checks) is ExitCode.OK
    assert {c.what for c in checks} == {"layout", "signature", "signer", "media", "log"}
    record = json.loads(out.read_text())
    jsonschema.validate(record, schema())
    assert record["custody"]["key"] == thumbprint(public)
    assert record["custody"]["media"] == {"sha256_after": file_sha256(media), "unchanged": True}


def test_an_independent_library_reads_the_signature(
    tmp_path: Path, key: Path, report: Report
) -> None:
    from joserfc import jws
    from joserfc.jwk import OKPKey

    record = Sealer(key).seal(report)
    head, _, tail = record["custody"]["signature"].split(".")
    content = base64.urlsafe_b64encode(signed_content(record)).rstrip(b"=").decode()
    public = OKPKey.import_key((tmp_path / "audit.pub.pem").read_text())
    seen = jws.deserialize_compact(f"{head}.{content}.{tail}", public, algorithms=["Ed25519"])
    assert json.loads(seen.payload)["file"]["path"] == str(report.path)
    assert seen.headers()["typ"] == "forensics-report+json"
    assert seen.headers()["kid"] == public.thumbprint()


def test_every_changed_byte_of_a_report_is_found(
    tmp_path: Path, key: Path, media: Path, report: Report
) -> None:
    out = tmp_path / "r.json"
    save_report(report, out, sign_with=key)
    public = load_public(key)
    raw = out.read_bytes()
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1 << at % 7
        out.write_bytes(changed)
        try:
            checks = verify_report(out, media=media, key=public)
        except UnreadableInputError:
            continue
        assert exit_code(checks) is ExitCode.SUSPECT, (at, raw[at : at + 20])


def test_a_cut_or_extended_report_is_found(tmp_path: Path, key: Path, report: Report) -> None:
    out = tmp_path / "r.json"
    save_report(report, out, sign_with=key)
    raw = out.read_bytes()
    for changed in (
        raw + b"\n",
        raw[:-1],
        b" " + raw,
        raw.replace(b'"error"', b'"error":1,"error"'),
    ):
        out.write_bytes(changed)
        try:
            assert exit_code(verify_report(out, key=load_public(key))) is ExitCode.SUSPECT
        except UnreadableInputError:
            continue


def test_a_changed_media_byte_is_found(
    tmp_path: Path, key: Path, media: Path, report: Report
) -> None:
    out = tmp_path / "r.json"
    save_report(report, out, sign_with=key)
    raw = media.read_bytes()
    for at in range(len(raw)):
        media.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert states(verify_report(out, media=media, key=load_public(key)))["media"] == "broken"
    media.unlink()
    with pytest.raises(UnreadableInputError, match=r"clip\.mp4"):
        verify_report(out, media=media, key=load_public(key))


def test_media_that_changes_during_the_scan_is_reported(
    tmp_path: Path, key: Path, media: Path, report: Report
) -> None:
    media.write_bytes(b"other")  # after the report's hash was taken
    out = tmp_path / "r.json"
    save_report(report, out, sign_with=key)
    assert json.loads(out.read_text())["custody"]["media"]["unchanged"] is False
    assert states(verify_report(out, key=load_public(key)))["media"] == "broken"
    assert states(verify_report(out, media=media, key=load_public(key)))["media"] == "broken"


def test_who_signed_is_told_apart_from_that_it_is_signed(
    tmp_path: Path, key: Path, media: Path, report: Report
) -> None:
    out = tmp_path / "r.json"
    save_report(report, out, sign_with=key)
    blind = states(verify_report(out, media=media))
    assert (blind["signature"], blind["signer"]) == ("holds", "unknown")
    other = load_public(new_key(tmp_path / "other.pem")[1])
    assert states(verify_report(out, media=media, key=other))["signature"] == "broken"


def test_a_report_signed_anew_by_another_key_is_found(
    tmp_path: Path, key: Path, report: Report
) -> None:
    forged = tmp_path / "forged.json"
    save_report(report, forged, sign_with=new_key(tmp_path / "thief.pem")[0])
    assert exit_code(verify_report(forged, key=load_public(key))) is ExitCode.SUSPECT


def test_an_unsigned_report_is_unknown_or_broken_where_a_key_is_named(
    tmp_path: Path, key: Path, media: Path, report: Report
) -> None:
    out = tmp_path / "r.json"
    save_report(report, out)
    assert exit_code(verify_report(out, media=media)) is ExitCode.INCONCLUSIVE
    assert exit_code(verify_report(out, media=media, key=load_public(key))) is ExitCode.SUSPECT


def test_header_tricks_are_refused(tmp_path: Path, key: Path, report: Report) -> None:
    record = Sealer(key).seal(report)
    head, _, tail = record["custody"]["signature"].split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    out = tmp_path / "r.json"
    for change in ({"alg": "none"}, {"typ": "JOSE"}, {"crit": ["exp"]}, {"kid": "x"}):
        text = canonical(header | change)
        mine = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
        for jws in (f"{mine}..{tail}", f"{mine}..", f"{mine}.{tail}.{tail}", 5, "." * 5000):
            record["custody"]["signature"] = jws
            out.write_text(records_to_json([record]))
            assert states(verify_report(out, key=load_public(key)))["signature"] == "broken"
            assert states(verify_report(out))["signature"] == "broken"


def test_several_reports_in_one_file(
    tmp_path: Path, key: Path, media: Path, report: Report
) -> None:
    log = tmp_path / "log"
    sealer = Sealer(key, log=log)
    records = [sealer.seal(report) for _ in range(3)]
    out = tmp_path / "r.jsonl"
    for text in (records_to_json(records), records_to_jsonl(records)):
        out.write_text(text)
        assert exit_code(verify_report(out, key=load_public(key), log=log)) is ExitCode.OK
        with pytest.raises(UsageError, match="3 reports"):
            verify_report(out, media=media)
    out.write_text(records_to_jsonl(records[1:]).replace("no_evidence", "no_evidencE", 1))
    checks = verify_report(out, key=load_public(key), log=log)
    assert [c.state for c in checks if c.what == "signature"] == ["broken", "holds"]


def test_unreadable_reports_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    bad = [b"", b"\xff\xfe", b"{", b"[]", b"3", b'{"a":1}', b"[" * 100_000, b'{"file":NaN}',
           b'{"file":{},"file":{}}']  # fmt: skip
    for text in bad:
        path.write_bytes(text)
        with pytest.raises(UnreadableInputError, match=r"r\.json") as caught:
            verify_report(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(UnreadableInputError, match="none"):
        verify_report(tmp_path / "none")


@pytest.mark.parametrize(
    "custody", [None, 5, [], {}, {"signature": []}, {"signature": "a..b"}, {"log_head": 5}]
)
def test_a_malformed_seal_never_holds(tmp_path: Path, key: Path, custody: Any) -> None:
    path = tmp_path / "r.json"
    path.write_text(records_to_json([{"file": {"sha256": None}, "custody": custody}]))
    checks = verify_report(path, key=load_public(key))
    assert exit_code(checks) is ExitCode.SUSPECT


def test_a_report_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forensics.report.custody.verify.MAX_REPORT", 10)
    (tmp_path / "r.json").write_bytes(b" " * 11)
    with pytest.raises(UnreadableInputError, match="larger than"):
        verify_report(tmp_path / "r.json")


def test_the_private_key_is_private_and_never_replaced(tmp_path: Path) -> None:
    private, public = new_key(tmp_path / "sub" / "k.pem")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert b"PRIVATE" not in public.read_bytes()
    assert thumbprint(load_private(private).public_key()) == thumbprint(load_public(public))
    for path in (private, public):
        with pytest.raises(UsageError, match="never replaced"):
            new_key(tmp_path / "sub" / "k.pem")
        path.unlink()
        path.write_text("x")
    with pytest.raises(OutputError, match="cannot make"):
        new_key(private / "k.pem")


def test_bad_keys_are_one_line(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    path = tmp_path / "k.pem"
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked = serialization.BestAvailableEncryption(b"x")
    plain = serialization.NoEncryption()
    texts = {
        "no private key": b"hello",
        "not an Ed25519": ec.generate_private_key(ec.SECP256R1()).private_bytes(*pem, plain),
        "encrypted": ed25519.Ed25519PrivateKey.generate().private_bytes(*pem, locked),
        "too large": b"x" * 70_000,
    }
    for cause, text in texts.items():
        path.write_bytes(text)
        with pytest.raises(UnreadableInputError, match=cause):
            load_private(path)
    with pytest.raises(UnreadableInputError, match="no such file"):
        load_public(tmp_path / "none.pem")


def test_canonical_form_is_that_of_the_standard() -> None:
    # Numbers and order of the examples in RFC 8785, sections 3.2.2 and 3.2.3.
    numbers = [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27]
    assert canonical(numbers) == b"[333333333.3333333,1e+30,4.5,0.002,1e-27]"
    assert canonical({"\u20ac": 1, "\r": 2, "1": 3}) == '{"\\r":2,"1":3,"\u20ac":1}'.encode()
    for bad in (float("nan"), 2**53 + 1, "\ud800", {1: 2}):
        with pytest.raises(ValueError):
            canonical(bad)
    for text in ('{"a":1,"a":1}', "[NaN]", "[1e999]"):
        with pytest.raises(ValueError):
            loads(text)
