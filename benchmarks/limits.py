"""Every number that was promised about detection, in one place.

A benchmark holds what it measured against these, and `benchmarks.accuracy.promises` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks._results import Bar


@dataclass(frozen=True, slots=True)
class Limit:
    """One promised number.

    Attributes:
        on: What it is about.
        value: The number.
        at_most: Whether what is measured must stay at or below it.
        unit: Of both; what has one is counted and not a share.
    """

    on: str
    value: float
    at_most: bool = False
    unit: str = ""

    def text(self, measured: float) -> str:
        """Return a measurement as it is printed."""
        return f"{measured:g} {self.unit}" if self.unit else f"{measured:.3f}"

    def bar(self, measured: float) -> Bar:
        """Hold a measurement against it."""
        return Bar(self.on, value=measured, limit=self.value, unit=self.unit, at_most=self.at_most)


LOOK = Limit("DFDC crops of split look, AUC", 0.66)
ONCE = Limit("DFDC crops of split once, AUC", 0.75)
STILLS_CALLED = Limit("real DFDC crops of split once called suspect", 0.02, at_most=True)
PORTRAITS = Limit("held-out self-blends, lightly coded, AUC", 0.95)
FFPP = Limit("FaceForensics++ c40 clips, AUC", 0.75)
FFPP_CALLED = Limit("FaceForensics++ c40 fakes called suspect", 0.30)
REAL_CALLED = Limit("real clips called suspect", 0, at_most=True, unit="clips")
AHEAD = Limit("ahead of {} on DFDC crops", 0.0)

OWN = Limit("own test, AUC by group", 0.97)
OWN_FAMILY = Limit("own test, worst family left out of the fit, AUC", 0.88)
OWN_TPR = Limit("own test, TPR at FPR 1 %", 0.80)
OWN_ECE = Limit("own test, ECE at its share of fakes", 0.03, at_most=True)
OWN_CLLR = Limit("own test, Cllr above its least", 0.03, at_most=True)
THINGS = Limit("occlusion failures against the same things kept, AUC", 0.90)
THING_PIXELS = Limit("occlusion failures, pixel average precision", 0.60)

PIXELS = Limit("own swaps, pixel average precision", 0.70)
PERSON = Limit("swapped person of two right", 0.98)
SECONDS = Limit("part-swapped clips, F1 at tIoU .5", 0.80)

DROP = Limit("distorted, mean drop of the AUC", 0.04, at_most=True)
WORST = Limit("distorted, worst cell's AUC", 0.78)
FLIPS = Limit("real clips that distortion made suspect", 0, at_most=True, unit="flips")
