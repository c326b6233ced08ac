"""The JSON API on a real scan: what the contract promises."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import jsonschema

from forensics.report.custody.keys import load_public
from forensics.report.custody.verify import verify_report
from forensics.report.model import schema
from tests.web.conftest import Scanned
from tests.web.running import desk_of


def test_a_scan_carries_its_report(scanned: Scanned) -> None:
    said = scanned.client.get(f"/v1/scans/{scanned.case}").json()
    assert (said["id"], said["state"], said["name"]) == (scanned.case, "done", "面部 clip.mp4")
    assert said["report"]["verdict"]["label"] in ("suspect", "inconclusive", "no_evidence")
    assert said["report"]["file"]["path"] == "面部 clip.mp4", "the server's folders are its own"
    assert said["report"]["environment"]["config"]["declared"] == "no"
    plain = {name: value for name, value in said["report"].items() if name != "custody"}
    jsonschema.validate(plain, schema())


def test_rules_of_the_upload_were_applied(scanned: Scanned) -> None:
    report = scanned.client.get(f"/v1/scans/{scanned.case}").json()["report"]
    assert {item["jurisdiction"] for item in report["findings"]} == {"cn", "eu"}


def test_health_and_what_is_known_of_the_server(scanned: Scanned) -> None:
    assert scanned.client.get("/v1/health").json()["status"] == "ok"
    assert [d["name"] for d in scanned.client.get("/v1/detectors").json()]
    rules = scanned.client.get("/v1/policies").json()
    assert rules["jurisdictions"] == ["cn", "eu"]
    assert all(set(rule["title"]) == {"en", "zh"} for rule in rules["rules"])
    about = scanned.client.get("/v1/about").json()
    assert 0 <= about["error_rate"]["false_alarms"] <= about["error_rate"]["real_clips"]


def test_cases_are_listed_filtered_and_sorted(scanned: Scanned) -> None:
    def names(query: str) -> list[str]:
        return [item["name"] for item in scanned.client.get(f"/v1/cases?{query}").json()["items"]]

    verdict = scanned.client.get(f"/v1/cases/{scanned.case}").json()["verdict"]
    assert names(f"verdict={verdict}&sort=-probability&q=面部") == ["面部 clip.mp4"]
    assert names("q=%25") == [], "a percent sign is a character, not a wildcard"
    others = {"suspect", "inconclusive", "no_evidence"} - {verdict}
    assert names(f"verdict={others.pop()}") == []
    assert names("decision=confirmed") == [] and names("outcome=inconclusive")
    assert names("offset=1") == []


def test_evidence_pictures_and_heat_maps(scanned: Scanned) -> None:
    pictures = scanned.get("evidence").json()
    assert len(pictures) == 3 and all(item["heat"] for item in pictures)
    for name in ("0.png", "0-heat.png"):
        answer = scanned.get(f"evidence/{name}")
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")
    assert scanned.get("evidence/99.png").status_code == 404


def test_media_comes_in_pieces(scanned: Scanned) -> None:
    answer = scanned.get("media", headers={"Range": "bytes=0-99"})
    assert (answer.status_code, len(answer.content)) == (206, 100)
    assert answer.headers["content-type"] == "video/mp4"
    assert scanned.get("media").content == scanned.clip.read_bytes()


def test_the_sealed_report_holds_offline(scanned: Scanned, tmp_path: Path) -> None:
    answer = scanned.get("report.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    path, key = tmp_path / "report.json", tmp_path / "key.pem"
    path.write_bytes(answer.content)
    key.write_bytes(scanned.client.get("/v1/key").content)
    log = desk_of(scanned.client).settings.log
    checks = verify_report(path, media=scanned.clip, key=load_public(key), log=log)
    assert {check.what for check in checks} >= {"signature", "signer", "media", "log"}
    bad = [check for check in checks if check.state != "holds" and check.what != "timestamp"]
    assert bad == []
    path.write_bytes(answer.content.replace(b'"inconclusive"', b'"no_evidence"', 1))
    if path.read_bytes() != answer.content:
        assert "broken" in {c.state for c in verify_report(path, key=load_public(key))}


def test_the_signed_case_is_read_by_another_library(scanned: Scanned) -> None:
    from joserfc import jws
    from joserfc.jwk import OKPKey

    key = OKPKey.import_key(scanned.client.get("/v1/key").text)
    registry = jws.JWSRegistry(algorithms=["EdDSA", "Ed25519"])
    registry.max_payload_length = 1 << 22
    token = scanned.get("case.jws").text
    content = json.loads(jws.deserialize_compact(token, key, registry=registry).payload)
    assert content["case"] == scanned.case and content["report"]["verdict"]


def test_the_html_report_is_only_ever_an_attachment(scanned: Scanned) -> None:
    answer = scanned.get("report.html")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert b"<html" in answer.content and b"<script" not in answer.content


def _texts(pdf: bytes) -> str:
    """Return every stream of a PDF, inflated."""
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return "".join(_inflated(part).decode("latin-1") for part in found)


def _inflated(part: bytes) -> bytes:
    try:
        return zlib.decompress(part)
    except zlib.error:
        return part


def test_the_pdf_has_chinese_glyphs(scanned: Scanned) -> None:
    answer = scanned.get("report.pdf?lang=zh")
    assert answer.content.startswith(b"%PDF-") and b"/FontFile" in answer.content
    # The map from glyphs back to text names the characters of 审核 and of the file's name.
    texts = _texts(answer.content).upper()
    assert all(f"<{ord(char):04X}>" in texts for char in "审核面部")
    assert scanned.get("report.pdf?lang=en").content != answer.content


def test_the_statement_of_reasons(scanned: Scanned) -> None:
    english = scanned.get("statement").text
    assert "Automated means were used" in english and "You may object" in english
    assert "自动化手段" in scanned.get("statement?lang=zh").text


def test_metrics(scanned: Scanned) -> None:
    text = scanned.client.get("/metrics").text
    assert 'forensics_cases{state="done"} 1.0' in text
    assert 'route="/v1/scans/{case}"' in text, "routes, not paths: ids would grow without end"
    assert scanned.case not in text


def test_swagger_ui_comes_from_here(scanned: Scanned) -> None:
    page = scanned.client.get("/docs").text
    places = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert places and all(place.startswith("/static/") for place in places)
    assert all(scanned.client.get(place).status_code == 200 for place in places)
    assert "/v1/scans" in scanned.client.get("/openapi.json").json()["paths"]
