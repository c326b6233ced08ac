"""Put a made face into a frame: match its colours, soften its mask, lay it over the picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.methods import SwappedFace


@dataclass(frozen=True, slots=True)
class BlendConfig:
    """How a face is laid over the frame. Lengths are shares of the face's height in the crop.

    Attributes:
        erode: How far the mask's edge is drawn in.
        feather: Sigma of the soft edge.
        colour: Strength of the colour match, 0..1.
    """

    erode: float = 0.03
    feather: float = 0.03
    colour: float = 1.0


@dataclass(slots=True)
class ColourMatch:
    """Move a face's colours to the target's (Reinhard et al. 2001), steadily over time.

    The statistics follow the clip slowly: matching each frame by itself would make the face
    flicker. Start a new one for every track, so a cut starts afresh.

    Attributes:
        follow: Share of the newest frame in the running statistics.
        strength: 0 leaves the face as it is, 1 matches fully.
    """

    follow: float = 0.2
    strength: float = 1.0
    _gain: NDArray[np.float32] | None = field(default=None)
    _offset: NDArray[np.float32] | None = field(default=None)

    def apply(
        self, face: NDArray[np.uint8], target: NDArray[np.uint8], mask: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """Return ``face`` in the colours that ``target`` has under ``mask``."""
        inside = mask > 0.5
        if self.strength <= 0 or inside.sum() < 64:
            return face
        made = _lab(face)
        mean_f, std_f = _moments(made[inside])
        mean_t, std_t = _moments(_lab(target)[inside])
        # A covered or half-lit face must not drive contrast to extremes.
        gain = np.clip(std_t / np.maximum(std_f, 1e-3), 0.7, 1.4).astype(np.float32)
        offset = (mean_t - mean_f * gain).astype(np.float32)
        if self._gain is None or self._offset is None:
            self._gain, self._offset = gain, offset
        else:
            self._gain = self._gain + self.follow * (gain - self._gain)
            self._offset = self._offset + self.follow * (offset - self._offset)
        matched = made * self._gain + self._offset
        mixed = made + self.strength * (matched - made)
        rgb = cv2.cvtColor(mixed.astype(np.float32), cv2.COLOR_LAB2RGB)
        return (np.clip(rgb, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def soften(mask: NDArray[np.float32], config: BlendConfig) -> NDArray[np.float32]:
    """Draw the edge of a mask in and feather it, (n, n) in 0..1."""
    rows = np.flatnonzero(mask.max(axis=1) > 0.5)
    if not len(rows):
        return mask
    height = float(rows[-1] - rows[0] + 1)
    reach = max(1, round(height * config.erode))
    sigma = max(height * config.feather, 0.5)
    # The crop's border must not count as face when the edge is drawn in.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    drawn = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), sigma) * (mask > 0), np.float32)


def paste(
    frame: NDArray[np.uint8],
    canvas: NDArray[np.float32],
    swapped: SwappedFace,
    to_frame: NDArray[np.float64],
) -> None:
    """Lay a face over a frame, in place, touching only the crop's part of it.

    Args:
        frame: (h, w, 3) RGB ``uint8``, changed.
        canvas: (h, w) ``float32``, the frame's swap mask so far, changed.
        swapped: Face and soft mask in crop pixels.
        to_frame: (2, 3) affine from crop to frame pixels.
    """
    n = len(swapped.face)
    corners = np.array([[0, 0], [n, 0], [0, n], [n, n]], np.float64)
    corners = corners @ to_frame[:, :2].T + to_frame[:, 2]
    h, w = frame.shape[:2]
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, [w, h])
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, [w, h])
    if right <= left or bottom <= top:
        return
    local = to_frame.copy()
    local[:, 2] -= (left, top)
    size = (int(right - left), int(bottom - top))
    mask = cv2.warpAffine(swapped.mask, local, size, flags=cv2.INTER_LINEAR)
    face = cv2.warpAffine(
        swapped.face, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    region = (slice(top, bottom), slice(left, right))
    below = frame[region].astype(np.float32)
    mixed = below + (face.astype(np.float32) - below) * mask[..., None]
    frame[region] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    canvas[region] = np.maximum(canvas[region], mask)


def _lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    lab = cv2.cvtColor(image.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    return np.asarray(lab, np.float32)


def _moments(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return values.mean(axis=0), values.std(axis=0)
