"""Clips made on the spot."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.media._child import POOL
from forensics.media.write import write_video

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session", autouse=True)
def _end_the_decoder() -> Iterator[None]:
    yield
    POOL.close()


def quadrants(height: int = 48, width: int = 64, shade: int = 0) -> Picture:
    """Red, green, blue and white quarters, read left to right and top to bottom."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    top, left = height // 2, width // 2
    image[:top, :left] = (220 - shade, 20, 20)
    image[:top, left:] = (20, 220 - shade, 20)
    image[top:, :left] = (20, 20, 220 - shade)
    image[top:, left:] = 220 - shade
    return image


def corner_names(image: Picture) -> str:
    """Name the quarters of a picture of `quadrants`, e.g. ``rgbw`` when upright."""
    height, width = image.shape[:2]
    names = ""
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            pixel = image[y, x].astype(int)
            names += "w" if pixel.min() > 120 else "rgb"[int(pixel.argmax())]
    return names


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Two seconds at 10 fps."""
    path = tmp_path / "plain.mp4"
    write_video(path, (quadrants(shade=i) for i in range(20)), fps=10)
    return path


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Forty noisy pictures, too many bytes for the decoder to run far ahead."""
    path = tmp_path / "big.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (40, 360, 480, 3), dtype=np.uint8)
    write_video(path, noise, fps=10, crf=35, preset="ultrafast")
    return path


@pytest.fixture
def mux(tmp_path: Path) -> Callable[..., Path]:
    """Write a video with chosen codec, pixel format, times and further streams."""

    def write(
        name: str,
        pictures: list[Picture],
        *,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        pts: list[int] | None = None,
        options: dict[str, str] | None = None,
        extra: Callable[[Any], Callable[[], None]] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as out:
            stream = out.add_stream(codec, rate=Fraction(10))
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = pix_fmt
            stream.options = options or {}
            if pts is not None:
                stream.codec_context.time_base = Fraction(1, 1000)
            finish = extra(out) if extra else None
            for i, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                if pts is not None:
                    frame.pts, frame.time_base = pts[i], Fraction(1, 1000)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            if finish:
                finish()
        return path

    return write


def turn(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write (a, b, c, d) of a display matrix into the first track header of an MP4."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16
    a, b, c, d = (v * 65536 for v in matrix)
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
