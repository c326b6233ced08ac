"""What must never work: other people's paths, tokens, origins, hosts and pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from forensics.errors import UsageError
from forensics.web.security import Buckets
from tests.web.conftest import Scanned
from tests.web.running import desk_of, finished, opened, send, settings_for

TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with opened(settings_for(tmp_path_factory.mktemp("locked"), token=TOKEN)) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/v1/scans/../../../../etc/passwd",
        "/v1/scans/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/scans/%2e%2e/media",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/js/../../settings.py",
        "/static/swagger/..%2f..%2f__init__.py",
        "/static//etc/passwd",
    ],
)
def test_paths_lead_nowhere(scanned: Scanned, path: str) -> None:
    answer = scanned.client.get(path)
    assert answer.status_code in (404, 422) and "import" not in answer.text


@pytest.mark.parametrize("name", ["..%2f..%2freport.html", "-1.png", "1e3.png", "0.png%00", "0"])
def test_evidence_names_are_numbers(scanned: Scanned, name: str) -> None:
    assert scanned.get(f"evidence/{name}").status_code in (404, 422)


@pytest.mark.parametrize(
    "name", ["../../../../tmp/x.mp4", "..\\..\\x.mp4", "/etc/cron.d/x", ".htaccess", "a\x00b.mp4"]
)
def test_file_names_choose_no_place(tmp_path: Path, name: str) -> None:
    with opened(settings_for(tmp_path)) as client:
        upload = tmp_path / "upload"
        upload.write_bytes(b"nothing")
        case = send(client, upload, name)
        kept = client.get(f"/v1/cases/{case}").json()["name"]
        assert not set(kept) & set("/\\\x00") and not kept.startswith(".")
        folder = desk_of(client).folder(case)
        # The scan may have begun already: its folder for pictures is there too.
        assert {file.name for file in folder.iterdir()} <= {
            "media.bin", "media.mp4", "evidence", "report.html",
        }  # fmt: skip
        assert set(tmp_path.iterdir()) == {upload, tmp_path / "desk"}


def test_a_token_is_asked_for(locked: TestClient) -> None:
    assert locked.get("/v1/health").status_code == 200
    assert locked.get("/").status_code == 200, "the page itself, which asks for the token"
    for path in ("/v1/cases", "/metrics", "/docs", "/openapi.json", "/v1/about"):
        answer = locked.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert locked.post("/v1/scans", files={"file": ("a.mp4", b"x")}).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert locked.get("/v1/cases", headers=right).status_code == 200
    for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", f"Basic {TOKEN}", TOKEN):
        assert locked.get("/v1/cases", headers={"Authorization": wrong}).status_code == 401


def test_a_browser_trades_the_token_for_a_cookie(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path, token=TOKEN)) as client:
        assert client.post("/v1/session", json={"token": "something else"}).status_code == 401
        answer = client.post("/v1/session", json={"token": TOKEN})
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and TOKEN not in cookie
        assert client.get("/v1/cases").status_code == 200
        client.delete("/v1/session")
        assert client.get("/v1/cases").status_code == 401


def test_tokens_cannot_be_tried_out(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path, token=TOKEN)) as client:
        tries = [client.post("/v1/session", json={"token": f"guess {n}"}) for n in range(12)]
        assert [t.status_code for t in tries] == [401] * 10 + [429] * 2
        headers = [{"Authorization": f"Bearer guess{n}"} for n in range(12)]
        asked = [client.get("/v1/cases", headers=each).status_code for each in headers]
        assert asked == [401] * 10 + [429] * 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.elsewhere.example"},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_change_nothing(scanned: Scanned, headers: dict[str, str]) -> None:
    client, review = scanned.client, {"reviewer": "x", "opinion": "confirm"}
    place = f"/v1/scans/{scanned.case}"
    answers = [
        client.post("/v1/scans", files={"file": ("a.mp4", b"x")}, headers=headers),
        client.post(f"{place}/reviews", json=review, headers=headers),
        client.post(f"{place}/rescan", headers=headers),
        client.delete(place, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert client.get(f"/v1/cases/{scanned.case}").json()["reviews"] == []


def test_the_page_itself_may_change_things(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path)) as client:
        own = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
        answer = client.post("/v1/scans", files={"file": ("a.mp4", b"x")}, headers=own)
        assert answer.status_code == 202


def test_a_name_bound_to_this_machine_by_others_is_refused(scanned: Scanned) -> None:
    answer = scanned.client.get("/v1/cases", headers={"Host": "rebound.example"})
    assert answer.status_code == 421


def test_every_answer_is_guarded(scanned: Scanned, locked: TestClient) -> None:
    answers = [
        scanned.client.get("/"), scanned.client.get("/docs"), scanned.client.get("/v1/cases"),
        scanned.client.get("/nowhere"), scanned.client.get(f"/v1/scans/{'0' * 32}"),
        locked.get("/v1/cases"), scanned.client.get("/static/app.css"),
    ]  # fmt: skip
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert scanned.client.get("/v1/cases").headers["cache-control"] == "no-store"


HOSTILE = {
    "page.html": b"<!DOCTYPE html><script>alert(document.domain)</script>",
    "picture.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "clip.mp4": b"<html><body onload=alert(1)>",
    "photo.png": b"GIF87a<script>alert(1)</script>",
    "script.js": b"alert(1)",
}


def test_pages_are_never_served_as_pages(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path)) as client:
        for name, content in HOSTILE.items():
            (tmp_path / name).write_bytes(content)
            case = send(client, tmp_path / name)
            report = finished(client, case)["report"]
            assert report["verdict"]["label"] == "inconclusive"
            assert "unreadable" in report["verdict"]["reasons"], name
            assert report["file"]["sha256"], "what came in is known by its digest all the same"
            answer = client.get(f"/v1/scans/{case}/media")
            assert answer.headers["content-type"] in ("application/octet-stream", "image/gif")
            if answer.headers["content-type"] != "image/gif":
                assert answer.headers["content-disposition"].startswith("attachment")
                assert answer.headers["content-security-policy"].startswith("sandbox")
            listed: list[dict[str, Any]] = client.get(f"/v1/cases?q={name}").json()["items"]
            assert [item["id"] for item in listed] == [case], "a case, and nothing lost"


def test_only_a_token_opens_other_addresses(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--token-file"):
        settings_for(tmp_path, host="0.0.0.0")
    assert settings_for(tmp_path, host="0.0.0.0", token=TOKEN).loopback is False
    with pytest.raises(UsageError, match="16 ASCII"):
        settings_for(tmp_path, token="short")


def test_too_many_requests_wait(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path, reads=1.0)) as client:
        codes = [client.get("/v1/health").status_code for _ in range(14)]
        assert codes[:10] == [200] * 10 and codes[-1] == 429
        answer = client.get("/v1/health")
        assert int(answer.headers["retry-after"]) >= 1


def test_addresses_are_forgotten_in_order() -> None:
    buckets = Buckets(1.0, 1.0)
    assert buckets.take("a") == 0 and buckets.take("a") > 0
    for number in range(10_001):
        buckets.take(str(number))
    assert buckets.take("a") == 0, "forgotten, so that memory stays bounded"
