"""Calibrated likelihood ratios: logistic models fitted elsewhere, stored as JSON, applied here."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ModelMissingError, UsageError
from forensics.verdict.aggregate import TrackSummary

FORMAT = 4
_REACH = 4.0  # standard deviations beyond which an input says no more


@dataclass(frozen=True, slots=True)
class Context:
    """What the pictures of one face are like, measured on the pixels alone.

    Attributes:
        grain: Median `forensics.types.CropQuality.grain`; compression lowers it.
    """

    grain: float


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A likelihood ratio and how sure it is.

    Attributes:
        llr: Natural log of the ratio, fake over not fake, within the bound.
        deviation: Standard error of the unbounded value.
        detectors: Whose measurements it rests on.
        stratum: Which of the calibration's strata of picture quality the face belongs to.
        still: Whether the model of single pictures said it.
    """

    llr: float
    deviation: float
    detectors: tuple[str, ...] = ()
    stratum: int = 0
    still: bool = False


def shares(summary: TrackSummary) -> NDArray[np.float64]:
    """Return (2,) what a detector's mean logit is multiplied by to make a model's inputs."""
    return np.array([1.0, 1.0 - 1.0 / max(summary.effective, 1.0)])


def features(
    summaries: Mapping[str, TrackSummary], detectors: Sequence[str]
) -> NDArray[np.float64]:
    """What a model sees of a track.

    Args:
        summaries: By detector; every one of ``detectors``.
        detectors: Whose values to use, in order.

    Returns:
        (2 d,): for each detector its mean logit, and the mean by weight of the number of crops, so
        that many agreeing crops count for more than one. Picture quality has no term: one would
        carry what the calibration's clips happened to be filmed like over to all other footage,
        and did so when it had one. Quality decides who is judged and who may be cleared.
    """
    parts = [summaries[name].mean * shares(summaries[name]) for name in detectors]
    return np.concatenate(parts) if parts else np.zeros(0)


