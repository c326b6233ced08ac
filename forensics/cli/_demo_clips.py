"""The demo's own clips: an animated portrait and its self-blended copy, both labelled."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from forensics.media import write_video
from forensics.training.animate import animate_portrait
from forensics.training.blend import self_blend_clip

Image = NDArray[np.uint8]

SECONDS = 6.0
FPS = 25.0
SEED = 7
# The demo is to show a report on a suspect clip: this self-blend is one of the easier half.
BLEND_SEED = 2
_STRIP = 36  # rows of the label, below the picture so that no pixel of the face is touched

ANIMATED = "DEMO: photograph animated by mesh warps"
BLENDED = "DEMO: MANIPULATED, self-blended face"


def read_portrait(path: Path) -> Image:
    """Return a photograph as (h, w, 3) RGB ``uint8``."""
    with PillowImage.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def label_strip(width: int, text: str) -> Image:
    """Draw white ``text`` on black, (36, width, 3)."""
    strip = np.zeros((_STRIP, width, 3), np.uint8)
    cv2.putText(
        strip, text, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA
    )
    return strip


def labelled(frames: Iterable[Image], text: str) -> Iterator[Image]:
    """Put a label under every frame."""
    for frame in frames:
        yield np.vstack([frame, label_strip(frame.shape[1], text)])


def _write(path: Path, frames: Iterable[Image], text: str) -> Path:
    tags = {"title": text, "comment": f"{text}. Made by 'forensics demo', not a recording."}
    write_video(path, labelled(frames, text), fps=FPS, metadata=tags)
    return path


def make_animated(portrait: Image, path: Path, *, seconds: float = SECONDS) -> Path:
    """Write the animated portrait.

    Args:
        portrait: (h, w, 3) RGB ``uint8`` photograph with a face.
        path: Video to write.
        seconds: Length.

    Raises:
        OutputError: The video cannot be written.
    """
    pairs = animate_portrait(portrait, seconds=seconds, fps=FPS, seed=SEED)
    return _write(path, (image for image, _ in pairs), ANIMATED)


def make_blended(portrait: Image, path: Path, *, seconds: float = SECONDS) -> Path:
    """Write the same animation with its face self-blended; arguments as `make_animated`."""
    # One animation read twice in step: tee never holds more than one frame.
    first, second = itertools.tee(animate_portrait(portrait, seconds=seconds, fps=FPS, seed=SEED))
    frames, meshes = (image for image, _ in first), (mesh for _, mesh in second)
    return _write(path, self_blend_clip(frames, meshes, seed=BLEND_SEED), BLENDED)
