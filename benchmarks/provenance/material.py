"""Clips and pictures to put marks on: the package's samples and drawn scenes, or the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.media import SamplingPlan, open_clip, stream_frames, write_video
from forensics.models import model_path
from forensics.testing import draw_frames

Picture = NDArray[np.uint8]

SECONDS = 4.0
_RATE = 15.0
_SIZES = ((640, 360), (360, 640), (854, 480), (480, 270))


def clips(folder: Path, count: int, own: Path | None) -> list[Path]:
    """Write ``count`` unmarked clips of four seconds into ``folder``.

    Args:
        folder: Where they go.
        count: How many.
        own: Folder of clips to cut the first of them from; the others are a sample and drawn
            scenes.
    """
    sources = chain(_cuts(own) if own is not None else (), _drawn(count))
    return [
        _write(folder / f"clip{number:02d}.mp4", frames)
        for number, frames in enumerate(islice(sources, count))
    ]


def photos(folder: Path, made: list[Path]) -> list[Path]:
    """Write the middle picture of each clip as JPEG and as PNG."""
    from PIL import Image

    paths = []
    for clip in made:
        with stream_frames(open_clip(clip), SamplingPlan(frames=1)) as frames:
            image = Image.fromarray(next(iter(frames)).image)
        for suffix, options in ((".jpg", {"quality": 95}), (".png", {})):
            paths.append(folder / f"{clip.stem}{suffix}")
            image.save(paths[-1], **options)
    return paths


def _write(path: Path, frames: list[Picture]) -> Path:
    write_video(path, frames, fps=_RATE, crf=16)
    return path


def _drawn(count: int) -> Iterator[list[Picture]]:
    import cv2

    portrait = cv2.cvtColor(cv2.imread(str(model_path("astronaut"))), cv2.COLOR_BGR2RGB)
    length = round(SECONDS * _RATE)
    yield from _cuts(model_path("carphone").parent, names=(model_path("carphone").name,))
    for number in range(count):
        width, height = _SIZES[number % len(_SIZES)]
        side = round(min(width, height) * 0.8)
        face = np.asarray(cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA))
        yield list(draw_frames([face], count=length, size=(width, height), seed=number))


def _cuts(folder: Path, names: tuple[str, ...] = ()) -> Iterator[list[Picture]]:
    """Yield the first seconds of each clip of a folder, at our rate."""
    for path in sorted(p for p in folder.rglob("*") if not names or p.name in names):
        if path.suffix.lower() not in {".mp4", ".mov", ".mkv", ".mpg", ".avi"}:
            continue
        clip = open_clip(path)
        if min(clip.size) < 128 or clip.duration < SECONDS:
            continue
        with stream_frames(clip, SamplingPlan(every=1 / _RATE)) as frames:
            found = [f.image.copy() for f in islice(frames, round(SECONDS * _RATE))]
        if len(found) == round(SECONDS * _RATE):
            yield found
