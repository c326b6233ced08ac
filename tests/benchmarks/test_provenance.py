"""The provenance benchmarks count right, on small files and on cases made to be counted wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.fuzz import run
from benchmarks.provenance import compression, interop, matrix, speed, tamper
from benchmarks.provenance.auditor import Said
from benchmarks.provenance.transformations import IMAGE, VIDEO
from forensics.media import write_video
from forensics.provenance.keys import signing_identity
from forensics.provenance.labelling import label_file
from forensics.testing import draw_frames


@pytest.fixture(autouse=True, scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORENSICS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    frame = next(iter(draw_frames(count=1, size=(192, 160))))
    Image.fromarray(frame).save(tmp_path / "p.jpg", quality=95)
    return tmp_path / "p.jpg"


def test_what_survives_a_copy_and_what_a_new_encoding(tmp_path: Path) -> None:
    source = tmp_path / "c.mp4"
    write_video(source, draw_frames(count=10, size=(320, 192)), fps=10)
    ways = {way.name: way for way in VIDEO}
    chosen = [ways[n] for n in ("copy", "remux to MKV", "H.264 CRF 23", "screenshot")]
    copy, mkv, coded, shot = matrix.measure([source], chosen, tmp_path, "video")
    assert copy.left == dict.fromkeys(matrix.MARKS, 1)
    assert mkv.left == dict.fromkeys(matrix.MARKS, 1) | {"c2pa": 0}
    assert coded.left == {"aigc": 0, "c2pa": 0, "visible": 1, "watermark": 1, "number": 1}
    assert (shot.left["aigc"], shot.left["c2pa"], shot.left["visible"]) == (0, 0, 1)
    assert not any(row.wrong for row in (copy, mkv, coded, shot))


def test_pictures(tmp_path: Path, photo: Path) -> None:
    ways = {way.name: way for way in IMAGE}
    rows = matrix.measure([photo], [ways["copy"], ways["saved as PNG"]], tmp_path, "image")
    assert [row.left["c2pa"] for row in rows] == [1, 0]
    assert [row.left["watermark"] for row in rows] == [1, 1]
    assert not any(row.wrong for row in rows)


def test_each_kind_of_wrong_statement_is_counted() -> None:
    none = dict.fromkeys(matrix.MARKS, False)
    lie = Said(
        "",
        declared=True,
        by=frozenset({"c2pa", "aigc"}),
        intact=True,
        compliant=frozenset({"CN-LABEL-5", "CN-AV-10"}),
    )
    assert len(matrix.contradictions(lie, none)) == 4
    silent = Said("", declared=False, by=frozenset(), intact=False)
    assert matrix.contradictions(silent, none) == []
    assert len(matrix.contradictions(silent, none | {"watermark": True})) == 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".mp4"])
def test_excluded_ranges_hold_the_manifest_and_nothing_of_the_picture(
    tmp_path: Path, suffix: str
) -> None:
    pictures = list(draw_frames(count=4, size=(160, 160)))
    source = tmp_path / f"s{suffix}"
    if suffix == ".mp4":
        write_video(source, pictures, fps=4)
    else:
        Image.fromarray(pictures[0]).save(source)
    signed = label_file(source, tmp_path / f"o{suffix}").path
    raw = signed.read_bytes()
    ranges = list(tamper.excluded(signed))
    (manifest,) = [(low, high) for low, high, what in ranges if what == tamper._MANIFEST]
    assert b"c2pa.signature" in raw[manifest[0] : manifest[1]]
    left = b"".join(raw[low:high] for low, high, _ in ranges)
    assert len(left) < len(raw) / 2 and b"TC260" not in left and b'"AIGC"' not in left
    row = tamper.measure(signed, 12, np.random.default_rng(0))
    assert row["reported"] == row["in_signed_ranges"] > 0


def test_interoperability_is_checked_on_both_sides(tmp_path: Path, photo: Path) -> None:
    identity = signing_identity(tmp_path / "keys")
    assert all(check.same for check in interop.theirs(photo, tmp_path, identity))
    done = label_file(photo, tmp_path / "l.jpg", identity=identity)
    assert interop._pillow(done.path) == done.aigc.to_json()


def test_others_read_our_labels(tmp_path: Path, photo: Path) -> None:
    pytest.importorskip("pyexiv2")
    pytest.importorskip("pymediainfo")
    clip = tmp_path / "c.mp4"
    write_video(clip, draw_frames(count=4, size=(160, 160)), fps=4)
    identity = signing_identity(tmp_path / "keys")
    for source in (photo, clip):
        assert all(check.same for check in interop.ours(source, tmp_path, identity))


def test_turns_leave_the_first_out_and_keep_the_order() -> None:
    calls: list[str] = []
    timed = speed.turns(3, {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")})
    assert calls == ["a", "b"] * 4 and len(timed["a"].seconds) == 3
    assert timed["b"].row()["n"] == 3
    low, high = speed.interval([1.0, 2.0, 9.0])
    assert 1.0 <= low <= 2.0 <= high <= 9.0


def test_one_coding_has_one_stage_and_two_have_different_distances() -> None:
    rng = np.random.default_rng(0)
    for name, choose in compression.CASES.items():
        codings = choose(rng)
        assert len(codings) == (2 if name.startswith("twice") else 1)
        assert len({c.gap for c in codings}) == len(codings)


def test_a_fuzz_worker_that_dies_or_raises_is_counted(tmp_path: Path) -> None:
    row = run.measure("png", b"\x89PNG\r\n\x1a\n" + bytes(40), 5, 1, tmp_path)
    assert row["crashes"] == row["hangs"] == [] and sum(row["answers"].values()) == 5
    assert 0 < row["memory_mb"] < 2000
