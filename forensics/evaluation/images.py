"""Read one face crop for scoring, with caps on bytes and pixels."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OverLimitError, UnreadableInputError

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 64 * 10**6
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM")


def read_crop(
    path: Path, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> NDArray[np.uint8]:
    """Decode a picture to (h, w, 3) RGB, upright.

    The size is read from the header first, so that a small file that claims a huge picture is
    refused before any memory is taken for it.

    Raises:
        UnreadableInputError: Missing, not a regular file, or no whole picture in it.
        OverLimitError: Over ``max_bytes`` or ``max_pixels``.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        if not path.exists():
            raise UnreadableInputError(path, "no such file")
        if not path.is_file():
            raise UnreadableInputError(path, "not a regular file")
        if path.stat().st_size > max_bytes:
            raise OverLimitError(path, f"larger than {max_bytes} bytes")
        with warnings.catch_warnings():
            # Pillow warns about size and odd metadata; the caps here decide instead.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise OverLimitError(
                        path, f"{image.width}x{image.height} is over {max_pixels} pixels"
                    )
                upright = ImageOps.exif_transpose(image)
                return np.array(upright.convert("RGB"), dtype=np.uint8)
    except UnreadableInputError:
        raise
    except Image.DecompressionBombError:
        raise OverLimitError(path, f"over {max_pixels} pixels") from None
    except MemoryError:
        raise OverLimitError(path, "not enough memory to decode it") from None
    except Exception as error:  # decoders raise many types on hostile bytes
        lines = str(error).splitlines()
        cause = getattr(error, "strerror", None) or (
            "no picture in a known format"
            if isinstance(error, UnidentifiedImageError)
            else lines[0]
            if lines
            else type(error).__name__
        )
        raise UnreadableInputError(path, cause) from error
