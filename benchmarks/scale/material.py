"""Many small files: clips with a face, each with its own bytes, and hostile ones."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from forensics.models import model_path
from forensics.testing import make_clip

_BASES = 20


def make_clips(folder: Path, count: int, *, frames: int = 8) -> list[Path]:
    """Write so many clips of a drifting portrait (NASA, astronaut), all with different bytes.

    A few are encoded; the others are copies with a box of padding, which no reader looks into.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(model_path("astronaut")) as picture:
        head = np.asarray(picture.convert("RGB"))[10:230, 130:310]
    bases = [
        make_clip(folder / f"clip-{n:05}.mp4", [head], count=frames, size=(320, 240), seed=n)
        for n in range(min(_BASES, count))
    ]
    content = [base.read_bytes() for base in bases]
    made = list(bases)
    for number in range(len(bases), count):
        path = folder / f"clip-{number:05}.mp4"
        pad = struct.pack(">I4sQ", 16 + number % 4096, b"free", number) + bytes(number % 4096)
        path.write_bytes(content[number % len(content)] + pad)
        made.append(path)
    return made


def _truncated(good: bytes, rng: np.random.Generator) -> bytes:
    return good[: int(rng.integers(16, len(good) - 16))]


def _flipped(good: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits all over: what codecs crash on."""
    data = np.frombuffer(good, np.uint8).copy()
    places = rng.integers(32, len(data), max(8, len(data) // 200))
    data[places] ^= rng.integers(1, 256, len(places)).astype(np.uint8)
    return data.tobytes()


def _bomb(good: bytes, rng: np.random.Generator) -> bytes:
    """A PNG of 40000 x 40000 pixels in a few kilobytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    side = 40_000 + int(rng.integers(1000))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20), 9))


def _nested(good: bytes, rng: np.random.Generator) -> bytes:
    """Boxes in boxes in boxes."""
    inner = rng.bytes(8)
    for _ in range(5000):
        inner = struct.pack(">I4s", len(inner) + 8, b"moov") + inner
    return struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + inner


def _empty(good: bytes, rng: np.random.Generator) -> bytes:
    return b""


def _noise(good: bytes, rng: np.random.Generator) -> bytes:
    return b"\x00\x00\x00\x18ftypmp42" + rng.bytes(4000)


HOSTILE: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    _truncated, _flipped, _bomb, _nested, _flipped, _truncated, _empty, _noise, _flipped,
)  # fmt: skip


def make_fault_set(folder: Path, count: int = 300, *, frames: int = 8) -> list[Path]:
    """Write clips, a tenth of them hostile: cut off, damaged, bombs, empty, links to nowhere."""
    rng = np.random.default_rng(7)
    clips = make_clips(folder, count - count // 10, frames=frames)
    good = clips[0].read_bytes()
    made = list(clips)
    for number in range(count // 10):
        path = folder / f"hostile-{number:03}.mp4"
        if number % (len(HOSTILE) + 1) == len(HOSTILE):
            path.symlink_to(path.name)
        else:
            path.write_bytes(HOSTILE[number % (len(HOSTILE) + 1)](good, rng))
        made.append(path)
    return made
