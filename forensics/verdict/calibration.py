"""Calibrated likelihood ratios: a logistic model fitted elsewhere, stored as JSON, applied here."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ModelMissingError, UsageError
from forensics.verdict.aggregate import TrackSummary


def features(summary: TrackSummary) -> NDArray[np.float64]:
    """What the logistic model sees of a track: (3,) constant, mean, and mean by weight of n.

    The weight lets many agreeing crops count for more than one crop with the same mean.
    """
    weight = 1.0 - 1.0 / max(summary.effective, 1.0)
    return np.array([1.0, summary.mean, summary.mean * weight])


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A likelihood ratio and how sure it is.

    Attributes:
        llr: Natural log of the ratio, fake over not fake, within the bound.
        deviation: Standard error of the unbounded value.
    """

    llr: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted model with what it was fitted on.

    Attributes:
        detector: Name of the detector whose logits it reads.
        weights_sha256: Weights that made the logits.
        coefficients: (3,) of `features`.
        covariance: (3, 3) of the coefficients, by bootstrap over groups.
        correlation: Between crops of one track.
        bound: Largest absolute log ratio that the number of groups supports.
        real_scores: Sorted clip log ratios of the real calibration clips, one a group.
        n_real: Real clips, one a group.
        n_fake: Fake clips.
        population: What the clips were, in words.
        error_rates: Error rates on held-out data at the default operating point.
    """

    detector: str
    weights_sha256: str
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    correlation: float
    bound: float
    real_scores: tuple[float, ...]
    n_real: int
    n_fake: int
    population: str
    error_rates: dict[str, Any]

    def likelihood(self, summary: TrackSummary) -> Likelihood:
        """Return the bounded log likelihood ratio of one track."""
        x = features(summary)
        w = np.array(self.coefficients)
        slope = float(w[1] + w[2] * (1.0 - 1.0 / max(summary.effective, 1.0)))
        sampling = (slope * summary.spread) ** 2 / max(summary.effective, 1.0)
        variance = float(x @ np.array(self.covariance) @ x) + sampling
        return Likelihood(
            float(np.clip(w @ x, -self.bound, self.bound)), math.sqrt(max(variance, 0.0))
        )

    def threshold(self, target_fpr: float) -> float:
        """Return the log ratio above which at most ``target_fpr`` of real clips lie.

        The (k+1)-th largest of the real scores, k the errors that the target allows, so that the
        rate seen in calibration never exceeds it (as in conformal prediction).

        Raises:
            UsageError: The number of real clips cannot carry the claim (rule of three).
        """
        if not 0.0 < target_fpr < 1.0:
            raise UsageError(f"--target-fpr must lie between 0 and 1, got {target_fpr}")
        need = math.ceil(3.0 / target_fpr - 1e-9)
        if self.n_real < need:
            raise UsageError(
                f"--target-fpr {target_fpr:g} is not supported by n: it needs {need} independent "
                f"real calibration clips, there are {self.n_real} "
                f"(least supported: {3.0 / self.n_real:.3g})"
            )
        ranked = sorted(self.real_scores, reverse=True)
        allowed = math.floor(target_fpr * (len(ranked) + 1)) - 1
        return ranked[max(allowed, 0)]

    def to_json(self) -> str:
        """Serialise with sorted keys."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def read_calibration(path: Path | None = None) -> Calibration:
    """Read a calibration file, the shipped one when no path is given.

    Raises:
        UsageError: The file is not a calibration.
        ModelMissingError: The installation lacks the shipped one.
    """
    return _shipped() if path is None else _parse(path.read_text(encoding="utf-8"), str(path))


@lru_cache(maxsize=1)
def _shipped() -> Calibration:
    path = files("forensics") / "weights" / "calibration.json"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelMissingError("calibration: no file; reinstall") from error
    return _parse(text, "calibration.json")


def _parse(text: str, name: str) -> Calibration:
    try:
        raw = json.loads(text)
        raw["coefficients"] = tuple(map(float, raw["coefficients"]))
        raw["covariance"] = tuple(tuple(map(float, row)) for row in raw["covariance"])
        raw["real_scores"] = tuple(map(float, raw["real_scores"]))
        return Calibration(**raw)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{name}: not a calibration file ({error})") from error
