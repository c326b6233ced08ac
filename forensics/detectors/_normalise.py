"""Bring a face crop to usual light, contrast and sharpness, so that none is taken for a trace.

A network that saw few dark, pale or soft faces finds them suspicious, whoever filmed them. Crops
darker than usual are brightened, paler ones get more contrast and softer ones are sharpened;
others pass through unchanged.
"""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np
from numpy.typing import NDArray

STEPS = ("light", "contrast", "sharpness")
"""What can be brought to the usual, in this order."""

_LEAST_LUMA = 75.0  # mean grey level of the middle below which a crop is brightened
_DARKEST = 4.0  # grey levels; a larger gain would only spread the steps of eight bits
_LEAST_SPREAD = 24.0  # of the middle's grey levels, below which contrast is raised
_MOST_CONTRAST = 2.0
_LEAST_DETAIL = 0.25  # spread of the Laplacian over that of the grey levels
_WIDTH = 1.0  # of the unsharp mask, pixels at the network's size
_MOST = 1.0  # share of the fine detail that may be added


def normalise(crop: NDArray[np.uint8], steps: Collection[str] = STEPS) -> NDArray[np.uint8]:
    """Brighten a dark crop, spread the greys of a pale one, and sharpen a soft one.

    Every step treats the whole crop alike, so that a face that is softer or darker than its
    surroundings stays so. Where each begins was chosen on clips of validation people and on
    studied DFDC crops (docs/training.md).

    Args:
        crop: (n, n, 3) RGB face crop at the network's size.
        steps: Which of `STEPS` to do.

    Returns:
        (n, n, 3) RGB; the same array where nothing is to be done.
    """
    quarter = crop.shape[0] // 4
    middle = crop[quarter:-quarter, quarter:-quarter]
    gray = np.asarray(cv2.cvtColor(np.ascontiguousarray(middle), cv2.COLOR_RGB2GRAY), np.uint8)
    luma = max(float(gray.mean()), _DARKEST)
    if "light" in steps and luma < _LEAST_LUMA:
        gain = _LEAST_LUMA / luma
        crop = np.asarray(cv2.convertScaleAbs(crop, alpha=gain), np.uint8)
        gray = np.asarray(cv2.convertScaleAbs(gray, alpha=gain), np.uint8)
        luma = _LEAST_LUMA
    spread = max(float(gray.std()), 1.0)
    if "contrast" in steps and spread < _LEAST_SPREAD:
        contrast = min(_LEAST_SPREAD / spread, _MOST_CONTRAST)
        crop = _spread(crop, contrast, luma)
        gray = _spread(gray, contrast, luma)
    if "sharpness" not in steps:
        return crop
    detail = cv2.Laplacian(gray, cv2.CV_32F).std() / max(float(gray.std()), 1.0)
    if detail >= _LEAST_DETAIL:
        return crop
    amount = min(_LEAST_DETAIL / max(float(detail), 1e-6) - 1.0, _MOST)
    soft = cv2.GaussianBlur(crop, (0, 0), _WIDTH)
    return np.asarray(cv2.addWeighted(crop, 1.0 + amount, soft, -amount, 0.0), np.uint8)


def _spread(image: NDArray[np.uint8], contrast: float, middle: float) -> NDArray[np.uint8]:
    """Move grey levels away from ``middle`` by a factor, cut off at 0 and 255."""
    moved = cv2.addWeighted(image, contrast, image, 0.0, middle * (1.0 - contrast))
    return np.asarray(moved, np.uint8)
