"""Find faces whose fine detail and noise differ from their surroundings' or from a camera's."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics.detectors._bands import crop_features
from forensics.detectors._base import Detector
from forensics.detectors._registry import register_detector
from forensics.detectors._tabular import load_tabular
from forensics.types import Evidence, FaceCrops


@register_detector(input="face_crops", version="1", cost=1)
class frequency(Detector):
    """Compare spectrum and noise residual of the inner face with those around it."""

    sign = "fine detail or noise in the face that differs from the picture around it"

    def load(self) -> None:
        """Read the shipped model."""
        self._model, self._card = load_tabular("frequency")

    def card(self) -> dict[str, Any]:
        """Return the model's card."""
        return self._card

    def score(self, crops: FaceCrops) -> list[Evidence]:
        """Return one evidence item with a logit for each crop."""
        if not len(crops):
            return []
        features = np.stack([crop_features(crop) for crop in crops.data])
        return [
            Evidence(
                self.name,
                kind="frequency",
                span=(float(crops.pts[0]), float(crops.pts[-1])),
                track_id=crops.track_id,
                artifacts={"pts": crops.pts, "logits": self._model.logits(features)},
            )
        ]
