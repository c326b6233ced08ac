from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.batch.merge import Merged, merge_lines, merge_store
from forensics.batch.near import link_near
from forensics.batch.plan import in_shard
from forensics.batch.privacy import delete_cases, expire, log_beside
from forensics.batch.recorder import Entry
from forensics.batch.watch import Watcher
from forensics.batch.webhook import Webhook
from forensics.engines import ScanOptions
from forensics.engines.auditor import Auditor
from forensics.errors import UnreadableInputError, UsageError
from forensics.provenance.phash import NEAR, alike, distance, pdq
from forensics.report.custody.log import CustodyLog, check_log
from forensics.report.model import report_to_dict
from forensics.store import Case, Store
from forensics.store.cases import path_id
from forensics.testing import make_clip
from tests.store.reports import make_report


def test_shards_part_the_files() -> None:
    paths = [Path(f"/data/{n}.mp4") for n in range(300)]
    parts = [[p for p in paths if in_shard(p, i, 3)] for i in (1, 2, 3)]
    assert sorted(p for part in parts for p in part) == sorted(paths)
    assert all(70 < len(part) < 130 for part in parts)


def test_a_watched_file_is_taken_once_it_has_settled(tmp_path: Path) -> None:
    now = [0.0]
    watcher = Watcher(lambda: sorted(tmp_path.iterdir()), 5.0, lambda: now[0])
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"half")
    (tmp_path / "b.mp4.part").write_bytes(b"x")
    (tmp_path / "empty.mp4").touch()
    assert watcher.ready() == []
    now[0] = 4.0
    clip.write_bytes(b"half and half")
    assert watcher.ready() == []
    now[0] = 8.0
    assert watcher.ready() == [] and watcher.waiting == 2
    now[0] = 9.5
    assert watcher.ready() == [clip]
    assert watcher.ready() == []
    now[0] = 60.0
    assert watcher.ready() == [tmp_path / "empty.mp4"]
    clip.write_bytes(b"again, longer")
    assert watcher.ready() == []
    now[0] = 66.0
    assert watcher.ready() == [clip]
    clip.unlink()
    assert watcher.ready() == []


def _store(path: Path, looks: dict[str, str]) -> Store:
    store = Store(str(path))
    store.add([Case(path_id(name), path=name) for name in looks])
    for number, (name, code) in enumerate(looks.items()):
        store.finish(path_id(name), make_report(name, sha256=f"{number:064x}"), looks=code)
    return store


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_near_links_do_not_depend_on_the_order(tmp_path: Path, order: tuple[int, ...]) -> None:
    code = bytes(range(32))
    near = bytes([code[0] ^ 0x0F, *code[1:]])
    codes = [code.hex(), bytes(32 * [0xAA]).hex(), near.hex()]
    store = Store(str(tmp_path / "c.sqlite"))
    names = ["a", "b", "c"]
    store.add([Case(path_id(n), path=n) for n in names])
    for place in order:
        store.finish(path_id(names[place]), make_report(names[place], sha256=f"{place:064x}"),
                     looks=codes[place])  # fmt: skip
        link_near(store)
    found = {c.path: c.near for c in store.each()}
    assert found == {"a": None, "b": None, "c": path_id("a")}
    assert store.case(path_id("c")).near_distance == 4  # type: ignore[union-attr]
    store.close()


def _retold(clip: Path, copy: Path) -> Path:
    """Put a clip's packets into another file, with a title of its own."""
    with av.open(str(clip)) as read, av.open(str(copy), "w") as out:
        out.metadata["title"] = "another story"
        stream: Any = read.streams.video[0]
        into: Any = out.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.stream = into
                out.mux(packet)
    return copy


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_the_same_coded_pictures_in_another_container_are_linked(
    tmp_path: Path, head: NDArray[np.uint8], order: tuple[int, ...]
) -> None:
    clip = make_clip(tmp_path / "a.mp4", [head], count=70, size=(320, 240))
    files = [clip, _retold(clip, tmp_path / "b.mov"),
             make_clip(tmp_path / "c.mp4", [head], count=70, size=(320, 240), seed=5)]  # fmt: skip
    auditor = Auditor(ScanOptions())
    with Store(str(tmp_path / "c.sqlite")) as store:
        store.add([Case(path_id(file), path=file.name) for file in files])
        for place in order:
            store.finish(path_id(files[place]), report_to_dict(auditor.audit(files[place])))
            link_near(store)
        found = {case.path: case.same_stream for case in store.each()}
        assert found == {"a.mp4": None, "b.mov": path_id(clip), "c.mp4": None}


