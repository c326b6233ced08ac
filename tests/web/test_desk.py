"""Reviews, deletion, retention, restarts, and cases that a batch put into the same store."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import time
from pathlib import Path

from forensics.engines import ScanOptions
from forensics.evaluation import read_manifest
from forensics.report.custody.log import check_log
from forensics.report.model import report_to_dict
from forensics.store import Case, Store
from forensics.store.cases import path_id
from forensics.types import Report, Verdict
from tests.web.running import desk_of, finished, opened, send, settings_for


def _junk(folder: Path, content: bytes = b"no media") -> Path:
    path = folder / "junk.mp4"
    path.write_bytes(content)
    return path


def test_two_readers_decide_and_both_are_in_the_log(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path, second_reader="always")) as client:
        case = send(client, _junk(tmp_path))
        place = f"/v1/scans/{case}"
        early = {"reviewer": "Li Wei", "opinion": "confirm", "note": "a secret remark"}
        finished(client, case)
        assert client.post(f"{place}/reviews", json=early).json()["decision"] == "second_reader"
        assert "second reader" in client.get(f"{place}/statement").text
        second = {"reviewer": "Wu", "opinion": "confirm"}
        assert client.post(f"{place}/reviews", json=second).json()["decision"] == "confirmed"
        assert "2 persons decided" in client.get(f"{place}/statement").text

        said = client.get(f"/v1/cases/{case}").json()
        assert [one["reviewer"] for one in said["reviews"]] == ["Li Wei", "Wu"]
        lines = client.get(f"{place}/custody").json()["lines"]
        assert [line["event"] for line in lines] == ["report", "review", "review"]
        assert [line.get("opinion") for line in lines] == [None, "confirm", "confirm"]
        log = desk_of(client).settings.log
        assert check_log(log).problem == "" and b"a secret remark" not in log.read_bytes()

        lines_out = client.get("/v1/reviews/export?path=true").text
        manifest = tmp_path / "reviews.jsonl"
        manifest.write_text(lines_out, encoding="utf-8")
        row = json.loads(lines_out)
        assert (row["label"], row["readers"], row["source"]) == ("fake", 2, "review")
        assert Path(row["path"]).read_bytes() == b"no media"
        assert len(read_manifest(manifest)) == 1, "what `forensics evaluate` reads"


NO_REVIEWS: list[object] = [
    {"reviewer": " \t ", "opinion": "confirm"},
    {"reviewer": "x", "opinion": "guilty"},
    {"reviewer": "x", "opinion": "confirm", "note": "y" * 4001},
    {"reviewer": "x\x00", "opinion": "confirm"},
    {"reviewer": "x", "opinion": "confirm", "verdict": "suspect"},
    {"reviewer": "x"},
    [],
]


def test_reviews_that_are_none(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path)) as client:
        case = send(client, _junk(tmp_path))
        finished(client, case)
        for review in NO_REVIEWS:
            answer = client.post(f"/v1/scans/{case}/reviews", json=review)
            assert answer.status_code in (400, 422)
            assert answer.json()["code"] in ("usage", "invalid")
        assert client.get(f"/v1/scans/{case}/reviews").json() == []


def test_deleting_leaves_digests_and_says_so(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path)) as client:
        case = send(client, _junk(tmp_path, b"private"))
        digest = finished(client, case)["report"]["file"]["sha256"]
        client.post(f"/v1/scans/{case}/reviews", json={"reviewer": "Li", "opinion": "unsure"})
        assert client.delete(f"/v1/scans/{case}?by=Wu").status_code == 204
        assert client.get(f"/v1/cases/{case}").status_code == 404
        settings = desk_of(client).settings
        assert list(settings.cases.iterdir()) == []
        last = json.loads(settings.log.read_bytes().splitlines()[-1])
        assert (last["event"], last["media_sha256"], last["by"]) == ("deletion", digest, "Wu")
        assert check_log(settings.log).problem == ""


def test_uploads_end_with_their_retention(tmp_path: Path) -> None:
    with opened(settings_for(tmp_path, retention_days=10.0)) as client:
        desk = desk_of(client)
        old, new = send(client, _junk(tmp_path)), send(client, _junk(tmp_path))
        for case in (old, new):
            finished(client, case)
        long_ago = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=11)
        desk.store.change(old, created=long_ago)
        batch = Case("b" * 32, path="/elsewhere/a.mp4", created=long_ago, state="done")
        desk.store.add([batch])
        assert client.get(f"/v1/cases/{new}").json()["expires"] is not None
        assert desk.expire() == 1
        assert client.get(f"/v1/cases/{old}").status_code == 404
        assert client.get(f"/v1/cases/{new}").status_code == 200
        assert client.get(f"/v1/cases/{batch.id}").status_code == 200, "not an upload of this desk"


def test_what_was_not_scanned_goes_on_after_a_restart(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, workers=1)
    with opened(settings) as client:
        cases = [send(client, _junk(tmp_path)) for _ in range(3)]
    with opened(settings) as client:
        for case in cases:
            assert finished(client, case)["report"]["verdict"]["label"] == "inconclusive"
        assert client.get("/v1/cases").json()["total"] == 3
        events = [json.loads(x)["event"] for x in settings.log.read_bytes().splitlines()]
        assert events == ["report"] * 3, "each was sealed once"


def test_a_scan_that_takes_too_long_gets_a_record(tmp_path: Path, blended: Path) -> None:
    with opened(settings_for(tmp_path, scan_timeout=0.05)) as client:
        report = finished(client, send(client, blended))["report"]
        assert report["verdict"]["reasons"] == ["unreadable", "timeout"]
        assert report["file"]["sha256"] and "0.05" in report["error"]


def test_a_worker_that_dies_twice_is_a_record(tmp_path: Path, blended: Path) -> None:
    with opened(settings_for(tmp_path, options=ScanOptions(all=True))) as client:
        desk = desk_of(client)
        case = send(client, blended)
        killed: set[int] = set()
        end = time.monotonic() + 60
        while len(killed) < 2 and time.monotonic() < end:
            for pid in set(desk.jobs.pids) - killed:
                os.kill(pid, 9)
                killed.add(pid)
            time.sleep(0.02)
        report = finished(client, case)["report"]
        assert report["verdict"]["reasons"] == ["unreadable", "worker_crashed"]
        again = finished(client, send(client, _junk(tmp_path)))
        assert "unreadable" in again["report"]["verdict"]["reasons"], "the desk goes on"


def _batch_case(store: Store, clip: Path) -> str:
    """Enter a case as a batch does."""
    facts, options = clip.stat(), ScanOptions(frames=8)
    case = Case(
        path_id(clip), path=str(clip), place=os.fsencode(clip.absolute()).hex(),
        bytes=facts.st_size, mtime=facts.st_mtime_ns, options=options.resolved(),
    )  # fmt: skip
    store.add([case])
    report = Report(clip, clip=None, verdict=Verdict("no_evidence"))
    store.finish(case.id, report_to_dict(report))
    return case.id


def test_a_batch_in_the_same_store_shows_up(tmp_path: Path, blended: Path) -> None:
    clip = tmp_path / "from-batch.mp4"
    clip.write_bytes(blended.read_bytes())
    settings = dataclasses.replace(
        settings_for(tmp_path), db=f"sqlite:///{tmp_path / 'shared.sqlite'}"
    )
    with Store(settings.database) as store:
        case = _batch_case(store, clip)
        store.add([Case("a" * 32, path="waiting.mp4", state="running")])
    with opened(settings) as client:
        items = client.get("/v1/cases").json()["items"]
        assert {item["name"] for item in items} == {"from-batch.mp4", "waiting.mp4"}
        assert client.get(f"/v1/scans/{'a' * 32}").json()["state"] == "running", "the batch's own"
        said = client.get(f"/v1/cases/{case}").json()
        assert (said["sealed"], said["own"], said["here"]) == (False, False, True)
        assert client.get(f"/v1/scans/{case}/media").content == blended.read_bytes()
        assert client.get(f"/v1/scans/{case}/report.html").status_code == 404
        review = {"reviewer": "Li", "opinion": "reject"}
        assert client.post(f"/v1/scans/{case}/reviews", json=review).status_code == 201

        assert client.post(f"/v1/scans/{case}/rescan").status_code == 202
        report = finished(client, case)["report"]
        assert report["tracks"] and report["custody"]["signature"]
        assert client.get(f"/v1/scans/{case}/evidence/0.png").status_code == 200
        assert len(desk_of(client).store.scans(case)) == 2, "the batch's report is kept"

        clip.write_bytes(b"something else")
        assert client.get(f"/v1/scans/{case}/media").status_code == 404
        assert client.post(f"/v1/scans/{case}/rescan").status_code == 400
        assert client.delete(f"/v1/scans/{case}").status_code == 204
        assert clip.exists(), "a file that the desk does not own stays"


def test_a_preview_for_what_browsers_cannot_play(tmp_path: Path, blended: Path) -> None:
    import av

    clip = tmp_path / "old.avi"
    with av.open(str(blended)) as source, av.open(str(clip), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 274, "yuv420p"
        for frame in source.decode(video=0):
            out.mux(stream.encode(frame.reformat(256, 274)))
        out.mux(stream.encode(None))
    with opened(settings_for(tmp_path)) as client:
        case = send(client, clip)
        finished(client, case)
        said = client.get(f"/v1/cases/{case}").json()
        assert said["media"]["playable"] is False
        place = f"/v1/scans/{case}/preview"
        assert client.get(place).json()["state"] == "none"
        assert client.post(place).status_code == 202
        end = time.monotonic() + 60
        while (state := client.get(place).json()["state"]) == "running" and time.monotonic() < end:
            time.sleep(0.05)
        assert state == "ready"
        (tmp_path / "preview.mp4").write_bytes(client.get(f"{place}.mp4").content)
        with av.open(str(tmp_path / "preview.mp4")) as made:
            assert made.streams.video[0].codec_context.name == "h264"
            assert "Derived preview" in made.metadata["title"]
            assert made.streams.video[0].frames == 75
