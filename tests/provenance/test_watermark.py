"""The watermark through a real encoder, under the wrong key, and its statistics."""

from __future__ import annotations

import io

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.provenance.payload import KIND_CODES, Payload, crc16, read_payload, tag
from forensics.provenance.watermark import (
    ALPHA,
    Watermarker,
    WatermarkReader,
    binomial_tail,
    detect,
    embed,
)

Frames = list[NDArray[np.uint8]]


def textured_clip(n: int = 24, size: tuple[int, int] = (480, 270)) -> Frames:
    rng = np.random.default_rng(5)
    coarse = rng.uniform(30, 220, (12, 20, 3)).astype(np.float32)
    scene = cv2.resize(coarse, (size[0] + 80, size[1] + 40), interpolation=cv2.INTER_CUBIC)
    scene += rng.normal(0, 8, scene.shape)
    scene = cv2.GaussianBlur(scene, (0, 0), 0.8).clip(0, 255).astype(np.uint8)
    return [scene[i : i + size[1], 2 * i : 2 * i + size[0]].copy() for i in range(n)]


def through_x264(frames: Frames, *, crf: int, scale: float = 1.0) -> Frames:
    height, width = frames[0].shape[:2]
    width, height = int(width * scale) // 2 * 2, int(height * scale) // 2 * 2
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": str(crf), "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        out.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as back:
        return [f.to_ndarray(format="rgb24") for f in back.decode(video=0)]


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.fixture(scope="module")
def clip() -> Frames:
    return textured_clip()


@pytest.mark.parametrize("kind", list(KIND_CODES))
def test_survives_x264_and_scaling_and_stays_invisible(kind: str, clip: Frames) -> None:
    payload = Payload(kind, id=0xDEADBEEF)  # type: ignore[arg-type]
    mark = Watermarker(payload)
    marked = [mark(f) for f in clip]
    assert np.mean([psnr(a, b) for a, b in zip(clip, marked, strict=True)]) >= 40.0
    for scale in (1.0, 0.75):
        result = detect(through_x264(marked, crf=28, scale=scale))
        assert result.payload == payload
        assert result.kind == kind
        assert result.p_value < 1e-9
        assert result.frames == len(clip)


def test_wrong_key_and_unmarked_clip_show_nothing(clip: Frames) -> None:
    mark = Watermarker(Payload("synthetic", id=7), key=b"one")
    reader = WatermarkReader()
    for frame in clip[:6]:
        reader.add(mark(frame))
    assert reader.result(b"one").payload == Payload("synthetic", id=7)
    for key in (b"two", b"", b"one "):
        result = reader.result(key)
        assert not result.found and result.payload is None and result.p_value > ALPHA
    assert not detect(clip).found
    assert not detect([]).found


def test_single_picture_is_enough(clip: Frames) -> None:
    payload = Payload("control", id=0)
    marked = embed(clip[0], payload)
    assert detect([marked]).payload == payload
    _, jpeg = cv2.imencode(".jpg", marked, [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert detect([cv2.imdecode(jpeg, cv2.IMREAD_COLOR)]).payload == payload


def test_grey_and_small_pictures(clip: Frames) -> None:
    payload = Payload("synthetic", id=3)
    small = cv2.resize(clip[0], (96, 96), interpolation=cv2.INTER_AREA)
    assert detect([embed(small, payload)]).payload == payload
    assert detect([embed(clip[0][..., 0], payload)]).payload == payload


def test_flat_pictures_are_fair_coins() -> None:
    reader = WatermarkReader()
    reader.add(np.zeros((64, 64, 3), np.uint8))
    errors = [reader.result(b"%d" % i).bit_errors for i in range(300)]
    p_values = [reader.result(b"%d" % i).p_value for i in range(300)]
    # The better of two complementary halves of 80 throws: mean a little below 40.
    assert 34 < np.mean(errors) < 40
    assert min(p_values) > ALPHA
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08


def test_binomial_tail() -> None:
    assert binomial_tail(80, 80) == 1.0
    assert binomial_tail(0, 10) == 2**-10
    assert binomial_tail(1, 10) == 11 * 2**-10


def test_checksum_rejects_every_single_bit_error() -> None:
    payload = Payload("synthetic", id=0x01234567)
    assert read_payload("synthetic", payload.bits) == payload
    for i in range(16, 64):
        bits = payload.bits.copy()
        bits[i] ^= 1
        assert read_payload("synthetic", bits) is None
    assert crc16(b"123456789") == 0x29B1


def test_kinds_differ_in_every_code_bit() -> None:
    assert (tag("synthetic") ^ tag("control")) == 0xFF


def test_bad_values_are_named() -> None:
    with pytest.raises(ValueError, match="4294967296"):
        Payload("synthetic", id=1 << 32)
    with pytest.raises(ValueError, match="'real'"):
        Payload("real", id=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="step"):
        Watermarker(Payload("control", id=1), step=0.0)
