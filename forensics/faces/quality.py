"""Judge whether a face crop can carry a judgement, and say why when it cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.mesh import OVAL
from forensics.types import CropQuality

# Mesh vertices at the left and right edge of the face as the picture shows it.
_EDGE_LEFT, _EDGE_RIGHT = 234, 454
# Outlines of eyes, brows and lips: they differ from skin and say nothing of occlusion.
_FEATURES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
)
# Skin varies by at least this much in L, a and b, 8-bit steps.
_LEAST_SPREAD = (14.0, 4.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityGate:
    """Least quality at which a crop is judged; beyond it the scanner abstains with a code.

    Attributes:
        min_inter_ocular: Pixels between the eyes in the original frame (``face_too_small``).
        min_sharpness: Log10 Laplacian variance of the aligned crop (``too_blurred``).
        min_exposure: Mean luma, 0..1 (``too_dark``).
        max_exposure: Mean luma, 0..1 (``too_bright``).
        max_grain: See `measure_grain` (``too_noisy``): no clip of the calibration and no sharp
            portrait is grainier.
        max_yaw: Degrees (``extreme_pose``).
        min_mesh_confidence: 0..1 (``no_face``): the detector saw a face, the mesh did not.
    """

    min_inter_ocular: float = 24.0
    min_sharpness: float = 0.45
    min_exposure: float = 0.09
    max_exposure: float = 0.94
    max_grain: float = 0.75
    max_yaw: float = 60.0
    min_mesh_confidence: float = 0.5

    def codes(self, quality: CropQuality) -> tuple[str, ...]:
        """Return the abstention codes that apply, the most basic first."""
        failed = (
            (quality.mesh_confidence < self.min_mesh_confidence, "no_face"),
            (quality.inter_ocular < self.min_inter_ocular, "face_too_small"),
            (quality.exposure < self.min_exposure, "too_dark"),
            (quality.exposure > self.max_exposure, "too_bright"),
            (quality.sharpness < self.min_sharpness, "too_blurred"),
            (quality.grain > self.max_grain, "too_noisy"),
            (abs(quality.yaw) > self.max_yaw, "extreme_pose"),
        )
        return tuple(code for bad, code in failed if bad)


def face_mask(mesh: NDArray[np.floating], size: int) -> NDArray[np.uint8]:
    """Fill the mesh's face oval: (size, size) ``uint8``, 255 inside."""
    mask = np.zeros((size, size), np.uint8)
    outline = np.clip(mesh[list(OVAL), :2], -4 * size, 4 * size).round().astype(np.int32)
    cv2.fillPoly(mask, [outline], 255)
    return mask


def yaw_of(mesh: NDArray[np.floating]) -> float:
    """Head turn about the vertical axis in degrees, from the depth of the face's two edges."""
    edge = mesh[_EDGE_RIGHT] - mesh[_EDGE_LEFT]
    return float(np.degrees(np.arctan2(edge[2], np.hypot(edge[0], edge[1]))))


def measure_quality(
    crop: NDArray[np.uint8],
    mesh: NDArray[np.floating],
    *,
    inter_ocular: float,
    mesh_confidence: float,
    gate: QualityGate | None = None,
) -> CropQuality:
    """Measure one aligned crop.

    Args:
        crop: (n, n, 3) RGB ``uint8``.
        mesh: (468, 3) points in crop pixels.
        inter_ocular: Eye distance in the original frame, pixels.
        mesh_confidence: Face presence, 0..1.
        gate: Least quality; the default gate when None.

    Returns:
        The quality with its abstention codes.
    """
    size = crop.shape[0]
    mask = face_mask(mesh, size)
    if not mask.any():
        mask[:] = 255
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    laplacian = cv2.Laplacian(cv2.GaussianBlur(gray, (0, 0), 0.8), cv2.CV_32F)
    _, deviation = cv2.meanStdDev(laplacian, mask=mask)
    quality = CropQuality(
        inter_ocular,
        sharpness=float(np.log10(max(float(deviation[0, 0]) ** 2, 1e-3))),
        exposure=cv2.mean(gray, mask=mask)[0] / 255.0,
        yaw=yaw_of(mesh),
        mesh_confidence=mesh_confidence,
        occlusion=_occlusion(crop, mesh, mask),
        grain=measure_grain(np.asarray(gray, np.uint8), mask),
    )
    return replace(quality, codes=(gate or QualityGate()).codes(quality))


def measure_grain(gray: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None) -> float:
    """Tell how much fine grain a picture holds.

    Args:
        gray: (h, w) luma of an aligned crop.
        mask: (h, w) ``uint8``, not 0 where to look; everywhere when None.

    Returns:
        ``grain`` of `forensics.types.CropQuality`.
    """
    fine = np.abs(cv2.Laplacian(gray, cv2.CV_32F, ksize=1))[::2, ::2]
    chosen = fine if mask is None else fine[mask[::2, ::2] > 0]
    if not chosen.size:
        return float("nan")
    # Between whole grey levels the mean of the quieter half tells more than the median itself.
    quiet = np.partition(chosen.ravel(), chosen.size // 2)[: chosen.size // 2 + 1]
    return float(np.log10(float(quiet.mean()) + 0.03))


def _occlusion(
    crop: NDArray[np.uint8], mesh: NDArray[np.floating], mask: NDArray[np.uint8]
) -> float:
    """Share of the face whose colour is far from the face's own skin.

    A rough screen (beards and hard shadows count too): it qualifies a judgement and is no
    evidence by itself.
    """
    holes = np.zeros(mask.shape, np.uint8)
    for outline in _FEATURES:
        cv2.fillPoly(holes, [mesh[list(outline), :2].round().astype(np.int32)], 255)
    skin = cv2.bitwise_and(mask, cv2.bitwise_not(cv2.dilate(holes, np.ones((7, 7), np.uint8))))
    area = cv2.countNonZero(skin)
    if area < 200:
        return 0.0
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    distance = np.zeros(mask.shape, np.float32)
    for channel, least in enumerate(_LEAST_SPREAD):
        # There are 256 values and tens of thousands of pixels: tables are much faster.
        counts = cv2.calcHist([lab], [channel], skin, [256], [0, 256]).ravel().astype(np.int64)
        off = np.abs(np.arange(256.0) - _median(counts, np.arange(256.0)))
        spread = max(1.4826 * _median(counts, off), least)
        table = ((off / spread) ** 2).astype(np.float32)
        distance += cv2.LUT(cv2.extractChannel(lab, channel), table)
    return int(np.count_nonzero((distance > 16.0) & (skin > 0))) / area


def _median(counts: NDArray[np.integer], values: NDArray[np.float64]) -> float:
    """Return the median of ``values``, the i-th of which occurs ``counts[i]`` times."""
    order = np.argsort(values)
    ends = np.cumsum(counts[order])
    middle = np.searchsorted(ends, [(ends[-1] - 1) // 2, ends[-1] // 2], side="right")
    return float(values[order[middle]].mean())
