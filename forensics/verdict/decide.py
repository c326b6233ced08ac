"""Turn the tracks' likelihood ratios into the verdict on the clip."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.types import TrackResult, Verdict
from forensics.verdict.calibration import Likelihood

_WIDE = 1.96  # standard deviations of a two-sided 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Where the verdict turns.

    Attributes:
        suspect: Log likelihood ratio of the clip from which it is ``suspect``.
        clear: Log ratio up to which it is ``no_evidence``; between the two it is inconclusive.
            Minus infinity where nothing can be cleared.
        prior: Probability of manipulation before looking, stated in the report.
    """

    suspect: float
    clear: float
    prior: float

    def __post_init__(self) -> None:
        if not 0.0 < self.prior < 1.0:
            raise ValueError(f"prior must lie between 0 and 1, got {self.prior}")
        if self.clear > self.suspect:
            raise ValueError(f"clear {self.clear} must not exceed suspect {self.suspect}")


def combine_tracks(likelihoods: Sequence[Likelihood]) -> Likelihood:
    """Return the clip's ratio when one of its faces, any of them, may be manipulated.

    The mean of the tracks' ratios: each further face gives chance another try, and the mean
    corrects for it, as a Bonferroni factor does for the largest of several p-values.
    """
    llrs = np.array([item.llr for item in likelihoods])
    top = llrs.max()
    shares = np.exp(llrs - top)
    llr = float(top + math.log(shares.mean()))
    shares /= shares.sum()
    deviations = np.array([item.deviation for item in likelihoods])
    return Likelihood(llr, float(np.sqrt(((shares * deviations) ** 2).sum())))


def posterior(llr: float, prior: float) -> float:
    """Return the probability that a log likelihood ratio makes of a prior."""
    return 1.0 / (1.0 + math.exp(-(llr + math.log(prior / (1.0 - prior)))))


def decide(
    tracks: Sequence[TrackResult], likelihoods: Sequence[Likelihood], point: OperatingPoint
) -> Verdict:
    """Conclude.

    Args:
        tracks: Every face, abstained ones included.
        likelihoods: One for each track that did not abstain.
        point: Where the verdict turns.

    Returns:
        The verdict with codes for its reasons.
    """
    if not likelihoods:
        return Verdict("inconclusive", prior=point.prior, reasons=_why_not(tracks))
    clip = combine_tracks(likelihoods)
    low, high = (
        posterior(clip.llr + sign * _WIDE * clip.deviation, point.prior) for sign in (-1, 1)
    )
    common = {
        "probability": posterior(clip.llr, point.prior),
        "interval": (low, high),
        "llr": clip.llr,
        "prior": point.prior,
    }
    some_abstained = ("some_faces_not_judged",) if any(t.abstained for t in tracks) else ()
    if clip.llr >= point.suspect:
        return Verdict("suspect", reasons=("above_threshold", *some_abstained), **common)  # type: ignore[arg-type]
    if clip.llr <= point.clear:
        return Verdict(
            "no_evidence", reasons=("below_threshold", *some_abstained), **common  # type: ignore[arg-type]
        )
    # Nothing speaks for a manipulation, but in such pictures too many fakes look the same.
    hidden = ("low_quality",) if clip.llr <= 0.0 and math.isinf(point.clear) else ()
    reasons = (*hidden, "not_enough_evidence", *some_abstained)
    return Verdict("inconclusive", reasons=reasons, **common)  # type: ignore[arg-type]


def _why_not(tracks: Sequence[TrackResult]) -> tuple[str, ...]:
    """Reasons of a clip in which no face could be judged, the commonest first."""
    if not tracks:
        return ("no_face",)
    counts = Counter(code for track in tracks for code in track.reasons)
    return tuple(code for code, _ in counts.most_common()) or ("no_face",)
