"""Fit the calibration of the verdict on clips of people that no detector was trained on.

``python -m forensics.training.calibrate runs/calibrate/manifest.jsonl``
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track
from sklearn.linear_model import LogisticRegression

from forensics.detectors import Detector, create_detector
from forensics.engines.ledger import Ledger
from forensics.errors import UnreadableInputError
from forensics.evaluation.manifest import read_manifest
from forensics.evaluation.metrics import roc_auc
from forensics.evaluation.rates import wilson
from forensics.faces import FaceFinder, FaceFollower, FaceMesh
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.verdict.aggregate import summarise
from forensics.verdict.calibration import Calibration, features

Floats = NDArray[np.float64]

_FOLDS = 5
_BOOTSTRAPS = 300
_SIZES = (1, 3, 8, 32)  # numbers of crops that the model must serve


@dataclass(frozen=True, slots=True)
class Measured:
    """One clip: the logits of its most visible face, and the truth."""

    logits: Floats
    fake: bool
    group: str


def measure(path: Path, detector: Detector, models: tuple[FaceFinder, FaceMesh]) -> Floats:
    """Return the logits of the track with most usable crops, empty when there is none."""
    ledger = Ledger([detector])
    follower = FaceFollower(ledger.take, finder=models[0], mesh=models[1])
    with stream_frames(open_clip(path), SamplingPlan()) as stream:
        for frame in stream:
            follower.push(frame)
    follower.close()
    found = [np.array(face.logits.get(detector.name, [])) for face in ledger.faces.values()]
    return max(found, key=len, default=np.zeros(0))


def intraclass_correlation(clips: Sequence[Measured]) -> float:
    """Return the share of the logits' variance within a label that lies between clips."""
    shares = []
    for fake in (False, True):
        groups = [c.logits for c in clips if c.fake == fake and len(c.logits) > 1]
        within = float(np.mean([g.var(ddof=1) for g in groups]))
        means = np.array([g.mean() for g in groups])
        size = float(np.mean([len(g) for g in groups]))
        between = max(float(means.var(ddof=1)) - within / size, 0.0)
        shares.append(between / max(between + within, 1e-9))
    return float(np.mean(shares))


