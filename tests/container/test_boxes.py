"""The box tree stays within its caps, whatever a file claims."""

from __future__ import annotations

import io

import pytest

from forensics.container.boxes import MAX_BOXES, MAX_DEPTH, read_body, read_boxes

from .conftest import box, full, tree


def test_paths_sizes_and_the_last_box_that_reaches_to_the_end(ftyp: bytes) -> None:
    wide = (1).to_bytes(4, "big") + b"free" + (20).to_bytes(8, "big") + b"abcd"
    data = ftyp + box("moov", box("udta", box("name", b"x"))) + wide + box("mdat", b"yz", size=0)
    file, found = tree(data)
    assert found.problems == ()
    assert [b.kind for b in found.boxes] == ["ftyp", "moov", "free", "mdat"]
    (name,) = found.find("moov/udta/name")
    assert read_body(file, name) == b"x"
    assert read_body(file, found.boxes[2]) == b"abcd" and read_body(file, found.boxes[3]) == b"yz"
    assert [b.kind for b in found.walk()][:4] == ["ftyp", "moov", "udta", "name"]


def test_meta_with_and_without_a_version(ftyp: bytes) -> None:
    inner = full("hdlr", bytes(20)) + box("ilst")
    for meta in (full("meta", inner), box("meta", inner)):
        _, found = tree(ftyp + meta)
        assert [b.kind for b in found.find("meta/ilst")] == ["ilst"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (box("free", size=2**31), "truncated"),
        ((1).to_bytes(4, "big") + b"mdat" + (2**63).to_bytes(8, "big"), "truncated"),
        ((1).to_bytes(4, "big") + b"mdat" + (2**64 - 1).to_bytes(8, "big"), "truncated"),
        ((1).to_bytes(4, "big") + b"mdat" + (3).to_bytes(8, "big"), "bad_size"),
        (box("free", size=7), "bad_size"),
        ((1).to_bytes(4, "big") + b"mdat\0\0", "truncated"),
    ],
)
def test_lying_sizes_are_named(data: bytes, problem: str) -> None:
    _, found = tree(box("ftyp", b"isom") + data)
    assert problem in found.problems
    assert found.boxes[0].kind == "ftyp"
    assert all(b.end <= len(data) + 12 for b in found.boxes)


def test_ten_thousand_nested_boxes() -> None:
    data = b""
    for _ in range(10_000):
        data = box("moov", data)
    _, found = tree(data)
    assert found.problems == ("too_deep",)
    assert len(list(found.walk())) <= MAX_DEPTH + 1


def test_more_boxes_than_the_cap() -> None:
    _, found = tree(box("free") * (MAX_BOXES + 5))
    assert found.problems == ("too_many",) and len(found.boxes) == MAX_BOXES


def test_a_body_is_read_up_to_its_limit() -> None:
    file, found = tree(box("free", b"x" * 100))
    assert read_body(file, found.boxes[0], 10) == b"x" * 10
    assert read_boxes(io.BytesIO(b""), 0).boxes == ()