def test_pdq_is_that_of_the_reference(astronaut: NDArray[np.uint8]) -> None:
    # From pdqhash 0.2.8 on the same pixels.
    expected = "2d6b1af3a956c529e79ca3d2526fa834d4196c81cedd04de0a26b855fc99b724"
    code, quality = pdq(astronaut)
    assert code.hex() == expected and quality == 100
    small = pdq(np.ascontiguousarray(astronaut[::2, ::2]))[0]
    assert distance(code, small) <= NEAR < distance(code, pdq(astronaut[:, ::-1].copy())[0])
    assert alike([code], [small]) is not None
    assert pdq(np.zeros((64, 64, 3), np.uint8))[1] == 0


def test_shards_merge_and_merging_twice_changes_nothing(tmp_path: Path) -> None:
    one = _store(tmp_path / "1.sqlite", {"a": "", "b": ""})
    two = _store(tmp_path / "2.sqlite", {"c": ""})
    two.add([Case(path_id("d"), path="d")])
    with Store(str(tmp_path / "all.sqlite")) as target:
        merged = Merged()
        for source in (one, two, one):
            merge_store(source, target, merged)
        assert (merged.added, merged.known, merged.unfinished) == (3, 2, 1)
        assert [c.path for c in target.each()] == ["a", "b", "c", "d"]
        assert target.report(path_id("a")) == one.report(path_id("a"))
        assert all(len(target.scans(path_id(n))) == 1 for n in "abc")
    one.close()
    two.close()


def test_reports_of_scan_merge_and_other_lines_are_named(tmp_path: Path) -> None:
    lines = tmp_path / "r.jsonl"
    lines.write_text(json.dumps(make_report("x/a.mp4")) + "\n\n")
    with Store(str(tmp_path / "c.sqlite")) as store:
        merge_lines(lines, store, Merged())
        assert store.case(path_id("x/a.mp4")) is not None
        lines.write_text('{"no": "report"}\n')
        with pytest.raises(UnreadableInputError, match="line 1 is no record"):
            merge_lines(lines, store, Merged())


def test_deletion_and_retention_leave_digests_in_a_log_that_holds(tmp_path: Path) -> None:
    store = _store(tmp_path / "c.sqlite", {"secret-name.mp4": "", "b": ""})
    log = CustodyLog(log_beside(store, None))
    other = Store(str(tmp_path / "c.sqlite"))  # as when the desk is open
    assert other.find().total == 2
    assert delete_cases(store, [path_id("secret-name.mp4")], log, by="person") == 1
    assert expire(store, 30.0, log) == 0
    text = log.path.read_text()
    assert "secret-name" not in text and f"{0:064x}" in text
    assert check_log(log.path).problem == ""
    raw = b"".join(p.read_bytes() for p in tmp_path.glob("c.sqlite*"))
    assert b"secret-name" not in raw, "freed pages are overwritten, and the log is empty"
    with pytest.raises(UsageError, match="more than 0 days"):
        expire(store, 0.0, log)
    other.close()
    store.close()


class _Ear(http.server.BaseHTTPRequestHandler):
    heard: list[Any] = []
    answers: list[int] = []

    def do_POST(self) -> None:
        code = self.answers.pop(0) if self.answers else 200
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if code == 200:
            self.heard.append(json.loads(body))
        self.send_response(code)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_webhook_gets_each_verdict_and_its_absence_stops_nothing() -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _Ear.answers = [500]
    said: list[str] = []
    hook = Webhook(f"http://127.0.0.1:{server.server_port}/x", said.append, wait=0.0)
    hook.put(Entry(Case("1" * 32, path="a.mp4"), make_report("a.mp4", rule="cn-1")))
    hook.close()
    server.shutdown()
    server.server_close()
    assert [m["verdict"]["label"] for m in _Ear.heard] == ["no_evidence"] and not said
    dead = Webhook(f"http://127.0.0.1:{server.server_port}/x?key=1", said.append, wait=0.0)
    dead.put(Entry(Case("1" * 32, path="a.mp4"), make_report("a.mp4")))
    dead.close()
    assert "1 verdicts did not reach the webhook at 127.0.0.1" in said[0] and "key" not in said[0]
    with pytest.raises(UsageError, match="http"):
        Webhook("file:///etc/passwd", said.append)
