"""Find where a face was blended into a picture (after Face X-ray and self-blended images)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from forensics.detectors._base import Detector
from forensics.detectors._normalise import STEPS, normalise
from forensics.detectors._onnx import open_session, read_card
from forensics.detectors._registry import register_detector
from forensics.types import Evidence, FaceCrops

_STILL = "blend_still"
_BATCH = 2  # as fast a crop as eight on two cores, with 120 MB less


@register_detector(input="face_crops", version="9", cost=2, default=True)
class blend(Detector):
    """Score blend boundaries and repainted skin in face crops with a small network.

    Args:
        mirror: Also score the mirrored crop and average, at twice the cost.
        steps: What is brought to the usual in each crop before it is scored; the weights and the
            calibration were made with all.
    """

    sign = "an inner face that differs from its surroundings as pasted or repainted faces do"

    def __init__(self, mirror: bool = False, steps: Sequence[str] = STEPS) -> None:
        self.mirror = mirror
        self.steps = steps

    def load(self) -> None:
        """Open the shipped weights."""
        self._session = open_session("blend")
        self._size = int(self.card()["input"]["size"])

    def card(self) -> dict[str, Any]:
        """Return the weights' card."""
        return read_card("blend")

    def weights(self) -> dict[str, str]:
        """Return the digests of both networks."""
        return super().weights() | {_STILL: str(read_card(_STILL)["sha256"])}

    def score(self, crops: FaceCrops) -> list[Evidence]:
        """Return one evidence item with a logit and a region map for each crop."""
        return self._measure(crops, [self._session], mirror=self.mirror)

    def score_still(self, crops: FaceCrops) -> list[Evidence]:
        """Return the same as a second network sees it too, both with the mirrored crop averaged in.

        A still has no other pictures to average over. Networks that err on different pictures err
        less together (Hansen and Salamon 1990).
        """
        return self._measure(crops, [self._session, open_session(_STILL)], mirror=True)

    def _measure(
        self, crops: FaceCrops, sessions: Sequence[InferenceSession], *, mirror: bool
    ) -> list[Evidence]:
        if not len(crops):
            return []
        pictures = self._pictures(crops.data)
        seen = [self._run(session, pictures) for session in sessions]
        if mirror:
            turned = pictures[:, :, ::-1]
            for session in sessions:
                logits, region = self._run(session, turned)
                seen.append((logits, region[:, :, ::-1]))
        return [
            Evidence(
                self.name,
                kind="blend_boundary",
                span=(float(crops.pts[0]), float(crops.pts[-1])),
                track_id=crops.track_id,
                artifacts={
                    "pts": crops.pts,
                    "logits": np.mean([logits for logits, _ in seen], axis=0),
                    "region": np.mean([region for _, region in seen], axis=0),
                },
            )
        ]

    def _run(
        self, session: InferenceSession, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        parts = [
            session.run(["logit", "maps"], {"image": _input(pictures[i : i + _BATCH])})
            for i in range(0, len(pictures), _BATCH)
        ]
        logits = np.concatenate([p[0] for p in parts]).astype(np.float64)
        maps = np.concatenate([p[1] for p in parts])
        return logits, np.asarray(maps[:, 1], np.float32)

    def _pictures(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale (n, h, w, 3) crops to the network's size, at usual light and sharpness."""
        side = (self._size, self._size)
        how = cv2.INTER_AREA if data.shape[1] > self._size else cv2.INTER_LINEAR
        return np.stack([
            normalise(np.asarray(
                cv2.resize(np.ascontiguousarray(crop), side, interpolation=how), np.uint8
            ), self.steps)
            for crop in data
        ])  # fmt: skip


def _input(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32)
