"""A derived copy for browsers that cannot play an upload: H.264, smaller, marked as derived."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ForensicsError
from forensics.media import Limits, SamplingPlan, open_clip, stream_frames
from forensics.types import Clip

WIDTH, HEIGHT, RATE = 1280, 720, 25.0
DERIVED = "Derived preview, re-encoded for viewing. Not the file that was examined."


def make_preview(
    media: Path, folder: Path, limits: Limits, on_progress: Callable[[int, int], None]
) -> str:
    """Write ``preview.mp4``, or ``preview.png`` of a still picture, and return its name.

    Times stay those of the upload, so that boxes and the timeline fit.

    Raises:
        UnreadableInputError: The upload cannot be decoded.
    """
    clip = open_clip(media, limits=limits)
    if clip.kind == "image":
        return _still(clip, folder, limits)
    sound = media if clip.has_audio else None
    try:
        _video(clip, folder, limits, on_progress, sound)
    except ForensicsError:
        raise
    except Exception:  # sound that cannot be carried over must not cost the pictures
        if sound is None:
            raise
        _video(clip, folder, limits, on_progress, None)
    return "preview.mp4"


def _still(clip: Clip, folder: Path, limits: Limits) -> str:
    from PIL import Image

    with stream_frames(clip, SamplingPlan(frames=1), limits=limits) as stream:
        image = Image.fromarray(next(stream).image)
    image.thumbnail((WIDTH * 2, HEIGHT * 2))
    part = folder / "preview.part.png"
    image.save(part)
    part.replace(folder / "preview.png")
    return "preview.png"


def _video(
    clip: Clip,
    folder: Path,
    limits: Limits,
    on_progress: Callable[[int, int], None],
    sound: Path | None,
) -> None:
    from forensics.media.encode import VideoEncoder

    rate = min(clip.fps or RATE, RATE)
    plan = SamplingPlan(all=True) if (clip.fps or RATE) <= RATE else SamplingPlan(every=1 / RATE)
    # The whole file is decoded, which may take longer than looking at a few pictures of it.
    patient = dataclasses.replace(limits, timeout=max(limits.timeout, 2 * clip.duration))
    size = fitted(clip.size)
    part = folder / "preview.part.mp4"
    encoder = VideoEncoder(
        part, size=size, codec="h264", crf=23, preset="veryfast",
        rate=Fraction(rate).limit_denominator(1000), metadata={"title": DERIVED},
        aspect=Fraction(1), audio_from=sound, audio_offset=None,
    )  # fmt: skip
    planned = max(1, round(clip.duration * rate))
    try:
        with stream_frames(clip, plan, limits=patient) as stream:
            for number, frame in enumerate(stream):
                encoder.write(_scaled(frame.image, size), frame.pts)
                if number % 10 == 0:
                    on_progress(min(number, planned), planned)
        encoder.close()
    except BaseException:
        encoder.abort()
        part.unlink(missing_ok=True)
        raise
    part.replace(folder / "preview.mp4")


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """Return the even size that fits into the preview with the same proportions."""
    share = min(1.0, max(WIDTH, HEIGHT) / max(size), min(WIDTH, HEIGHT) / min(size))
    width, height = (max(2, 2 * round(share * side / 2)) for side in size)
    return width, height


def _scaled(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
