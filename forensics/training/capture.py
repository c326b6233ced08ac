"""Portraits as if taken from footage: coded and enlarged before anything is done to the face.

A forger starts from a video that a camera and a site have already coded, so an unmanipulated face
carries blocks and ringing of its own (DFDC and FaceForensics++ were made that way: Dolhansky et
al. 2020, Rössler et al. 2019). A detector that only met clean originals takes those for traces.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.training.blend import Image
from forensics.training.codec import h264_round_trip, mpeg4_round_trip
from forensics.training.degrade import jpeg_round_trip

_SMALLEST, _LARGEST = 100, 340  # side of a 384 px cut in the footage: faces of about 55 to 190 px
_ENLARGE = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


def film(image: Image, rng: np.random.Generator) -> Image:
    """Return a picture as a frame of coded footage would show it.

    Args:
        image: (n, n, 3) RGB ``uint8``.
        rng: Source of chance.

    Returns:
        The same size, with the detail and the coding traces of smaller footage.
    """
    n = image.shape[0]
    side = 2 * int(np.exp(rng.uniform(np.log(_SMALLEST / 2), np.log(_LARGEST / 2))))
    small = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.3:  # a camera's own sharpening
        soft = cv2.GaussianBlur(small, (0, 0), 1.0)
        amount = rng.uniform(0.2, 1.0)
        small = np.asarray(cv2.addWeighted(small, 1 + amount, soft, -amount, 0), np.uint8)
    small = _coded(small, rng)
    how = _ENLARGE[int(rng.integers(len(_ENLARGE)))]
    return np.asarray(cv2.resize(small, (n, n), interpolation=how), np.uint8)


def _coded(image: Image, rng: np.random.Generator) -> NDArray[np.uint8]:
    # Moved by a little, as the picture before it, so that what is kept is a predicted frame.
    frames = [np.roll(image, int(rng.integers(0, 3)), axis=1), image]
    kind = rng.random()
    if kind < 0.5:
        return h264_round_trip(frames, crf=int(rng.integers(18, 36)))[-1]
    if kind < 0.8:
        return mpeg4_round_trip(frames, scale=int(rng.integers(2, 11)))[-1]
    return jpeg_round_trip(image, int(rng.integers(50, 96)))
