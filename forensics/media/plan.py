"""Which pictures of a clip to look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Mode = Literal["frames", "every", "all"]
BURST = 3
"""Pictures that directly follow each other in a burst."""


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How to choose pictures. Exactly one mode is in force: ``all``, else ``every``, else
    ``frames``; giving both ``all`` and ``every`` is an error.

    Attributes:
        frames: At most this many pictures, stratified over time: the clip is cut into that many
            equal strata and the middle of each is taken. A shot that lasts at least as long as a
            stratum is therefore always seen. The reader of long clips moves targets so that
            shorter shots are seen too (see ``forensics.media._choose``).
        every: One picture every so many seconds, from the first one on.
        all: Every picture.
        bursts: So many of the chosen pictures, spread evenly, are each followed by the next
            `BURST` - 1 pictures that the file shows, so that what flickers can be measured. They
            come marked (see `forensics.types.Frame`), and none follows a cut.

    Raises:
        ValueError: A value is out of range or two modes are given.
    """

    frames: int = 32
    every: float | None = None
    all: bool = False
    bursts: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.frames, bool) or not isinstance(self.frames, int) or self.frames < 1:
            raise ValueError(f"frames must be a whole number above 0, got {self.frames!r}")
        if isinstance(self.bursts, bool) or not isinstance(self.bursts, int) or self.bursts < 0:
            raise ValueError(f"bursts must be a whole number from 0, got {self.bursts!r}")
        if self.every is not None and not (math.isfinite(self.every) and self.every > 0):
            raise ValueError(f"every must be a number of seconds above 0, got {self.every!r}")
        if self.all and self.every is not None:
            raise ValueError(f"give either every or all, got every={self.every!r} and all=True")

    @property
    def mode(self) -> Mode:
        """The mode in force."""
        if self.all:
            return "all"
        return "frames" if self.every is None else "every"

    def starts_burst(self, position: int, count: int) -> bool:
        """Tell whether the chosen picture at ``position`` of ``count`` starts a burst."""
        if not self.bursts:
            return False
        step = max(1, count // self.bursts)
        return position % step == step // 2

    def target_times(self, duration: float) -> list[float]:
        """Return the times to aim at, ascending, in seconds within ``[0, duration]``.

        Args:
            duration: Length of the clip in seconds; 0 gives the single target 0.

        Returns:
            Stratum centres in mode ``frames``, multiples of the step in mode ``every`` and an
            empty list in mode ``all`` (every picture is taken, no target is needed).

        Raises:
            ValueError: ``duration`` is negative or not finite.
        """
        if not (math.isfinite(duration) and duration >= 0):
            raise ValueError(f"duration must be >= 0 seconds, got {duration!r}")
        if self.all:
            return []
        if self.every is not None:
            return [i * self.every for i in range(int(duration / self.every + 1e-9) + 1)]
        if duration == 0:
            return [0.0]
        return [(i + 0.5) * duration / self.frames for i in range(self.frames)]
