"""Write a small video: used by the demo, the tests and training."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OutputError, printable

_NO_METADATA: Mapping[str, str] = {}


def write_video(
    path: Path | str,
    frames: Iterable[NDArray[np.uint8]],
    *,
    fps: float,
    crf: int = 18,
    codec: str = "libx264",
    metadata: Mapping[str, str] = _NO_METADATA,
    preset: str = "veryfast",
) -> None:
    """Encode pictures as 8-bit 4:2:0 video; an existing file is replaced, never left half done.

    The same pictures make the same bytes.

    Args:
        path: Output; its suffix chooses the container.
        frames: (h, w, 3) RGB ``uint8`` pictures of one size; odd sizes are padded by repeating
            the last row or column.
        fps: Frames per second, above 0.
        crf: Constant rate factor, lower is better.
        codec: Name of an FFmpeg encoder.
        metadata: Tags for the file; MP4 keeps arbitrary names.
        preset: Speed of encoders that know presets.

    Raises:
        ValueError: No frame, a frame of the wrong shape or type, or ``fps`` not above 0.
        OutputError: The file cannot be written (folder missing, permission, disk full).
    """
    if not fps > 0:
        raise ValueError(f"fps must be above 0, got {fps!r}")
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    draft = Path(name)
    try:
        _encode(draft, frames, fps, crf, codec, metadata, preset)
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _encode(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    fps: float,
    crf: int,
    codec: str,
    metadata: Mapping[str, str],
    preset: str,
) -> None:
    import av

    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError("frames is empty, a video needs at least one")
    shape = _checked(first, first.shape).shape
    # PyAV reads its target as a pattern for some formats, so it gets a stream instead of a name.
    with path.open("w+b") as file:
        options = {"movflags": "use_metadata_tags"} if path.suffix in (".mp4", ".mov") else {}
        with av.open(file, "w", format=_FORMATS.get(path.suffix, "mp4"), options=options) as out:
            out.metadata.update(metadata)
            stream: Any = out.add_stream(codec, rate=Fraction(fps).limit_denominator(60_000))
            stream.width = shape[1] + shape[1] % 2
            stream.height = shape[0] + shape[0] % 2
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": str(crf), "preset": preset} | _steady(codec)
            # With several threads x264 gave the same pictures other bytes from run to run.
            stream.codec_context.thread_count = 1
            for picture in itertools.chain((first,), pictures):
                frame = av.VideoFrame.from_ndarray(_padded(_checked(picture, shape)), "rgb24")
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))


def _steady(codec: str) -> dict[str, str]:
    """Keep x264 from AVX-512: its macroblock tree then gives other bytes from run to run."""
    import cv2

    if codec == "libx264" and cv2.checkHardwareSupport(_AVX_512):
        return {"x264-params": "asm=avx2"}
    return {}


_AVX_512 = 13  # CV_CPU_AVX_512F of OpenCV, which Python does not name
_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}


def _checked(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a frame must be (h, w, 3) uint8, got {picture.shape} {picture.dtype}")
    if picture.shape != shape:
        raise ValueError(f"all frames must have shape {shape}, got {picture.shape}")
    return picture


def _padded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return contiguous pixels of even size, as 4:2:0 needs."""
    tall, wide = picture.shape[0] % 2, picture.shape[1] % 2
    if tall or wide:
        picture = np.pad(picture, ((0, tall), (0, wide), (0, 0)), mode="edge")
    return np.ascontiguousarray(picture)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{printable(path)}: {(error.strerror or 'cannot be written').lower()}")
