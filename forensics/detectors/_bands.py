"""Frequency features of aligned face crops: how fine detail and noise differ across the face."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SIDE = 256
_PATCH = 64
_RINGS = 10
# Corners (left, top) of patches in the aligned crop: forehead, cheeks, nose and mouth lie inside
# what a swap replaces; the others at the crop's corners and sides mostly outside.
_INNER = ((96, 58), (60, 120), (132, 120), (96, 112), (96, 158))
_OUTER = ((0, 0), (192, 0), (0, 96), (192, 96), (0, 190), (192, 190))


@lru_cache(maxsize=1)
def _rings() -> tuple[NDArray[np.int64], Floats, NDArray[np.float32]]:
    """Ring number of each frequency, pixels in each ring, and the window."""
    fy = np.fft.fftfreq(_PATCH)[:, None]
    fx = np.fft.rfftfreq(_PATCH)[None]
    radius = np.hypot(fx, fy) / 0.5
    # Rings of equal ratio: detail at 2 px and at 4 px are one step apart like 4 and 8.
    edges = np.geomspace(0.06, 1.0, _RINGS + 1)
    ring = np.clip(np.searchsorted(edges, radius) - 1, -1, _RINGS)
    number = np.where((ring < 0) | (ring >= _RINGS), _RINGS, ring)
    counts = np.bincount(number.ravel(), minlength=_RINGS + 1)[:_RINGS].astype(np.float64)
    window = np.outer(np.hanning(_PATCH), np.hanning(_PATCH)).astype(np.float32)
    return number.ravel(), counts, window


def azimuthal_spectrum(patch: NDArray[np.float32]) -> Floats:
    """Return the log power of a (64, 64) patch averaged over rings, (10,), low to high.

    After Durall et al. (2020), "Watch your up-convolution".
    """
    ring, counts, window = _rings()
    values = (patch - patch.mean()) * window
    power = np.abs(np.fft.rfft2(values)) ** 2
    sums = np.bincount(ring, weights=power.ravel(), minlength=_RINGS + 1)[:_RINGS]
    return np.asarray(np.log(sums / counts + 1.0), np.float64)


def _residuals(plane: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """High-pass residuals after Fridrich and Kodovsky (2012): second order, and 3 x 3."""
    first = cv2.filter2D(plane, cv2.CV_32F, np.array([[1.0, -2.0, 1.0]], np.float32) / 2)
    square = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4
    second = cv2.filter2D(plane, cv2.CV_32F, square)
    return np.asarray(first, np.float32), np.asarray(second, np.float32)


def _noise(part: NDArray[np.float32]) -> list[float]:
    """Log spread, tails and share of near-silence of a residual."""
    values = part.ravel()
    size = np.abs(values)
    mean = float(size.mean())
    tail = float(np.mean(values**2)) / max(mean**2, 1e-6)
    neighbours = float((part[:, 1:] * part[:, :-1]).mean()) / max(float((part**2).mean()), 1e-6)
    return [np.log(mean + 0.05), min(tail, 20.0), float((size < 0.5).mean()), neighbours]


def crop_features(crop: NDArray[np.uint8]) -> Floats:
    """Measure one crop.

    Args:
        crop: (h, w, 3) RGB ``uint8``, aligned.

    Returns:
        (k,) features: spectra inside and outside the face and their difference, noise residuals
        of luma and colour likewise.
    """
    if crop.shape[:2] != (_SIDE, _SIDE):
        how = cv2.INTER_AREA if crop.shape[0] > _SIDE else cv2.INTER_LINEAR
        crop = np.asarray(cv2.resize(crop, (_SIDE, _SIDE), interpolation=how), np.uint8)
    ycc = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    planes = [np.ascontiguousarray(ycc[..., i]) for i in range(3)]
    luma = planes[0]
    spectra, noises = [], []
    residuals = [*_residuals(luma), _residuals(planes[1])[1], _residuals(planes[2])[1]]
    for corners in (_INNER, _OUTER):
        parts = [(slice(y, y + _PATCH), slice(x, x + _PATCH)) for x, y in corners]
        spectra.append(np.mean([azimuthal_spectrum(luma[p]) for p in parts], axis=0))
        noises.append(np.mean([[v for r in residuals for v in _noise(r[p])] for p in parts], 0))
    centre = slice(64, 192)
    cr, cb = residuals[2][centre, centre], residuals[3][centre, centre]
    power = float(np.sqrt((cr**2).mean() * (cb**2).mean()))
    link = float((cr * cb).mean()) / power if power > 0 else 0.0
    return np.concatenate([
        spectra[0] - spectra[0][0], spectra[0] - spectra[1], spectra[1] - spectra[1][0],
        noises[0], noises[0] - noises[1], [link],
    ])  # fmt: skip
