"""The AIGC label: strict writing, tolerant reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from forensics.errors import UnreadableInputError
from forensics.provenance.aigc import FIELDS, AigcLabel, parse_aigc, read_aigc
from forensics.provenance.xmp import make_xmp, read_xmp_field

GOOD = AigcLabel("1", producer="001191110000MA01", produce_id="n-1")


def test_written_form_is_the_standards() -> None:
    value = json.loads(GOOD.to_json())
    assert list(value) == ["AIGC"] and tuple(value["AIGC"]) == FIELDS
    assert all(isinstance(v, str) for v in value["AIGC"].values())
    assert value["AIGC"]["ContentPropagator"] == "001191110000MA01"
    assert value["AIGC"]["PropagateID"] == "n-1"
    assert " " not in GOOD.to_json()
    assert parse_aigc(GOOD.to_json(), site="s").problems == ()


@pytest.mark.parametrize("bad", ["a b", 'a"b', "a\\b", "某公司", "", "a\n"])
def test_writer_refuses(bad: str) -> None:
    with pytest.raises(ValueError, match="producer"):
        AigcLabel("1", producer=bad, produce_id="1")
    with pytest.raises(ValueError, match="label"):
        AigcLabel("4", producer="a", produce_id="1")


INNER = json.loads(GOOD.to_json())["AIGC"]


@pytest.mark.parametrize(
    ("text", "problem", "label"),
    [
        (json.dumps(INNER), "no_wrapper", "1"),
        (json.dumps(GOOD.to_json()), "encoded_twice", "1"),
        (json.dumps({"AIGC": json.dumps(INNER)}), "encoded_twice", "1"),
        (json.dumps({"AIGC": {**INNER, "Label": 1}}), "not_text", "1"),
        (json.dumps({"AIGC": {**INNER, "Label": "AIGC"}}), "label_value", None),
        (json.dumps({"AIGC": {"Label": "2"}}), "missing_members", "2"),
        (json.dumps({"AIGC": {**INNER, "Extra": "x"}}), "unknown_members", "1"),
        (json.dumps({"AIGC": {**INNER, "ContentProducer": "某"}}), "characters", "1"),
        ("AIGC" + json.dumps(INNER), "bare_prefix", "1"),
        ("{", "not_json", None),
        ("[1]", "not_an_object", None),
        ('{"AIGC": "{"}', "not_json", None),
        ("[" * 50_000, "not_json", None),
        ("x" * 70_000, "too_long", None),
    ],
)
def test_reader_names_the_fault_and_reads_on(text: str, problem: str, label: str | None) -> None:
    reading = parse_aigc(text, site="s")
    assert problem in reading.problems
    assert reading.label == label
    assert len(reading.raw) <= 4096


def test_picture_sites(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8))
    xmp = make_xmp(GOOD.to_json(), "http://x/y", "a < b & c")
    image.save(tmp_path / "a.jpg", xmp=xmp)
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    info.add_text("AIGC", GOOD.to_json())
    image.save(tmp_path / "a.png", pnginfo=info)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + GOOD.to_json().encode()
    image.save(tmp_path / "e.jpg", exif=exif)
    image.save(tmp_path / "none.png")
    assert [r.site for r in read_aigc(tmp_path / "a.jpg")] == ["xmp"]
    assert [r.site for r in read_aigc(tmp_path / "a.png")] == ["xmp", "png-text:AIGC"]
    assert [(r.site, r.label) for r in read_aigc(tmp_path / "e.jpg")] == [("exif", "1")]
    assert read_aigc(tmp_path / "none.png") == ()


def test_entity_bomb_and_rubbish_are_no_xmp() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "y">]><a><AIGC>&x;</AIGC></a>'
    for packet in (bomb, b"<a", b"x" * (1 << 21), ""):
        assert read_xmp_field(packet, "AIGC") is None
    assert read_xmp_field('<r xmlns:t="u" t:AIGC="v"/>', "AIGC") == "v"


@pytest.mark.parametrize("name", ["x.mp4", "x.png", "x.mkv"])
def test_rubbish_is_unreadable(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableInputError, match=name):
        read_aigc(tmp_path / name)
    (tmp_path / name).write_bytes(b"rubbish" * 50)
    with pytest.raises(UnreadableInputError, match=name):
        read_aigc(tmp_path / name)
