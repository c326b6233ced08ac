"""Score evaluation rows with the same pipeline that a scan uses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.engines.options import ScanOptions
from forensics.engines.scanner import Scanner
from forensics.errors import UnreadableInputError, UsageError, printable
from forensics.evaluation.scorer import ScoredInput
from forensics.faces.quality import measure_quality
from forensics.types import CropQuality, FaceCrops
from forensics.verdict.calibration import Context
from forensics.verdict.decide import posterior

_UNKNOWN = 0.5  # score of a file in which there is nothing to score
_NO_MESH = np.full((468, 3), np.nan, np.float32)


class ScanScorer:
    """Scores of the scanner's calibrated detectors.

    Args:
        detectors: Detector names; the default set when None.
        frames: Pictures of each clip to look at.

    Raises:
        UsageError: None of the detectors is calibrated.
    """

    def __init__(self, detectors: tuple[str, ...] | None = None, frames: int = 32) -> None:
        self._options = ScanOptions(detectors=detectors, frames=frames)
        self._scanner = Scanner(self._options, keep_unusable=True)
        if not self._scanner.judge.names:
            known = ", ".join(self._scanner.calibration.detectors)
            raise UsageError(f"evaluation needs a calibrated detector in --detectors ({known})")
        self._crop_detectors = [d for d in self._scanner.detectors if d.input == "face_crops"]

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return {
            "detectors": [
                [d.name, d.version, d.card().get("sha256")] for d in self._scanner.detectors
            ],
            "weights_sha256": next(
                (d.card().get("sha256") for d in self._scanner.detectors
                 if d.name == self._scanner.judge.leading), None,
            ),
            "calibration": self._scanner.calibration.sha256,
            "config_sha256": self._options.digest(),
        }

    @property
    def still_threshold(self) -> float:
        """Log ratio from which a scan calls a still suspect."""
        return self._scanner.judge.suspect_still()

    def score_crop(self, image: NDArray[np.uint8]) -> ScoredInput:
        """Score one (h, w, 3) RGB face crop, whole; reasons are what speaks against suspicion."""
        measured = crop_quality(image)
        quality = CropQuality(
            float("nan"), sharpness=measured.sharpness, exposure=float("nan"), yaw=float("nan"),
            mesh_confidence=float("nan"), grain=measured.grain,
        )
        crops = FaceCrops(
            0, pts=np.zeros(1), data=image[None], to_frame=np.eye(2, 3)[None],
            mesh=_NO_MESH[None], quality=(quality,),
        )
        logits = {
            item.source: np.asarray(item.artifacts["logits"], np.float64)
            for detector in self._crop_detectors
            for item in detector.score_still(crops)
            if len(item.artifacts.get("logits", ()))
        }
        judge, context = self._scanner.judge, Context(measured.grain)
        likelihood = judge.likelihood(logits, context, still=True, bounded=False)
        if likelihood is None:
            raise UsageError("no calibrated detector measured this crop")
        # The score stays unbounded, so that ranking is kept where the ratio is cut off.
        bound = judge.calibration.bound
        llr = float(np.clip(likelihood.llr, -bound, bound))
        doubts: list[str] = []
        if llr >= (point := judge.suspect([likelihood])):
            doubts = judge.shaken(crops, logits, context, likelihood, "suspect", point)
        return ScoredInput(
            likelihood.llr, probability=posterior(llr, 0.5), llr=llr, reasons=tuple(doubts)
        )

    def score_clip(self, path: Path) -> ScoredInput:
        """Score a file as a scan would: its most suspicious face decides."""
        report = self._scanner.scan(path)
        if report.error is not None:
            cause = report.error.removeprefix(f"{printable(path)}: ")
            raise UnreadableInputError(path, cause)
        verdict = report.verdict
        reasons = verdict.reasons
        abstained = verdict.probability is None
        if not abstained and verdict.llr is not None:
            probability = posterior(verdict.llr, 0.5)
            return ScoredInput(
                verdict.llr, probability=probability, llr=verdict.llr, reasons=reasons
            )
        scores = [s for track in report.tracks for _, s in track.scores]
        score = float(np.log(np.mean(scores) / (1 - np.mean(scores)))) if scores else 0.0
        return ScoredInput(
            score, probability=_UNKNOWN, llr=0.0, abstained=abstained, reasons=reasons
        )


def crop_quality(image: NDArray[np.uint8]) -> CropQuality:
    """Return the picture quality of a crop that came without its frame, on the crops' grid."""
    side = 256
    how = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_LINEAR
    crop = np.asarray(cv2.resize(image, (side, side), interpolation=how), np.uint8)
    angle = np.linspace(0, 2 * np.pi, 468)
    oval = np.stack([0.5 + 0.33 * np.cos(angle), 0.52 + 0.42 * np.sin(angle), 0 * angle], 1)
    quality = measure_quality(
        crop, (oval * side).astype(np.float32), inter_ocular=float("nan"), mesh_confidence=1.0
    )
    return quality


def make_scorer(detectors: tuple[str, ...] | None) -> ScanScorer:
    """Build the default scorer of ``forensics evaluate``."""
    return ScanScorer(detectors)
