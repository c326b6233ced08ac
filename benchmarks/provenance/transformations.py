"""What happens to files on their way: each function here writes one changed copy.

Only files that this benchmark has marked itself are ever put through them, to count what survives.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.media import SamplingPlan, open_clip, stream_frames, write_video

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Transformation:
    """One way to change a file.

    Attributes:
        name: What a reader of the table sees.
        suffix: Of what is written; None keeps the source's.
        run: Writes the second path from the first.
    """

    name: str
    suffix: str | None = field(kw_only=True)
    run: Callable[[Path, Path], None] = field(kw_only=True)


def remux(source: Path, target: Path, *, tags: bool) -> None:
    """Copy the streams as ``ffmpeg -c copy`` does, with the flag that keeps all tags or without."""
    kind = "matroska" if target.suffix == ".mkv" else "mp4"
    flags = {"movflags": "use_metadata_tags"} if tags and kind == "mp4" else {}
    with av.open(str(source)) as clip, av.open(str(target), "w", format=kind, options=flags) as out:
        out.metadata.update(clip.metadata)
        copies = {s.index: out.add_stream_from_template(s) for s in clip.streams}
        for packet in clip.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)


def encode(
    source: Path,
    target: Path,
    *,
    crf: int = 23,
    change: Callable[[Picture], Picture] = lambda picture: picture,
) -> None:
    """Decode and encode again; tags are passed to the muxer, which drops those it does not know."""
    clip = open_clip(source)
    with av.open(str(source)) as container:
        tags = dict(container.metadata)
    with stream_frames(clip, SamplingPlan(all=True)) as frames:
        pictures = [change(frame.image) for frame in frames]
    plain = target.with_name(f"{target.stem}-plain.mp4")
    write_video(plain, pictures, fps=clip.fps, crf=crf)
    with av.open(str(plain)) as made, av.open(str(target), "w", format="mp4") as out:
        out.metadata.update(tags)
        copy = out.add_stream_from_template(made.streams.video[0])
        for packet in made.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux(packet)


def save(
    source: Path,
    target: Path,
    *,
    change: Callable[[Picture], Picture] = lambda picture: picture,
    quality: int = 90,
) -> None:
    """Decode a picture and save it anew, without what is not pixels."""
    with Image.open(source) as image:
        pixels = change(np.array(image.convert("RGB"), np.uint8))
    options = {"quality": quality} if target.suffix == ".jpg" else {}
    Image.fromarray(pixels).save(target, **options)


def scaled(factor: float) -> Callable[[Picture], Picture]:
    """Return what makes a picture smaller."""

    def run(picture: Picture) -> Picture:
        height, width = (round(n * factor / 2) * 2 for n in picture.shape[:2])
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))

    return run


def cropped(share: float) -> Callable[[Picture], Picture]:
    """Return what cuts ``share`` off each side."""

    def run(picture: Picture) -> Picture:
        dy, dx = (round(n * share / 2) * 2 for n in picture.shape[:2])
        return np.ascontiguousarray(picture[dy : picture.shape[0] - dy, dx : picture.shape[1] - dx])

    return run


def on_screen(picture: Picture) -> Picture:
    """Return a screenshot: the picture in a player's window on a grey desktop."""
    height, width = picture.shape[:2]
    screen = np.full((height + 120, width + 160, 3), 70, np.uint8)
    screen[30:60, 80 : 80 + width] = 220
    screen[60 : 60 + height, 80 : 80 + width] = picture
    return screen


def screenshot(source: Path, target: Path) -> None:
    """Save a clip's first picture as it stands on a screen."""
    with stream_frames(open_clip(source), SamplingPlan(frames=8)) as frames:
        first = next(iter(frames)).image
    Image.fromarray(on_screen(first)).save(target)


def _encoded(name: str, **options: Any) -> Transformation:
    return Transformation(name, suffix=".mp4", run=lambda a, b: encode(a, b, **options))


def _saved(name: str, suffix: str | None, **options: Any) -> Transformation:
    return Transformation(name, suffix=suffix, run=lambda a, b: save(a, b, **options))


COPY = Transformation("copy", suffix=None, run=lambda a, b: shutil.copyfile(a, b) and None)

VIDEO = (
    COPY,
    Transformation("remux to MP4, tags kept", suffix=".mp4",
                   run=lambda a, b: remux(a, b, tags=True)),
    Transformation("remux to MP4", suffix=".mp4", run=lambda a, b: remux(a, b, tags=False)),
    Transformation("remux to MKV", suffix=".mkv", run=lambda a, b: remux(a, b, tags=False)),
    *(_encoded(f"H.264 CRF {crf}", crf=crf) for crf in (18, 23, 28, 33)),
    _encoded("H.264 CRF 23, scaled 0.75", change=scaled(0.75)),
    _encoded("H.264 CRF 23, scaled 0.5", change=scaled(0.5)),
    _encoded("H.264 CRF 23, cropped 5 % a side", change=cropped(0.05)),
    Transformation("screenshot", suffix=".png", run=screenshot),
)  # fmt: skip

IMAGE = (
    COPY,
    _saved("saved as JPEG, quality 90", ".jpg"),
    _saved("saved as JPEG, quality 50", ".jpg", quality=50),
    _saved("saved as PNG", ".png"),
    _saved("JPEG 90, scaled 0.75", ".jpg", change=scaled(0.75)),
    _saved("JPEG 90, scaled 0.5", ".jpg", change=scaled(0.5)),
    _saved("JPEG 90, cropped 5 % a side", ".jpg", change=cropped(0.05)),
    _saved("screenshot", ".png", change=on_screen),
)
