"""Crops and heat maps as data URIs, so that a report needs no other file."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.types import Illustration

MAX_SIDE = 256
_QUALITY = 88

# Colours from dark violet over red to pale yellow whose lightness rises evenly, so that the map
# also reads in grey print and for colour-blind readers. Interpolated in a perceptual space.
_ANCHORS = np.array(
    [[20, 11, 52], [90, 22, 110], [160, 45, 95], [219, 80, 60], [249, 142, 28], [250, 231, 140]],
    dtype=np.float64,
)
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def colour_map(size: int = 256) -> NDArray[np.uint8]:
    """Return (size, 3) RGB colours for 0..1, interpolated in Oklab with even lightness steps."""
    linear = np.where(
        _ANCHORS / 255 <= 0.04045, _ANCHORS / 255 / 12.92, ((_ANCHORS / 255 + 0.055) / 1.055) ** 2.4
    )
    lab = np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T
    lightness = (lab[:, 0] - lab[0, 0]) / (lab[-1, 0] - lab[0, 0])
    at = np.linspace(0.0, 1.0, size)
    smooth = np.stack([np.interp(at, lightness, lab[:, axis]) for axis in range(3)], axis=-1)
    back = (smooth @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    back = np.clip(back, 0.0, 1.0)
    coded = np.where(back <= 0.0031308, back * 12.92, 1.055 * back ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(coded * 255), dtype=np.uint8)


def overlay(crop: NDArray[np.uint8], heat: NDArray[Any]) -> NDArray[np.uint8]:
    """Lay a heat map over a grey copy of a crop.

    Args:
        crop: (h, w, 3) RGB ``uint8``.
        heat: (h', w') floats; values outside 0..1 are clipped, NaN counts as 0.

    Returns:
        (h, w, 3) RGB ``uint8``; the hotter, the more colour and the less picture.
    """
    clean = np.clip(np.nan_to_num(np.asarray(heat, dtype=np.float32)), 0.0, 1.0)
    if clean.shape != crop.shape[:2]:
        size = (crop.shape[1], crop.shape[0])
        clean = np.asarray(Image.fromarray(clean).resize(size, Image.Resampling.BILINEAR))
    grey = (crop @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=-1)
    colour = colour_map()[np.rint(clean * 255).astype(np.int64)]
    share = (0.15 + 0.65 * clean)[..., None]
    mixed = grey * (1.0 - share) + colour * share
    return np.asarray(np.rint(mixed), dtype=np.uint8)


def frame_overlay(item: Illustration) -> NDArray[np.uint8] | None:
    """Lay an illustration's heat map over its whole frame.

    Returns:
        (h, w, 3) RGB ``uint8`` of the reduced frame, or None where frame, map or place are not
        known.
    """
    from forensics.faces.align import map_on_frame

    if item.frame is None or item.heat is None or item.to_frame is None or not item.frame_size:
        return None
    height, width = item.frame.shape[:2]
    reduce = np.diag([width / item.frame_size[0], height / item.frame_size[1]])
    heat = map_on_frame(item.heat, reduce @ item.to_frame, (width, height))
    colour = colour_map()[np.rint(heat * 255).astype(np.int64)]
    share = (0.75 * np.clip((heat - 0.1) / 0.4, 0.0, 1.0))[..., None]
    return np.asarray(np.rint(item.frame * (1.0 - share) + colour * share), dtype=np.uint8)


def jpeg_uri(picture: NDArray[np.uint8], side: int = MAX_SIDE) -> str:
    """Return (h, w, 3) RGB ``uint8`` as a JPEG data URI, at most ``side`` pixels a side."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((side, side))
    return _uri(image, "jpeg", quality=_QUALITY)


def legend_uri() -> str:
    """Return the colour map from 0 (left) to 1 (right) as a PNG data URI."""
    return _uri(Image.fromarray(np.repeat(colour_map()[None], 8, axis=0)), "png")


def _uri(image: Image.Image, kind: str, **options: Any) -> str:
    stream = io.BytesIO()
    image.save(stream, kind.upper(), **options)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
