"""Still pictures through Pillow, upright and in 8-bit RGB."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from forensics.media._fault import MediaFault
from forensics.media.limits import Limits

_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
_MAGIC = (
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (8, b"WEBP"),
    (0, b"GIF8"),
    (0, b"BM"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
    (4, b"ftypavif"),
    (0, b"\x00\x00\x00\x0cjP  "),
    (0, b"P5"),
    (0, b"P6"),
)
_APPLE = (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis")
_ORIENTATION_TAG = 0x0112
_TURN = {3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}


def is_still(path: str) -> bool:
    """Tell from its first bytes whether a file is a single picture; animated GIFs are video.

    Raises:
        MediaFault: It is a HEIC picture, whose tiles cannot be put together here.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - names may be undecodable
        head = file.read(16)
    if head[4:8] == b"ftyp" and head[8:12] in _APPLE:
        raise MediaFault("HEIC pictures are not supported; convert it to JPEG or PNG first")
    if not any(head[at : at + len(magic)] == magic for at, magic in _MAGIC):
        return False
    if head.startswith(b"GIF8"):
        with _opened(path) as image:
            return int(getattr(image, "n_frames", 1)) == 1
    return True


def probe_still(path: str, limits: Limits) -> dict[str, Any]:
    """Read a picture's header.

    Returns:
        Fields of `forensics.types.Clip`, JSON-ready.

    Raises:
        MediaFault: Not a readable picture, or over a limit.
    """
    with _opened(path) as image:
        width, height = image.size
        _check_pixels(width, height, limits)
        turn = _turn(image)
        name = str(image.format).lower()
    swap = turn in (90, 270)
    return {
        "kind": "image",
        "duration": 0.0,
        "fps": 0.0,
        "size": [height, width] if swap else [width, height],
        "codec": name,
        "container": name,
        "rotation": turn,
        "streams": 1,
        "has_audio": False,
    }


def read_still(path: str, limits: Limits) -> tuple[NDArray[np.uint8], list[str]]:
    """Decode a picture.

    Returns:
        (h, w, 3) RGB ``uint8``, upright, and warnings.

    Raises:
        MediaFault: Nothing of it can be decoded, or it is over a limit.
    """
    notes: list[str] = []
    with _opened(path) as image:
        _check_pixels(image.width, image.height, limits)
        if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
            notes.append("only the first picture of the animation was examined")
        try:
            image.load()
            return _upright_rgb(image), notes
        except (OSError, SyntaxError, ValueError, EOFError):
            pass
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with _opened(path) as image:
            image.load()
            notes.append("the picture's data end early")
            return _upright_rgb(image), notes
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise MediaFault("no picture could be decoded") from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    """Open with a closed list of formats; our own pixel cap replaces Pillow's warning."""
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.init()
            image = Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN])
    except (OSError, SyntaxError, ValueError) as error:
        raise MediaFault("damaged picture: its header cannot be read") from error
    with image:
        yield image


def _turn(image: Any) -> int:
    """Return the clockwise degrees that EXIF asks for; 0 where its data cannot be read."""
    try:
        return _TURN.get(image.getexif().get(_ORIENTATION_TAG, 1), 0)
    except (OSError, SyntaxError, ValueError, EOFError):
        return 0


def _upright_rgb(image: Any) -> NDArray[np.uint8]:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        values = np.asarray(upright, dtype=np.float64)
        grey = np.clip(values / 257.0 + 0.5, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.ascontiguousarray(np.asarray(upright.convert("RGB"), dtype=np.uint8))


def _check_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels:
        raise MediaFault(
            f"picture of {width} x {height} pixels is over the limit of {limits.max_pixels}",
            "over_limit",
        )
