"""Two peers without a network: chance, and the power spectrum of the face."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError

Floats = NDArray[np.float64]
SIDE = 192
BINS = 64
_RIDGE = 1e-2


class Chance:
    """A score drawn from the picture's bytes: what knowing nothing gives on the same rows."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return {"peer": "chance"}

    def logit(self, crop: NDArray[np.uint8]) -> float:
        """Score one crop."""
        digest = hashlib.sha256(np.ascontiguousarray(crop).tobytes()).digest()
        share = (int.from_bytes(digest[:8], "big") + 0.5) / 2**64
        return float(np.log(share) - np.log1p(-share))


def spectrum(crop: NDArray[np.uint8]) -> Floats:
    """Return the azimuthally averaged log power of a crop (Durall et al. 2020, arXiv 1911.00686).

    Args:
        crop: (h, w, 3) RGB.

    Returns:
        (64,) mean log power from low to high frequency.
    """
    gray = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY)
    small = np.asarray(cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float64)
    window = np.hanning(SIDE)
    power = np.abs(np.fft.fft2((small - small.mean()) * window[:, None] * window)) ** 2
    f = np.fft.fftfreq(SIDE)
    radius = np.hypot(f[:, None], f[None, :]) / 0.5
    place = np.minimum((radius * BINS).astype(np.int64), BINS)
    total = np.bincount(place.ravel(), np.log(power + 1.0).ravel(), BINS + 1)
    return np.asarray((total / np.bincount(place.ravel(), minlength=BINS + 1))[:BINS])


class Frequency:
    """Logistic regression on the power spectrum.

    Args:
        path: JSON file that `fit_frequency` wrote.

    Raises:
        UnreadableInputError: The file is missing or something else.
    """

    def __init__(self, path: Path) -> None:
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
            self._mean, self._scale, self._weights = (
                np.asarray(card[key], np.float64) for key in ("mean", "scale", "weights")
            )
            self._bias = float(card["bias"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnreadableInputError(path, f"no frequency baseline ({error})") from error
        self._digest = hashlib.sha256(path.read_bytes()).hexdigest()

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return {"peer": "frequency", "weights_sha256": self._digest}

    def logit(self, crop: NDArray[np.uint8]) -> float:
        """Score one crop."""
        return float((spectrum(crop) - self._mean) / self._scale @ self._weights + self._bias)


def fit_frequency(features: Floats, fake: NDArray[np.bool_]) -> dict[str, Any]:
    """Fit by Newton steps with a ridge; returns the JSON-ready card.

    Args:
        features: (n, 64) spectra.
        fake: (n,) labels.
    """
    mean, scale = features.mean(0), features.std(0) + 1e-9
    x = np.c_[(features - mean) / scale, np.ones(len(features))]
    ridge = np.diag([_RIDGE * len(x)] * BINS + [1e-9])
    w = np.zeros(BINS + 1)
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ w))
        hessian = x.T @ (x * (p * (1 - p))[:, None]) + ridge
        step = np.linalg.solve(hessian, x.T @ (p - fake) + ridge @ w)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    return {
        "mean": mean.tolist(), "scale": scale.tolist(), "weights": w[:-1].tolist(),
        "bias": float(w[-1]),
    }  # fmt: skip
