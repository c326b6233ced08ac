"""Find things before a face that a swap painted over or melted: hands, masks, glasses, hair."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.detectors._base import Detector
from forensics.detectors._onnx import open_session, read_card
from forensics.detectors._registry import register_detector
from forensics.types import Evidence, FaceCrops

_BATCH = 2
_BLOB = 1.8
"""Standard deviation, in cells, by which the shown map is smoothed. Things before a face fill many
cells and the network's map is grainy: on people held out for choosing, average precision of the
pixels rose from .67 to .81 (63 failures) and from .77 to .84 (21). The score is read off the map as
it comes out of the network."""


def map_statistics(drawn: NDArray[np.float32]) -> NDArray[np.float64]:
    """Reduce a (24, 24) map to (4,): log-odds of its peak, of its best cells, their share, mean."""
    ranked = np.sort(drawn.ravel().astype(np.float64))[::-1]
    ranked = np.clip(ranked, 1e-5, 1 - 1e-5)
    odds = np.log(ranked / (1 - ranked))
    return np.array([odds[0], odds[:12].mean(), odds[:60].mean(), (ranked > 0.5).mean() * 10])


def smoothed(region: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (n, h, w) maps, 0..1, without what no neighbouring cell agrees with."""
    soft = [cv2.GaussianBlur(one, (0, 0), _BLOB) for one in region]
    return np.stack(soft).astype(np.float32)


@register_detector(input="face_crops", version="1", cost=3, default=True)
class occlusion(Detector):
    """Draw where a covering thing was painted over or melted, against things that were kept."""

    sign = "a covering thing, such as a hand, mask or glasses, that was painted over or melted"

    def load(self) -> None:
        """Open the shipped weights."""
        self._session = open_session("occlusion")
        self._size = int(self.card()["input"]["size"])
        reader = self.card()["reader"]
        self._weights, self._bias = np.array(reader["weights"], np.float64), float(reader["bias"])

    def card(self) -> dict[str, Any]:
        """Return the weights' card."""
        return read_card("occlusion")

    def score(self, crops: FaceCrops) -> list[Evidence]:
        """Return one evidence item with a logit and a region map for each crop."""
        if not len(crops):
            return []
        parts = [
            self._session.run(["map"], {"image": self._input(crops.data[i : i + _BATCH])})[0]
            for i in range(0, len(crops), _BATCH)
        ]
        region = np.clip(np.concatenate(parts), 0.0, 1.0).astype(np.float32)
        statistics = np.stack([map_statistics(drawn) for drawn in region])
        return [
            Evidence(
                self.name,
                kind="occlusion_failure",
                span=(float(crops.pts[0]), float(crops.pts[-1])),
                track_id=crops.track_id,
                artifacts={
                    "pts": crops.pts,
                    "logits": statistics @ self._weights + self._bias,
                    "region": smoothed(region),
                },
            )
        ]

    def _input(self, data: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scale (n, h, w, 3) crops to the network's (n, 3, size, size)."""
        n = self._size
        how = cv2.INTER_AREA if data.shape[1] > n else cv2.INTER_LINEAR
        small = [cv2.resize(np.ascontiguousarray(crop), (n, n), interpolation=how) for crop in data]
        return np.ascontiguousarray(np.stack(small).transpose(0, 3, 1, 2), dtype=np.float32)
