"""How a file was written: brands, times, edit lists, and the texts that encoders leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forensics.container.history import find_encoders
from forensics.container.packets import MAX_PACKETS, Packets, read_packets
from forensics.container.texts import read_carried
from forensics.media import write_video
from forensics.testing import draw_frames

from .conftest import box, full, tree


def number(value: int, width: int = 4) -> bytes:
    return (value & (256**width - 1)).to_bytes(width, "big")


def test_a_file_of_our_own_encoder(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", draw_frames(count=10, size=(96, 64)), fps=5)
    found = read_carried(tmp_path / "a.mp4")
    assert found.history.brands[0] == "isom" and "mdat" in found.history.order
    assert any(text.startswith("x264") for text in found.history.encoders)
    assert any(text.startswith("Lavf") for text in found.history.writers)
    assert len(found.packets.sizes) == 10 and 0 in found.packets.keys
    assert found.packets.codec == "avc1"
    assert sum(found.packets.sizes) < (tmp_path / "a.mp4").stat().st_size


def test_times_and_edits() -> None:
    day = 3_800_000_000
    moov = box(
        "moov",
        full("mvhd", number(day) + number(0) + bytes(80))
        + box("trak", box("edts", full("elst", number(3) + b"".join(
            number(10) + number(media) + number(1) for media in (-1, 0, 50)
        )))),
    )  # fmt: skip
    from forensics.container.history import read_history

    file, found = tree(moov)
    history = read_history(file, found, [])
    ((place, moment),) = history.created
    assert place == "moov/mvhd[0] created" and moment.startswith("2024-05-31")
    assert history.edits == ((10, -1), (10, 0), (10, 50)) and history.pieces == 2


def test_an_edit_list_that_claims_millions() -> None:
    file, found = tree(box("moov", box("trak", box("edts", full("elst", number(2**31))))))
    from forensics.container.history import read_history

    assert read_history(file, found, []).edits == ()


def test_encoder_texts() -> None:
    data = b"\0\1x264 - core 164 r3108 - H.264 options: crf=23\0rest Lavc61.3.100 libx264\0"
    assert find_encoders(data) == (
        "x264 - core 164 r3108 - H.264 options: crf=23", "Lavc61.3.100 libx264",
    )  # fmt: skip
    assert find_encoders(np.random.default_rng(0).bytes(4096)) == ()


def _track(*tables: bytes, kind: bytes = b"vide") -> bytes:
    stbl = box("stbl", b"".join(tables))
    media = full("hdlr", bytes(4) + kind + bytes(12)) + box("minf", stbl)
    return box("moov", box("trak", box("mdia", media)))


def test_packet_tables() -> None:
    sizes = full("stsz", number(0) + number(4) + b"".join(number(n) for n in (900, 10, 20, 30)))
    keys = full("stss", number(2) + number(1) + number(9))
    file, found = tree(_track(sizes, keys))
    packets = read_packets(file, found)
    assert packets.sizes == (900, 10, 20, 30) and packets.keys == {0} and not packets.reordered
    shown = full("ctts", number(2) + number(1) + number(0) + number(3) + number(512))
    file, found = tree(_track(sizes, keys, shown))
    assert read_packets(file, found).reordered
    file, found = tree(_track(sizes, kind=b"soun"))
    assert read_packets(file, found).sizes == ()


def test_packets_tell_one_coding_from_another_whatever_the_container() -> None:
    few, many = tuple(range(100, 159)), tuple(range(100, 160))
    assert Packets(few).sha256 is None and Packets((7,) * 900).sha256 is None
    told = Packets(many, keys=frozenset({0, 30}), codec="avc1").sha256
    assert told is not None
    assert told == Packets(many, keys=frozenset({30, 0}), codec="avc1", reordered=True).sha256
    assert told != Packets(many, keys=frozenset({0}), codec="avc1").sha256
    assert told != Packets((*many[:-1], 9), keys=frozenset({0, 30}), codec="avc1").sha256


def test_packet_tables_that_lie() -> None:
    file, found = tree(_track(full("stsz", number(7) + number(2**32 - 1))))
    packets = read_packets(file, found)
    assert len(packets.sizes) == MAX_PACKETS == len(packets.keys)
    file, found = tree(_track(full("stsz", number(0) + number(2**32 - 1) + number(5))))
    assert read_packets(file, found).sizes == (5,)
    file, found = tree(_track(b""))
    assert read_packets(file, found).sizes == ()
