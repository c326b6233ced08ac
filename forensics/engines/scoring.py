"""Score evaluation rows with the same pipeline that a scan uses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.engines.options import ScanOptions
from forensics.engines.scanner import Scanner
from forensics.errors import UnreadableInputError, UsageError, printable
from forensics.evaluation.scorer import ScoredInput
from forensics.types import CropQuality, FaceCrops
from forensics.verdict.aggregate import summarise
from forensics.verdict.decide import posterior

_UNKNOWN = 0.5  # score of a file in which there is nothing to score


class ScanScorer:
    """Scores of the scanner's calibrated detector.

    Args:
        detectors: Detector names; the default set when None.
        frames: Pictures of each clip to look at.

    Raises:
        UsageError: The set lacks the calibrated detector.
    """

    def __init__(self, detectors: tuple[str, ...] | None = None, frames: int = 32) -> None:
        self._options = ScanOptions(detectors=detectors, frames=frames)
        self._scanner = Scanner(self._options, keep_unusable=True)
        name = self._scanner.calibration.detector
        leading = [d for d in self._scanner.detectors if d.name == name]
        if not leading:
            raise UsageError(f"evaluation needs the calibrated detector {name!r} in --detectors")
        self._detector = leading[0]

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return {
            "detectors": [[d.name, d.version] for d in self._scanner.detectors],
            "weights_sha256": self._detector.card().get("sha256"),
            "calibration": list(self._scanner.calibration.coefficients),
            "config_sha256": self._options.digest(),
        }

    def score_crop(self, image: NDArray[np.uint8]) -> ScoredInput:
        """Score one (h, w, 3) RGB face crop, whole."""
        quality = CropQuality(
            float("nan"), sharpness=float("nan"), exposure=float("nan"), yaw=float("nan"),
            mesh_confidence=float("nan"),
        )
        crops = FaceCrops(
            0, pts=np.zeros(1), data=image[None], to_frame=np.eye(2, 3)[None],
            mesh=np.full((1, 468, 3), np.nan, np.float32), quality=(quality,),
        )
        logits = self._detector.score(crops)[0].artifacts["logits"]
        return self._scored(np.asarray(logits, np.float64), abstained=False, reasons=())

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

    def _scored(
        self, logits: NDArray[np.float64], *, abstained: bool, reasons: tuple[str, ...]
    ) -> ScoredInput:
        calibration = self._scanner.calibration
        summary = summarise(logits, calibration.correlation)
        likelihood = calibration.likelihood(summary)
        # The score stays unbounded, so that ranking is kept where the ratio is cut off.
        return ScoredInput(
            summary.mean, probability=posterior(likelihood.llr, 0.5), llr=likelihood.llr,
            abstained=abstained, reasons=reasons,
        )


def make_scorer(detectors: tuple[str, ...] | None) -> ScanScorer:
    """Build the default scorer of ``forensics evaluate``."""
    return ScanScorer(detectors)