def _table(
    clips: Sequence[Measured], correlation: float, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Rows of features at several numbers of crops, labels, and the clip of each row."""
    rows, labels, owners = [], [], []
    for index, clip in enumerate(clips):
        for size in _SIZES:
            if size > len(clip.logits) and size != _SIZES[-1]:
                continue
            chosen = rng.permutation(len(clip.logits))[:size]
            rows.append(features(summarise(clip.logits[np.sort(chosen)], correlation)))
            labels.append(clip.fake)
            owners.append(index)
    return np.array(rows), np.array(labels), np.array(owners)


def _fit(x: Floats, fake: NDArray[np.bool_]) -> Floats:
    """Logistic regression at even odds; the penalty holds where few groups leave doubt."""
    model = LogisticRegression(C=10.0, class_weight="balanced", fit_intercept=False, max_iter=1000)
    model.fit(x, fake)
    return np.asarray(model.coef_[0], np.float64)


def _fit_groups(
    clips: Sequence[Measured], groups: Sequence[str], correlation: float, seed: int
) -> Floats:
    """Fit on the given groups, counted as often as they are named."""
    rng = np.random.default_rng(seed)
    names = sorted({c.group for c in clips})
    times = {name: list(groups).count(name) for name in names}
    x, fake, owners = _table(clips, correlation, rng)
    counts = np.array([times[clips[i].group] for i in owners])
    return _fit(np.repeat(x, counts, axis=0), np.repeat(fake, counts))


def _cross_scores(clips: Sequence[Measured], correlation: float) -> Floats:
    """Log ratios of every clip by a model that did not see its group."""
    names = sorted({c.group for c in clips})
    fold_of = {name: i % _FOLDS for i, name in enumerate(names)}
    scores = np.zeros(len(clips))
    for fold in range(_FOLDS):
        kept = [name for name in names if fold_of[name] != fold]
        w = _fit_groups([c for c in clips if fold_of[c.group] != fold], kept, correlation, fold)
        for i, clip in enumerate(clips):
            if fold_of[clip.group] == fold:
                scores[i] = float(w @ features(summarise(clip.logits, correlation)))
    return scores


def calibrate(
    clips: Sequence[Measured], *, detector: str, sha256: str, population: str, target_fpr: float
) -> Calibration:
    """Fit the model with its uncertainty and its error rates by cross-validation over groups.

    Args:
        clips: Measured clips, each with at least one logit.
        detector: Name of the detector.
        sha256: Of its weights.
        population: What the clips are, in words.
        target_fpr: Default share of real clips that may be called suspect.
    """
    correlation = intraclass_correlation(clips)
    names = sorted({c.group for c in clips})
    w = _fit_groups(clips, names, correlation, 0)
    rng = np.random.default_rng(0)
    draws = [
        _fit_groups(clips, list(rng.choice(names, len(names))), correlation, k)
        for k in range(_BOOTSTRAPS)
    ]
    scores = _cross_scores(clips, correlation)
    fake = np.array([c.fake for c in clips])
    n_real = len({c.group for c in clips if not c.fake})
    bound = float(np.log(n_real / 3.0))
    scores = np.clip(scores, -bound, bound)
    per_group: dict[str, list[float]] = {}
    for clip, score in zip(clips, scores, strict=True):
        if not clip.fake:
            per_group.setdefault(clip.group, []).append(float(score))
    fitted = Calibration(
        detector=detector,
        weights_sha256=sha256,
        coefficients=tuple(float(v) for v in w),
        covariance=tuple(tuple(float(v) for v in row) for row in np.cov(np.array(draws).T)),
        correlation=correlation,
        bound=bound,
        real_scores=tuple(sorted(max(v) for v in per_group.values())),
        n_real=n_real,
        n_fake=int(fake.sum()),
        population=population,
        error_rates={"target_fpr": target_fpr},
    )
    threshold = fitted.threshold(target_fpr)
    alarms, found = int((scores[~fake] >= threshold).sum()), int((scores[fake] >= threshold).sum())
    rates: dict[str, Any] = {
        "target_fpr": target_fpr,
        "threshold_llr": threshold,
        "false_alarms": alarms,
        "real_clips": int((~fake).sum()),
        "fpr_interval": wilson(alarms, int((~fake).sum())),
        "found": found,
        "fake_clips": int(fake.sum()),
        "tpr_interval": wilson(found, int(fake.sum())),
        "auc": roc_auc(scores, fake).value,
        "population": population,
        "how": f"{_FOLDS}-fold cross-validation by person",
    }
    return Calibration(**{
        name: getattr(fitted, name) for name in fitted.__dataclass_fields__
    } | {"error_rates": rates})


def state_error_rate(card: Path, fitted: Calibration) -> None:
    """Write the known error rates into the card of the calibrated weights, if it is there.

    A card of other weights is left alone.
    """
    facts = json.loads(card.read_text(encoding="utf-8")) if card.exists() else {}
    if facts.get("sha256") == fitted.weights_sha256:
        facts["error_rates"] = fitted.error_rates
        card.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def main(
    manifest: Annotated[Path, typer.Argument(help="Clips with labels and groups.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path(
        "forensics/weights/calibration.json"
    ),
    population: Annotated[str, typer.Option(help="What the clips are.")] = (
        "animated portraits of held-out people and fakes made of them, H.264 CRF 18-37"
    ),
    target_fpr: Annotated[float, typer.Option(help="Default false-alarm target.")] = 0.025,
) -> None:
    """Fit the calibration and write it as JSON."""
    detector = create_detector("blend")
    models = (FaceFinder(), FaceMesh())
    clips, unusable = [], 0
    for row in track(read_manifest(manifest).rows, description="measuring"):
        try:
            logits = measure(row.resolved, detector, models)
        except UnreadableInputError:
            logits = np.zeros(0)
        if len(logits):
            clips.append(Measured(logits, row.label == "fake", row.group))
        else:
            unusable += 1
    fitted = calibrate(
        clips, detector="blend", sha256=detector.card()["sha256"], population=population,
        target_fpr=target_fpr,
    )
    out.write_text(fitted.to_json(), encoding="utf-8")
    state_error_rate(out.with_name("blend.json"), fitted)
    print(f"{len(clips)} clips, {unusable} without a usable face; {fitted.error_rates}")


if __name__ == "__main__":
    typer.run(main)
