"""Every place that carries a label is read, and every cap holds."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from forensics.container import tags
from forensics.container.exif import read_exif
from forensics.container.tags import XMP_UUID
from forensics.container.texts import Carried, read_carried
from forensics.errors import UnreadableInputError
from forensics.provenance.aigc import aigc_of

from .conftest import box, full, keyed

LABEL = '{"AIGC":{"Label":"1"}}'


def carried(path: Path, data: bytes) -> Carried:
    path.write_bytes(data)
    return read_carried(path)


def sites(found: Carried) -> list[str]:
    return [label.site for label in aigc_of(found)]


def xmp(text: str = LABEL) -> bytes:
    body = text.replace('"', "&quot;")
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:t="http://www.tc260.org.cn/ns/AIGC/1.0/">'
        f"<t:AIGC>{body}</t:AIGC></x:xmpmeta>"
    ).encode()


@pytest.mark.parametrize(
    ("rest", "site"),
    [
        (box("moov", box("udta", keyed("AIGC", LABEL))), "moov/udta/meta:AIGC"),
        (box("moov", keyed("AIGC", LABEL)), "moov/meta:AIGC"),
        (keyed("com.example.AIGC", LABEL), "meta:com.example.AIGC"),
        (box("moov", box("trak", keyed("aigc", LABEL))), "moov/trak/meta:aigc"),
        (box("uuid", XMP_UUID + xmp()), "xmp"),
        (box("moov", box("udta", box("XMP_", xmp()))), "xmp"),
        (box("moov", box("udta", box("AIGC", LABEL.encode()))), "moov/udta:AIGC"),
    ],
)
def test_places_in_mp4(tmp_path: Path, ftyp: bytes, rest: bytes, site: str) -> None:
    assert sites(carried(tmp_path / "a.mp4", ftyp + rest)) == [site]


def test_a_keyless_list_names_its_items_itself(tmp_path: Path, ftyp: bytes) -> None:
    data = box("data", bytes(8) + LABEL.encode())
    named = box("----", full("mean", b"com.example") + full("name", b"AIGC") + data)
    own = box("AIGC", data)
    meta = full("meta", full("hdlr", bytes(4) + b"mdir" + bytes(12)) + box("ilst", named + own))
    found = carried(tmp_path / "a.mp4", ftyp + box("moov", box("udta", meta)))
    assert sites(found) == ["moov/udta/meta:AIGC"] * 2


def test_quicktime_text(tmp_path: Path, ftyp: bytes) -> None:
    text = b"HandBrake"
    item = box("\xa9too", len(text).to_bytes(2, "big") + b"\0\0" + text)
    found = carried(tmp_path / "a.mov", ftyp + box("moov", box("udta", item)))
    assert found.history.writers == ("HandBrake",)


def test_avi_webp_jpeg_and_png(tmp_path: Path) -> None:
    label = LABEL.encode()

    def riff(kind: bytes, name: bytes, body: bytes) -> bytes:
        chunk = name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
        return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + kind + chunk

    info = b"INFOAIGC" + len(label).to_bytes(4, "little") + label
    assert sites(carried(tmp_path / "a.avi", riff(b"AVI ", b"LIST", info))) == ["/INFO:AIGC"]
    assert sites(carried(tmp_path / "a.webp", riff(b"WEBP", b"XMP ", xmp()))) == ["xmp"]
    segment = b"http://ns.adobe.com/xap/1.0/\0" + xmp()
    jpeg = b"\xff\xd8\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    bare = b"\xff\xed" + (len(label) + 6).to_bytes(2, "big") + b"AIGC" + label
    assert sites(carried(tmp_path / "a.jpg", jpeg + bare + b"\xff\xd9")) == ["xmp", "APP13:AIGC"]
    packed = b"AIGC\0\0" + zlib.compress(label)
    assert sites(carried(tmp_path / "a.png", png(b"zTXt", packed))) == ["png-text:AIGC"]


def png(kind: bytes, body: bytes, times: int = 1) -> bytes:
    chunk = len(body).to_bytes(4, "big") + kind + body + bytes(4)
    return b"\x89PNG\r\n\x1a\n" + chunk * times + bytes(4) + b"IEND" + bytes(4)


def test_other_kinds_are_searched_for_a_packet(tmp_path: Path) -> None:
    for head in (b"GIF89a", b"II*\0\x08\0\0\0", b"anything"):
        found = carried(tmp_path / "a.gif", head + bytes(5_000_000) + xmp() + bytes(40))
        assert found.kind == "unknown" and sites(found) == ["xmp"]
    assert carried(tmp_path / "b.gif", b"GIF89a<x:xmpmeta " + bytes(99)).tags == ()


def test_a_bomb_unfolds_to_the_cap_only(tmp_path: Path) -> None:
    bomb = b"AIGC\0\0" + zlib.compress(b"x" * (64 << 20), 9)
    found = carried(tmp_path / "a.png", png(b"zTXt", bomb))
    assert found.problems == ("too_long",)
    assert sum(len(text) for _, _, text in found.tags) <= 1 << 20
    found = carried(tmp_path / "b.png", png(b"zTXt", bomb, times=100))
    assert set(found.problems) == {"too_long", "too_many"}
    assert sum(len(text) for _, _, text in found.tags) <= tags.MAX_TEXT
    (broken,) = carried(tmp_path / "c.png", png(b"zTXt", b"AIGC\0\0rubbish")).problems
    assert broken == "bad_compression"


def test_more_texts_than_the_cap(tmp_path: Path, ftyp: bytes) -> None:
    item = box("----", full("name", b"AIGC") + box("data", bytes(8) + b"x"))
    meta = full("meta", box("ilst", item * (tags.MAX_TAGS + 1)))
    found = carried(tmp_path / "a.mp4", ftyp + box("moov", box("udta", meta)))
    assert "too_many" in found.problems and len(found.tags) == tags.MAX_TAGS


@pytest.mark.parametrize("size", [0, 5, 11, 40, 200])
def test_cut_files_give_problems_and_never_an_exception(tmp_path: Path, size: int) -> None:
    for head in (b"\xff\xd8\xff\xe1\xff\xff", b"\x89PNG\r\n\x1a\n", b"\x1a\x45\xdf\xa3\xff",
                 b"RIFF\xff\xff\xff\xffAVI LIST", b"\0\0\0\x18ftypisom"):  # fmt: skip
        carried(tmp_path / "cut", (head + b"\xff\x01" * 200)[:size])


def test_matroska_sizes_that_lie(tmp_path: Path) -> None:
    head = b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
    assert carried(tmp_path / "a.mkv", head + b"\x12\x54\xc3\x67\x88\xff").problems == (
        "truncated",
    )


def test_exif_offsets_that_point_nowhere() -> None:
    entry = (0x8769).to_bytes(2, "little") + b"\4\0\1\0\0\0" + b"\xff\xff\xff\xff"
    assert read_exif(b"II*\0\x08\0\0\0\x01\0" + entry).camera == ""
    loop = (0x8769).to_bytes(2, "little") + b"\4\0\1\0\0\0" + b"\x08\0\0\0"
    assert read_exif(b"II*\0\x08\0\0\0\x01\0" + loop).comment == ""
    assert read_exif(b"rubbish").camera == ""


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match=r"none\.mp4"):
        read_carried(tmp_path / "none.mp4")
