"""``forensics audit`` as a user runs it, on files of our own making."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from jsonschema import validate
from rich.console import Console

from forensics.engines import Auditor, ScanOptions
from forensics.media import write_video
from forensics.provenance.keys import signing_identity
from forensics.provenance.labelling import LabelPlan, label_file
from forensics.report.html import report_to_html
from forensics.report.model import schema
from forensics.report.terminal import render
from forensics.testing import draw_frames

from .conftest import Result

Run = Callable[..., Result]


@pytest.fixture(autouse=True, scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORENSICS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each fate: plain, labelled and signed, tampered, stripped, and what is none."""
    folder = tmp_path_factory.mktemp("files")
    found = {name: folder / f"{name}.mp4" for name in ("plain", "signed", "tampered", "stripped")}
    write_video(found["plain"], draw_frames(count=24, size=(320, 192)), fps=8)
    label_file(found["plain"], found["signed"], LabelPlan(producer="Svc-1"))
    raw = bytearray(found["signed"].read_bytes())
    raw[raw.index(b"mdat") + 900] ^= 1
    found["tampered"].write_bytes(raw)
    with av.open(str(found["signed"])) as clip, av.open(str(found["stripped"]), "w") as out:
        copy: Any = out.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    found["text"] = folder / "text.mp4"
    found["text"].write_text("no media")
    found["anchors"] = folder / "root.pem"
    found["anchors"].write_text(signing_identity().root_pem)
    return found


def told(run: Run, *arguments: object) -> tuple[int, Any, dict[str, str]]:
    done = run("audit", *arguments, "--format", "json")
    report = done.json
    validate(report, schema())
    return done.code, report, {f["rule"]: f["outcome"] for f in report["findings"]}


def test_a_plain_file(run: Run, files: dict[str, Path]) -> None:
    code, report, rules = told(run, files["plain"])
    assert code == 0 and set(rules.values()) == {"not_found"}
    assert report["declaration"]["status"] == "none" and report["actions"] == []
    assert report["verdict"]["label"] == "inconclusive"
    kinds = {e["kind"]: e for e in report["evidence"]}
    assert kinds["compression"]["values"]["status"] == "abstained"
    assert any(t.startswith("x264") for t in kinds["container"]["values"]["encoders"])


def test_a_signed_file_and_whom_to_trust(run: Run, files: dict[str, Path]) -> None:
    code, report, rules = told(run, files["signed"], "--trust-anchors", files["anchors"])
    said = report["declaration"]
    assert said["status"] == "declared_synthetic" and len(said["by"]) == 2
    assert (said["integrity"], said["signer_trust"]) == ("intact", "trusted")
    assert rules["EU-COP-111a"] == rules["CN-GB-6.1"] == rules["EU-50-2"] == "compliant"
    assert rules["EU-COP-111b"] == "noncompliant" and code == 1
    (stamp,) = [f for f in report["findings"] if f["rule"] == "EU-COP-111b"]
    assert stamp["severity"] == "warning" and "--tsa" in stamp["message"]["en"]
    digest = report["environment"]["config"]["trust_anchors_sha256"]
    (c2pa,) = [e for e in report["evidence"] if e["kind"] == "c2pa"]
    assert c2pa["values"]["trust_anchors_sha256"] == digest
    code, report, rules = told(run, files["signed"], "--policy", "cn")
    assert code == 3 and report["declaration"]["signer_trust"] == "not_evaluated"
    assert all(rule.startswith("CN-") for rule in rules)


def test_a_tampered_and_a_stripped_file(run: Run, files: dict[str, Path]) -> None:
    code, report, rules = told(run, files["tampered"])
    assert code == 1 and report["declaration"]["integrity"] == "broken"
    assert rules["CN-DS-18"] == "noncompliant" and "compliant" not in rules.values()
    assert "ask_producer" in report["actions"]
    code, report, rules = told(run, files["stripped"])
    assert code == 0 and report["declaration"]["status"] == "none"
    assert "compliant" not in rules.values()
    code, report, rules = told(run, files["stripped"], "--level", "full")
    assert code == 1 and report["declaration"]["by"] == ["watermark"]
    assert rules["EU-COP-12"] == rules["CN-LABEL-10"] == "noncompliant"


def test_what_the_uploader_declares_counts(run: Run, files: dict[str, Path]) -> None:
    code, report, rules = told(run, files["plain"], "--declared", "yes")
    assert code == 1 and rules["CN-LABEL-5"] == rules["EU-50-2"] == "noncompliant"
    assert {"write_label_2", "write_implicit_label"} <= set(report["actions"])
    assert report["environment"]["config"]["declared"] == "yes"


def test_what_cannot_be_audited(run: Run, files: dict[str, Path], tmp_path: Path) -> None:
    assert told(run, files["text"])[0] == 3
    done = run("audit", tmp_path / "none.mp4")
    assert done.code == 4 and "none.mp4" in done.err
    assert run("audit", files["plain"], "--policy", "mars").code == 2
    assert run("audit", files["plain"], "--trust-anchors", files["text"]).code == 2
    assert run("audit", files["plain"], tmp_path / "none.mp4", files["tampered"]).code == 1


def test_terminal_and_html_show_card_rules_and_actions(files: dict[str, Path]) -> None:
    report = Auditor(ScanOptions(policy=("cn", "eu"))).audit(files["signed"])
    stream = io.StringIO()
    render([report], Console(file=stream, force_terminal=True, color_system=None, width=80))
    text, page = stream.getvalue(), report_to_html(report)
    assert max(len(line) for line in text.splitlines()) <= 80
    for part in ("China", "European Union", "CN-GB-6.1", "NOT MET", "To do", "--tsa", "Svc-1",
                 "deepfake-forensics local key", "not checked against a trust list"):  # fmt: skip
        assert part in text and part in page, part
    assert "art. 50(2)" in page and "1.1.1" in page and "Written by" in page