@dataclass(frozen=True, slots=True)
class Model:
    """One logistic model, for one set of detectors.

    Attributes:
        detectors: Whose values it reads.
        mean: (k,) of its inputs in calibration.
        scale: (k,) their standard deviations.
        coefficients: (k + 1,) of the constant and the standardised inputs. But for the constant
            none is below 0: a more suspicious logit never makes a lower ratio.
        covariance: (k + 1, k + 1) of the coefficients, by bootstrap over groups.
        real_scores: Sorted log ratios of the real calibration clips, by a model that did not see
            the clip's group.
        fake_scores: The same of the fake clips, by stratum.
        filmed_scores: Sorted log ratios of real recordings that were not fitted on, on which the
            upper threshold has to hold too; may be empty.
    """

    detectors: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    real_scores: tuple[float, ...]
    fake_scores: tuple[tuple[float, ...], ...]
    filmed_scores: tuple[float, ...] = ()

    def standardised(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (k + 1,) the constant and the inputs; what is not finite counts as usual."""
        z = (values - np.array(self.mean)) / np.array(self.scale)
        z = np.clip(np.nan_to_num(z, nan=0.0), -_REACH, _REACH)
        return np.concatenate([[1.0], z])

    def slope(self, place: int, summary: TrackSummary) -> float:
        """Return what one more logit of the detector at this place adds to the log ratio."""
        part = slice(2 * place, 2 * place + 2)
        weights = np.array(self.coefficients[1:])[part] / np.array(self.scale)[part]
        return float(weights @ shares(summary))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted models with what they were fitted on.

    Attributes:
        detectors: Name and version of every detector that it reads.
        weights_sha256: Weights that made the logits, by detector.
        correlation: Between crops of one track, by detector.
        models: The largest set of detectors first.
        still: Of the leading detector on single pictures; its scores are those of one picture
            from each clip. None where it was not fitted.
        edges: Grain at which one stratum ends and the next begins, ascending.
        bound: Largest absolute log ratio that the number of groups supports.
        n_real: Groups with real clips.
        n_fake: Fake clips.
        miss_share: Share of the calibrated fakes of a stratum that may lie below its lower
            threshold.
        population: What the clips were, in words.
        error_rates: Error rates on held-out data at the default operating point.
    """

    detectors: dict[str, str]
    weights_sha256: dict[str, str]
    correlation: dict[str, float]
    models: tuple[Model, ...]
    still: Model | None
    edges: tuple[float, ...]
    bound: float
    n_real: int
    n_fake: int
    miss_share: float
    population: str
    error_rates: dict[str, Any]

    @property
    def leading(self) -> str:
        """The detector that says most by itself."""
        return next(iter(self.detectors))

    def model(self, available: Sequence[str] | Mapping[str, Any]) -> Model | None:
        """Return the model of the most detectors among those available, or None."""
        fitting = (m for m in self.models if set(m.detectors) <= set(available))
        return next(fitting, None)

    def likelihood(
        self, summaries: Mapping[str, TrackSummary], context: Context, *, bounded: bool = True,
        still: bool = False,
    ) -> Likelihood | None:
        """Return the log likelihood ratio of one track.

        Args:
            summaries: By detector.
            context: Picture quality; it names the stratum.
            bounded: Cut the ratio off where the number of groups supports no more.
            still: Whether there is but one picture. It is judged by the leading detector's model
                of single pictures where there is one: the models of several detectors were fitted
                on clips, where many pictures of a face calm the lesser ones; on one picture their
                chance outweighs what they add.

        Returns:
            None when no model fits the detectors.
        """
        alone = self.still if still and self.leading in summaries else None
        model = alone or self.model(summaries)
        if model is None:
            return None
        x = model.standardised(features(summaries, model.detectors))
        w = np.array(model.coefficients)
        variance = float(x @ np.array(model.covariance) @ x)
        for place, name in enumerate(model.detectors):
            summary = summaries[name]
            slope = model.slope(place, summary)
            variance += (slope * summary.spread) ** 2 / max(summary.effective, 1.0)
        bound = self.bound if bounded else math.inf
        return Likelihood(
            float(np.clip(w @ x, -bound, bound)),
            math.sqrt(max(variance, 0.0)),
            model.detectors,
            self.stratum(context),
            alone is not None,
        )

    def stratum(self, context: Context) -> int:
        """Return the stratum of picture quality; the poorest when nothing is known."""
        grain = -math.inf if math.isnan(context.grain) else context.grain
        return int(np.searchsorted(np.array(self.edges), grain))

    def threshold(
        self, target_fpr: float, detectors: Sequence[str] | None = None, *, still: bool = False,
        part: float = 1.0,
    ) -> float:  # fmt: skip
        """Return the log ratio above which at most ``target_fpr`` of real clips lie.

        The (k+1)-th largest of the real scores, k the errors that the target allows, so that the
        rate seen in calibration never exceeds it (as in conformal prediction). It has to hold on
        the recordings of filmed people too, which score otherwise than animated portraits do.

        Args:
            target_fpr: Between 0 and 1.
            detectors: Of the model whose scores are to be compared; the largest when None.
            still: The model of single pictures instead.
            part: Of the target's share, what may really lie above, 0..1: a stricter threshold
                without a stricter claim.

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
        model = self._of(detectors, still)
        kinds = (model.real_scores, model.filmed_scores)
        return max(_upper(scores, target_fpr * part) for scores in kinds if scores)

    def clear(
        self, stratum: int, detectors: Sequence[str] | None = None, *, still: bool = False
    ) -> float:
        """Return the log ratio below which at most `miss_share` of a stratum's fakes lie.

        Minus infinity where the stratum holds too few fakes to say so (rule of three), or where
        even the lowest allowed rank lies at the bound: then nothing is cleared.
        """
        ranked = sorted(self._of(detectors, still).fake_scores[stratum])
        if len(ranked) * self.miss_share < 3.0 - 1e-9:
            return -math.inf
        allowed = math.floor(self.miss_share * (len(ranked) + 1)) - 1
        value = ranked[max(allowed, 0)]
        return -math.inf if value <= -self.bound else min(value, 0.0)

    def _of(self, detectors: Sequence[str] | None, still: bool) -> Model:
        if still and self.still is not None:
            return self.still
        if detectors is None:
            return self.models[0]
        return next(m for m in self.models if m.detectors == tuple(detectors))

    def to_json(self) -> str:
        """Serialise with sorted keys; the order of detectors is kept by `models`."""
        data = {"format": FORMAT} | asdict(self)
        data["order"] = list(self.detectors)
        return json.dumps(data, sort_keys=True) + "\n"

    @property
    def sha256(self) -> str:
        """Digest of the serialised calibration."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def _upper(scores: Sequence[float], share: float) -> float:
    ranked = sorted(scores, reverse=True)
    return ranked[max(math.floor(share * (len(ranked) + 1)) - 1, 0)]


def read_calibration(path: Path | None = None) -> Calibration:
    """Read a calibration file, the shipped one when no path is given.

    Raises:
        UsageError: The file is missing or not a calibration.
        ModelMissingError: The installation lacks the shipped one.
    """
    if path is None:
        return _shipped()
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path}: not a calibration file (over {_MOST_BYTES} bytes)")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "is no text"
        raise UsageError(f"{path}: {cause.lower()}") from error
    return _parse(text, str(path))


