"""Which subgroup a row belongs to: columns of the manifest, face width, skin tone."""

from __future__ import annotations

import hashlib
import json

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError
from forensics.evaluation.images import read_crop
from forensics.evaluation.manifest import DEFAULT_LIMITS, Manifest, lines_of

_WIDTHS = ((100.0, "below 100 px"), (160.0, "100 to 160 px"), (np.inf, "160 px and more"))
_TONES = (
    (10.0, "ITA below 10 (brown, dark)"), (28.0, "ITA 10 to 28 (tan)"),
    (41.0, "ITA 28 to 41 (intermediate)"), (90.1, "ITA above 41 (light)"),
)  # fmt: skip
_NUMERIC = 6


def labelled(manifest: Manifest, column: str) -> dict[str, str]:
    """Return a column of the manifest by path, as it is; numbers of many values by thirds."""
    wanted = {row.path for row in manifest.rows}
    found: dict[str, str | float] = {}
    for _, line in lines_of(manifest.path, hashlib.sha256(), DEFAULT_LIMITS):
        row = json.loads(line)
        value = row.get(column)
        if row.get("path") in wanted and isinstance(value, (str, int, float)):
            found[row["path"]] = value
    numbers = [v for v in found.values() if not isinstance(v, (str, bool))]
    if len(set(numbers)) <= _NUMERIC:
        return {path: f"{column} {value}" for path, value in found.items()}
    low, high = np.quantile(np.array(numbers, np.float64), [1 / 3, 2 / 3])
    names = {0: f"{column} up to {low:g}", 1: f"{low:g} to {high:g}", 2: f"above {high:g}"}
    return {
        path: names[int(value > low) + int(value > high)]
        for path, value in found.items()
        if not isinstance(value, str)
    }


def face_width(manifest: Manifest) -> dict[str, str]:
    """Return the band of each face's width in the original picture."""
    return {
        row.path: next(name for limit, name in _WIDTHS if row.width < limit)
        for row in manifest.rows
        if row.width is not None
    }


def skin_tone(manifest: Manifest) -> dict[str, str]:
    """Return the band of each crop's individual typology angle (Chardon et al. 1991).

    It is measured in the picture, so light and white balance move it: a band is a tone as filmed.
    """
    found = {}
    for row in manifest.rows:
        try:
            angle = typology_angle(read_crop(row.resolved))
        except UnreadableInputError:
            continue
        found[row.path] = next(name for limit, name in _TONES if angle < limit)
    return found


def typology_angle(crop: NDArray[np.uint8]) -> float:
    """Return the ITA of a face crop, degrees: the median over its cheeks and nose."""
    h, w = crop.shape[:2]
    part = np.ascontiguousarray(crop[int(0.4 * h) : int(0.65 * h), int(0.25 * w) : int(0.75 * w)])
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2Lab).reshape(-1, 3)
    lightness, _, yellow = np.median(lab, axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, max(float(yellow), 1e-3))))
