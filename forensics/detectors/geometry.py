"""Find inner faces that do not fit the head around them: seams of light, colour, blur and pose."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics.detectors._base import Detector
from forensics.detectors._contour import contour_features
from forensics.detectors._registry import register_detector
from forensics.detectors._tabular import load_tabular
from forensics.types import Evidence, FaceCrops


@register_detector(input="face_crops", version="1", cost=1)
class geometry(Detector):
    """Compare the inner with the outer face along contours of the face mesh."""

    sign = "a seam of light, colour or blur between the inner face and the head around it"

    def load(self) -> None:
        """Read the shipped model."""
        self._model, self._card = load_tabular("geometry")

    def card(self) -> dict[str, Any]:
        """Return the model's card."""
        return self._card

    def score(self, crops: FaceCrops) -> list[Evidence]:
        """Return one evidence item with a logit for each crop that has a mesh."""
        found = [contour_features(c, m) for c, m in zip(crops.data, crops.mesh, strict=True)]
        kept = [index for index, features in enumerate(found) if features is not None]
        if not kept:
            return []
        features = np.stack([row for row in found if row is not None])
        pts = crops.pts[kept]
        return [
            Evidence(
                self.name,
                kind="geometry",
                span=(float(pts[0]), float(pts[-1])),
                track_id=crops.track_id,
                artifacts={"pts": pts, "logits": self._model.logits(features)},
            )
        ]