_MOST_BYTES = 8 << 20


def check_weights(calibration: Calibration, detectors: Sequence[Any], path: Path) -> None:
    """Refuse a calibration that belongs to other versions or weights of the detectors.

    Args:
        calibration: Read from ``path``.
        detectors: Loaded detectors, each with ``name``, ``version`` and ``card()``.
        path: For the message.

    Raises:
        UsageError: It belongs to others; the message names the first.
    """
    for detector in detectors:
        name = detector.name
        if name not in calibration.detectors:
            continue
        known = (calibration.detectors[name], calibration.weights_sha256.get(name, ""))
        here = (str(detector.version), str(detector.card().get("sha256", "")))
        if known != here:
            raise UsageError(
                f"{path}: was fitted for other weights of {name!r}; run forensics calibrate again"
            )


@lru_cache(maxsize=1)
def _shipped() -> Calibration:
    path = files("forensics") / "weights" / "calibration.json"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelMissingError("calibration: no file; reinstall") from error
    return _parse(text, "calibration.json")


def _floats(values: Any) -> tuple[float, ...]:
    found = tuple(map(float, values))
    if not all(map(math.isfinite, found)):
        raise ValueError("numbers must be finite")
    return found


def _model(raw: dict[str, Any]) -> Model:
    model = Model(
        detectors=tuple(map(str, raw["detectors"])),
        mean=_floats(raw["mean"]),
        scale=_floats(raw["scale"]),
        coefficients=_floats(raw["coefficients"]),
        covariance=tuple(_floats(row) for row in raw["covariance"]),
        real_scores=_floats(raw["real_scores"]),
        fake_scores=tuple(_floats(row) for row in raw["fake_scores"]),
        filmed_scores=_floats(raw["filmed_scores"]),
    )
    k = 2 * len(model.detectors)
    rows = {len(row) for row in model.covariance} | {len(model.covariance)}
    if {len(model.mean), len(model.scale), len(model.coefficients) - 1} != {k} or rows != {k + 1}:
        raise ValueError(f"a model of {len(model.detectors)} detectors must have {k} inputs")
    if min(model.coefficients[1:], default=0.0) < 0:
        raise ValueError("a weight below 0 would make suspicious scores look harmless")
    if min(model.scale) <= 0 or not model.real_scores:
        raise ValueError("scales must be above 0 and real scores must not be missing")
    return model


def _parse(text: str, name: str) -> Calibration:
    try:
        raw = json.loads(text)
        if raw.pop("format", None) != FORMAT:
            raise ValueError(f"format must be {FORMAT}; fit it again")
        order = raw.pop("order")
        made = Calibration(
            detectors={str(key): str(raw["detectors"][key]) for key in order},
            weights_sha256={str(k): str(v) for k, v in raw["weights_sha256"].items()},
            correlation={str(k): float(v) for k, v in raw["correlation"].items()},
            models=tuple(_model(model) for model in raw["models"]),
            still=None if raw["still"] is None else _model(raw["still"]),
            edges=_floats(raw["edges"]),
            bound=float(raw["bound"]),
            n_real=int(raw["n_real"]),
            n_fake=int(raw["n_fake"]),
            miss_share=float(raw["miss_share"]),
            population=str(raw["population"]),
            error_rates=dict(raw["error_rates"]),
        )
        every = [*made.models, *([made.still] if made.still else [])]
        if not made.models or any(len(m.fake_scores) != len(made.edges) + 1 for m in every):
            raise ValueError("every model needs fake scores of every stratum")
        return made
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{name}: not a calibration file ({error})") from error
