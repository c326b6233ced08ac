"""The clips that are measured: a talking face before a textured wall, filmed by hand, 720p."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.media import write_video
from forensics.models import model_path
from forensics.training.animate import animate_portrait

Picture = NDArray[np.uint8]

SIZE = (1280, 720)
FPS = 25.0
SECONDS = 10.0
_FACE = 384  # side of the animated portrait in the frame, pixels
_SWAY = 24  # furthest that the camera drifts, pixels
_NOISE = 4.0  # standard deviation of the sensor noise, in 8-bit steps


def _wall(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Draw texture at several scales, larger than the frame by the camera's drift."""
    height, width = size[1] + 2 * _SWAY, size[0] + 2 * _SWAY
    wall = np.full((height, width, 3), 118.0, np.float32)
    for cells, strength in ((6, 26), (24, 16), (96, 9), (384, 5)):
        coarse = rng.normal(0, strength, (cells * height // width + 2, cells + 2, 3))
        wall += cv2.resize(
            coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
    return np.clip(wall, 0, 255).astype(np.uint8)


def _frames(
    portrait: Picture, seconds: float, seed: int, size: tuple[int, int]
) -> Iterator[Picture]:
    rng = np.random.default_rng(seed)
    wall = _wall(rng, size)
    left, top = (wall.shape[1] - _FACE) // 2, (wall.shape[0] - _FACE) // 2
    noise = rng.normal(0, _NOISE, (size[1] + 64, size[0] + 64, 3)).astype(np.float32)
    faces = animate_portrait(portrait, seconds=seconds, fps=FPS, seed=seed, size=_FACE)
    for number, (face, _) in enumerate(faces):
        scene = wall.copy()
        scene[top : top + _FACE, left : left + _FACE] = face
        angle = 2 * np.pi * number / (FPS * 4.0)
        dx, dy = _SWAY * (0.9 * np.sin(angle) - 1), _SWAY * (0.6 * np.sin(1.7 * angle) - 1)
        seen = cv2.warpAffine(scene, np.array([[1, 0, dx], [0, 1, dy]], np.float64), size)
        x, y = rng.integers(64, size=2)
        grain = noise[y : y + size[1], x : x + size[0]]
        yield np.clip(seen + grain, 0, 255).astype(np.uint8)


def make_clip(
    path: Path, *, seconds: float = SECONDS, seed: int = 3, size: tuple[int, int] = SIZE
) -> Path:
    """Write the clip (720p by default): the demo's portrait, animated, under drift and noise.

    A still background would hardly cost a decoder anything, and no phone films one.

    Raises:
        ModelMissingError: The portrait or the face models were not pulled.
    """
    with Image.open(model_path("astronaut")) as picture:
        portrait = np.asarray(picture.convert("RGB"))
    write_video(path, _frames(portrait, seconds, seed, size), fps=FPS, crf=20)
    return path


def repeat_clip(source: Path, path: Path, times: int) -> Path:
    """Write a clip that shows ``source`` so many times, by copying its packets."""
    with av.open(str(source)) as read:
        stream: Any = read.streams.video[0]
        packets = [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in read.demux(stream) if p.size]
        step = round(Fraction(1) / (stream.average_rate * stream.time_base))
        with av.open(str(path), "w") as out:
            copy: Any = out.add_stream_from_template(stream)
            for turn in range(times):
                for data, pts, dts, key in packets:
                    packet: Any = av.Packet(data)
                    shift = turn * step * len(packets)
                    packet.pts, packet.dts = pts + shift, dts + shift
                    packet.is_keyframe, packet.duration = key, step
                    packet.time_base, packet.stream = stream.time_base, copy
                    out.mux(packet)
    return path
