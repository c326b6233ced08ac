"""Find faces that flicker, jitter or drift: swaps made picture by picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors._base import Detector
from forensics.detectors._flicker import burst_features, drift
from forensics.detectors._registry import register_detector
from forensics.detectors._tabular import load_tabular
from forensics.media.plan import BURST
from forensics.types import Evidence, FaceCrops


def track_features(
    crops: FaceCrops,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Measure every burst of a track.

    Args:
        crops: Bursts one after the other, `forensics.media.plan.BURST` crops each.

    Returns:
        (m,) times, (m, k) features, and (m, 2) drift in the natural-log units of the features.
    """
    pts, rows, lasting = [], [], []
    for start in range(0, len(crops) - BURST + 1, BURST):
        part = slice(start, start + BURST)
        found = burst_features(crops.data[part], crops.mesh[part])
        if found is not None:
            pts.append(float(crops.pts[start]))
            rows.append(found[0])
            lasting.append(found[1])
    if not rows:
        return np.zeros(0), np.zeros((0, 0)), np.zeros((0, 2))
    moved = drift(np.array(lasting))
    return np.array(pts), np.column_stack([np.array(rows), moved]), moved


@register_detector(input="track", version="1", cost=0)
class temporal(Detector):
    """Measure flicker, landmark jitter and drift in bursts of directly following pictures."""

    sign = "flicker, jitter or drift of the face between directly following pictures"

    def load(self) -> None:
        """Read the shipped model."""
        self._model, self._card = load_tabular("temporal")

    def card(self) -> dict[str, Any]:
        """Return the model's card."""
        return self._card

    def score(self, crops: FaceCrops) -> list[Evidence]:
        """Return one evidence item with a logit for each burst of the track."""
        pts, features, moved = track_features(crops)
        if not len(pts):
            return []
        return [
            Evidence(
                self.name,
                kind="temporal",
                span=(float(crops.pts[0]), float(crops.pts[-1])),
                track_id=crops.track_id,
                values={
                    "bursts": len(pts),
                    "shape_drift": float(np.exp(moved[:, 0]).max()),
                    "tone_drift": float(np.exp(moved[:, 1]).max()),
                },
                artifacts={"pts": pts, "logits": self._model.logits(features)},
            )
        ]
