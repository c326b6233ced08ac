"""Hostile and broken files: a finding each, never a crash, never a rule that is met."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.fuzz.mutate import mutate
from benchmarks.fuzz.seeds import KINDS, write_seeds
from forensics.engines import Auditor, ScanOptions
from forensics.media import write_video
from forensics.provenance import keys
from forensics.provenance.c2pa import SOURCE_TYPES, read_c2pa, sign_c2pa
from forensics.provenance.facts import TrustAnchors, read_anchors
from forensics.provenance.keys import SigningIdentity, signing_identity
from forensics.testing import draw_frames
from forensics.types import Report

SPARED = {"CN-AV-10", "CN-AV-13", "CN-LABEL-9"}  # nothing in a file speaks of these
MANIFEST = {
    "claim_generator_info": [{"name": "test", "version": "1"}],
    "assertions": [
        {"label": "c2pa.actions.v2", "data": {"actions": [
            {"action": "c2pa.created",
             "digitalSourceType": SOURCE_TYPES + "trainedAlgorithmicMedia"}]}},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORENSICS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    return write_seeds(folder, signing_identity(folder / "keys"))


def audit(path: Path, *, anchors: TrustAnchors | None = None, declared: str = "unknown") -> Report:
    return Auditor(ScanOptions(policy=("cn", "eu"), declared=declared), anchors).audit(path)


def doubtful(report: Report) -> set[str]:
    """Outcomes of the rules that rest on what stands in the file."""
    return {f.outcome for f in report.findings if f.rule not in SPARED}


def problems(report: Report) -> set[str]:
    return {c for e in report.evidence if e.kind == "problem" for c in e.values["codes"]}


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def nested(_: bytes) -> bytes:
    data = b""
    for _ in range(10_000):
        data = box(b"moov", data)
    return box(b"ftyp", b"isom") + data


def endless(seed: bytes) -> bytes:
    return seed + (1).to_bytes(4, "big") + b"free" + (2**63).to_bytes(8, "big")


def bomb(_: bytes) -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    xmp = f'<!DOCTYPE x [<!ENTITY a0 "AIGC">{entities}]><x><AIGC>&a9;</AIGC></x>'.encode()
    uuid = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    return box(b"ftyp", b"isom") + box(b"uuid", uuid + xmp)


def small_box(seed: bytes) -> bytes:
    return seed + (5).to_bytes(4, "big") + b"free"


def half(seed: bytes) -> bytes:
    return seed[: len(seed) // 2]


BROKEN: dict[Callable[[bytes], bytes], str] = {
    nested: "too_deep", endless: "truncated", bomb: "xmp_unreadable", small_box: "bad_size",
    half: "truncated",
}  # fmt: skip


@pytest.mark.parametrize("make", BROKEN)
@pytest.mark.parametrize("declared", ["unknown", "yes"])
def test_malformed_boxes_and_bombs(
    tmp_path: Path, seeds: dict[str, bytes], make: Callable[[bytes], bytes], declared: str
) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(make(seeds["mp4"]))
    begun = time.monotonic()
    report = audit(path, declared=declared)
    assert time.monotonic() - begun < 5
    assert BROKEN[make] in problems(report)
    assert not {"compliant", "not_found"} & doubtful(report)
    assert "review_by_person" in report.actions or "ask_producer" in report.actions


def test_two_labels_that_differ_are_all_found(tmp_path: Path, seeds: dict[str, bytes]) -> None:
    def meta(label: str) -> bytes:
        text = f'{{"AIGC":{{"Label":"{label}"}}}}'.encode()
        key = (12).to_bytes(4, "big") + b"mdtaAIGC"
        data = box(b"data", bytes(8) + text)
        item = (8 + len(data)).to_bytes(4, "big") + (1).to_bytes(4, "big") + data
        body = box(b"keys", bytes(4) + (1).to_bytes(4, "big") + key) + box(b"ilst", item)
        return box(b"meta", bytes(4) + body)

    path = tmp_path / "x.mp4"
    path.write_bytes(box(b"ftyp", b"isom") + box(b"moov", box(b"udta", meta("1")) + meta("3")))
    report = audit(path)
    assert len([e for e in report.evidence if e.kind == "aigc"]) == 2
    codes = {e.values["code"] for e in report.evidence if e.kind == "conflict"}
    assert {"several_labels", "labels_differ"} <= codes
    rules = {f.rule: f.outcome for f in report.findings}
    assert rules["CN-GB-6.1"] == rules["CN-LABEL-10"] == "noncompliant"
    assert "compliant" not in rules.values()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_video(tmp_path / "a.mp4", draw_frames(count=5, size=(96, 64)), fps=5)
    return tmp_path / "a.mp4"


def identity(end: dt.datetime | None = None, *, alone: bool = False) -> SigningIdentity:
    """A fresh identity; one whose certificate ends at a time, or that signed itself."""
    with pytest.MonkeyPatch.context() as patch:
        if end is not None:
            from cryptography.x509 import CertificateBuilder

            before = CertificateBuilder.not_valid_after
            patch.setattr(CertificateBuilder, "not_valid_after", lambda me, _: before(me, end))
        files = keys._make("test key")
    chain = files[keys._CHAIN]
    if alone:
        chain = chain[: chain.index("-----END CERTIFICATE-----") + 26]
    return SigningIdentity(files[keys._KEY], chain_pem=chain, root_pem=files[keys._ROOT])


def test_an_expired_certificate(tmp_path: Path, clip: Path) -> None:
    end = dt.datetime.now(dt.timezone.utc).replace(microsecond=0) + dt.timedelta(seconds=2)
    who = identity(end)
    sign_c2pa(clip, tmp_path / "s.mp4", MANIFEST, identity=who)
    time.sleep(max(0.0, (end - dt.datetime.now(dt.timezone.utc)).total_seconds()) + 1.1)
    report = audit(tmp_path / "s.mp4", anchors=TrustAnchors(who.root_pem, sha256="0" * 64))
    assert report.declaration.integrity == "intact"
    assert report.declaration.signer_trust == "untrusted"
    assert "signingCredential.expired" in report.declaration.codes
    found = {f.rule: f for f in report.findings}
    assert found["EU-COP-111a"].outcome == "inconclusive"
    assert "expired" in found["EU-COP-111a"].message["en"]
    assert any("expired" in e.explanation for e in report.evidence if e.kind == "c2pa")


def test_a_signer_without_an_authority(tmp_path: Path, clip: Path) -> None:
    sign_c2pa(clip, tmp_path / "s.mp4", MANIFEST, identity=identity(alone=True))
    anchors = TrustAnchors(identity().root_pem, sha256="1" * 64)
    report = audit(tmp_path / "s.mp4", anchors=anchors)
    assert report.declaration.signer_trust == "untrusted"
    assert {f.rule: f.outcome for f in report.findings}["EU-COP-111a"] == "inconclusive"
    (c2pa,) = [e for e in report.evidence if e.kind == "c2pa"]
    assert c2pa.values["trust_anchors_sha256"] == "1" * 64
    assert report.environment["config"]["trust_anchors_sha256"] == "1" * 64


def test_a_manifest_for_another_file(tmp_path: Path, clip: Path) -> None:
    sign_c2pa(clip, tmp_path / "s.mp4", MANIFEST, identity=identity())
    signed = (tmp_path / "s.mp4").read_bytes()
    at = signed.index(b"uuid\xd8\xfe\xc3\xd6") - 4
    store = signed[at : at + int.from_bytes(signed[at : at + 4], "big")]
    write_video(tmp_path / "b.mp4", draw_frames(count=5, size=(96, 64), seed=9), fps=5)
    other = (tmp_path / "b.mp4").read_bytes()
    head = int.from_bytes(other[:4], "big")
    (tmp_path / "mixed.mp4").write_bytes(other[:head] + store + other[head:])
    report = audit(tmp_path / "mixed.mp4")
    assert report.declaration.integrity == "broken"
    rules = {f.rule: f.outcome for f in report.findings}
    assert rules["CN-DS-18"] == rules["EU-COP-12"] == "noncompliant"
    assert "compliant" not in rules.values()


def test_a_damaged_file_that_was_never_signed_is_not_called_changed(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.webp")
    raw = (tmp_path / "a.webp").read_bytes()
    (tmp_path / "b.webp").write_bytes(raw[:16] + b"\xff\xff\xff\xff" + raw[20:])
    facts = read_c2pa(tmp_path / "b.webp")
    assert facts.integrity == "unsigned"


def test_a_file_with_an_edited_label_byte(tmp_path: Path, seeds: dict[str, bytes]) -> None:
    raw = bytearray(seeds["mp4"])
    raw[raw.index(b'"ContentProducer":"') + 20] ^= 1
    (tmp_path / "x.mp4").write_bytes(raw)
    report = audit(tmp_path / "x.mp4")
    assert report.declaration.integrity == "broken"
    assert "compliant" not in {f.outcome for f in report.findings}


def test_anchors_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    for path in (tmp_path / "x.pem", tmp_path / "none.pem"):
        with pytest.raises(Exception, match="--trust-anchors"):
            read_anchors(path)


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files(tmp_path: Path, seeds: dict[str, bytes], kind: str) -> None:
    """The short form of ``python -m benchmarks.fuzz``."""
    path = tmp_path / f"x.{kind}"
    for number in range(60):
        path.write_bytes(mutate(seeds[kind], np.random.default_rng([5, number])))
        report = audit(path)
        assert report.declaration.status in (
            "none", "declared_synthetic", "declared_capture", "contradictory", "unreadable",
        )  # fmt: skip
        if report.declaration.integrity == "broken":
            assert "compliant" not in {f.outcome for f in report.findings}


def test_the_same_seed_mutates_alike(seeds: dict[str, bytes]) -> None:
    one, two = (mutate(seeds["png"], np.random.default_rng([5, 7])) for _ in range(2))
    assert one == two and len(one) <= 4 * len(seeds["png"])


def test_what_is_no_media_or_gone(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"")
    shutil.copyfile(__file__, tmp_path / "y.mp4")
    empty, text = audit(tmp_path / "x.mp4"), audit(tmp_path / "y.mp4")
    assert empty.error and "is empty" in empty.error
    assert {f.outcome for f in text.findings if f.rule not in SPARED} == {"inconclusive"}
    assert audit(tmp_path / "none.mp4").error
