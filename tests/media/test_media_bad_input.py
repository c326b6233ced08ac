from __future__ import annotations

import os
import signal
import struct
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from forensics.errors import (
    DecodeTimeoutError,
    OverLimitError,
    UnreadableInputError,
    WorkerCrashedError,
)
from forensics.media import Limits, SamplingPlan, open_clip, stream_frames
from forensics.media._child import POOL
from forensics.media.write import write_video


def refused(path: Path, **limits: Any) -> UnreadableInputError:
    with pytest.raises(UnreadableInputError) as caught:
        for _ in stream_frames(open_clip(path, limits=Limits(**limits))):
            pass
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return caught.value


def test_missing(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.mp4").cause == "no such file"


def test_folder(tmp_path: Path) -> None:
    assert refused(tmp_path).cause == "is a folder, not a file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert refused(tmp_path / "pipe.mp4").cause == "is not a regular file"


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert refused(tmp_path / "empty.mp4").cause == "the file is empty"


def test_permission(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    assert refused(plain).cause == "permission denied"


@pytest.mark.parametrize(
    "text",
    [
        b"Just some words.\n" * 500,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b"x",
    ],
)
def test_text_named_mp4(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(text)
    assert "not a media file" in refused(path).cause


def test_truncated_without_index(plain: Path) -> None:
    data = plain.read_bytes()
    plain.write_bytes(data[: data.index(b"moov") - 40])
    assert refused(plain).cause == "truncated MP4: the index (moov) is missing"


def test_truncated_in_the_middle_yields_what_decodes(
    mux: Callable[..., Path],
) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(40)]
    path = mux("early.mkv", pictures, options={"preset": "ultrafast", "g": "5"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with stream_frames(open_clip(path), SamplingPlan(all=True)) as stream:
        frames = list(stream)
    assert 5 < len(frames) < 30
    assert "ends early" in " ".join(stream.warnings)


def test_truncated_after_a_leading_index(big: Path, tmp_path: Path) -> None:
    path = tmp_path / "fast.mp4"
    with (
        av.open(str(big)) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as out,
    ):
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    data = path.read_bytes()
    body = data.index(b"mdat") + 4
    path.write_bytes(data[: body + (len(data) - body) // 2])
    with stream_frames(open_clip(path), SamplingPlan(all=True)) as stream_:
        frames = list(stream_)
    assert 5 <= len(frames) <= 25
    assert "ends early" in " ".join(stream_.warnings)
    path.write_bytes(data[:body])
    assert refused(path).cause == "its picture stream holds no pictures"


def _sound(out: Any) -> Callable[[], None]:
    stream = out.add_stream("aac", rate=44100)

    def finish() -> None:
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate, frame.pts = 44100, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    return finish


def test_sound_only(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as out:
        _sound(out)()
    assert refused(path).cause == "no picture stream (sound only)"


def test_video_stream_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "zero.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        _sound(out)()
    assert refused(path).cause == "its picture stream holds no pictures"


def test_16k_picture_header(tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    Image.new("RGB", (2, 2)).save(huge)
    data = bytearray(huge.read_bytes())
    struct.pack_into(">II", data, 16, 16384, 16384)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    huge.write_bytes(data)
    error = refused(huge)
    assert isinstance(error, OverLimitError)
    assert "16384 x 16384" in error.cause


def test_16k_video_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.ivf"
    header = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP80", 16383, 16383, 10, 1, 1, 0)
    key = b"\x50\x42\x00\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383) + bytes(64)
    path.write_bytes(header + struct.pack("<IQ", len(key), 0) + key)
    error = refused(path)
    assert isinstance(error, OverLimitError)
    assert "16383 x 16383" in error.cause


def test_caps(plain: Path) -> None:
    assert "over the limit of 100" in refused(plain, max_bytes=100).cause
    assert "64 x 48 pixels are over the limit of 1000" in refused(plain, max_pixels=1000).cause
    assert "lasts 2 s" in refused(plain, max_duration=1).cause


@pytest.mark.parametrize(
    "name", ["-i.mp4", "http:evil|x.mp4", "a\nb\x1b[31m.mp4", "\u202egpj.mp4", "名前 🎥.mp4"]
)
def test_hostile_names_are_only_names(plain: Path, name: str) -> None:
    path = plain.rename(plain.with_name(name))
    assert len(list(stream_frames(open_clip(path), SamplingPlan(3)))) == 3


def test_undecodable_name(plain: Path) -> None:
    try:
        path = plain.rename(plain.with_name("\udcff\udcfe.mp4"))
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no undecodable names")
    assert len(list(stream_frames(open_clip(path), SamplingPlan(2)))) == 2


def test_noise_after_a_valid_head(big: Path) -> None:
    data = bytearray(big.read_bytes())
    body = data.index(b"mdat") + 400
    data[body : body + 60_000] = np.random.default_rng(1).bytes(60_000)
    big.write_bytes(data)
    try:
        assert len(list(stream_frames(open_clip(big)))) <= 32
    except UnreadableInputError as error:
        assert error.cause


def test_crash_is_one_error_and_the_next_file_works(big: Path, plain: Path) -> None:
    clip = open_clip(big)
    stream = stream_frames(clip, SamplingPlan(all=True))
    next(stream)
    os.kill(stream.worker_pid or 0, signal.SIGSEGV)
    with pytest.raises(WorkerCrashedError, match="SIGSEGV"):
        list(stream)
    assert list(stream) == []
    assert len(list(stream_frames(open_clip(plain), SamplingPlan(4)))) == 4


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_hang_is_ended(big: Path, plain: Path) -> None:
    limits = Limits(stall=0.5)
    stream = stream_frames(open_clip(big), SamplingPlan(all=True), limits=limits)
    next(stream)
    pid = stream.worker_pid or 0
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(DecodeTimeoutError, match=r"hung for 0\.5 s"):
        list(stream)
    assert time.monotonic() - start < 20
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert len(list(stream_frames(open_clip(plain), SamplingPlan(4)))) == 4


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_total_time_is_capped(plain: Path) -> None:
    child = POOL.acquire()
    os.kill(child.pid, signal.SIGSTOP)
    POOL.release(child)
    with pytest.raises(DecodeTimeoutError, match=r"took over 0\.2 s"):
        open_clip(plain, limits=Limits(timeout=0.2))


def test_an_idle_child_ended_from_outside_is_replaced(plain: Path) -> None:
    child = POOL.acquire()
    POOL.release(child)
    os.kill(child.pid, signal.SIGKILL)
    assert open_clip(plain).codec == "h264"


def test_a_child_that_has_done_much_is_replaced(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forensics.media._child._JOBS", 3)
    POOL.close()
    pids = []
    for _ in range(4):
        open_clip(plain)
        child = POOL.acquire()
        pids.append(child.pid)
        POOL.release(child)
    assert pids[0] == pids[1] != pids[2] == pids[3], "the third job is its last"


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one thread decodes alike anyway")
def test_damaged_pictures_are_the_same_at_every_reading(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 256, (288, 384, 3), np.uint8)
    path = tmp_path / "damaged.mp4"
    write_video(path, (np.roll(ground, 3 * i, axis=1) for i in range(50)), fps=25, crf=30)
    data = bytearray(path.read_bytes())
    for at in rng.integers(len(data) // 10, len(data) * 8 // 10, 20).tolist():
        data[at] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)
    readings = set()
    for _ in range(6):
        with stream_frames(open_clip(path)) as stream:
            shown = tuple((frame.pts, hash(frame.image.tobytes())) for frame in stream)
            readings.add((shown, *stream.warnings))
    assert len(readings) == 1
    ((shown, warning),) = readings
    assert len(shown) > 10 and warning.endswith("damaged pictures left out")
