"""What a scan is asked to do: the single source of its defaults."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from forensics.errors import UsageError
from forensics.media.limits import Limits
from forensics.media.plan import SamplingPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """Options of a scan.

    Attributes:
        frames: Look at up to this many pictures, spread over shots and time.
        every: Look at one picture every so many seconds instead.
        all: Look at every picture instead.
        detectors: Names of the detectors to run; the default set when None.
        target_fpr: Largest accepted share of unmanipulated clips called suspect; the
            calibration's default when None.
        prior: Probability of manipulation before looking.
        level: ``fast`` or ``full``.
        declared: What the uploader says: ``yes``, ``no`` or ``unknown``.
        policy: Jurisdictions to apply, for example ``("cn", "eu")``.
        device: ``cpu``; there is no other yet.
        calibration: Path of a calibration file to use in place of the shipped one.
        limits: Caps on the input.
    """

    frames: int = 32
    every: float | None = None
    all: bool = False
    detectors: tuple[str, ...] | None = None
    target_fpr: float | None = None
    prior: float = 0.5
    level: str = "fast"
    declared: str = "unknown"
    policy: tuple[str, ...] = ()
    device: str = "cpu"
    calibration: str | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            UsageError: A value is not allowed; the message names it.
        """
        choices = (("level", ("fast", "full")), ("declared", ("yes", "no", "unknown")),
                   ("device", ("cpu",)))
        for name, allowed in choices:
            if getattr(self, name) not in allowed:
                raise UsageError(
                    f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        if not 0.0 < self.prior < 1.0:
            raise UsageError(f"prior must lie between 0 and 1, got {self.prior}")
        if self.policy:
            from forensics.policy import list_rules

            list_rules(self.policy)
        try:
            self.plan()
        except ValueError as error:
            raise UsageError(str(error)) from error

    def plan(self) -> SamplingPlan:
        """Return which pictures to look at."""
        return SamplingPlan(frames=self.frames, every=self.every, all=self.all)

    def resolved(self) -> dict[str, Any]:
        """Return every option as JSON-ready data."""
        return asdict(self)

    def digest(self) -> str:
        """Return the sha256 of the resolved options."""
        text = json.dumps(self.resolved(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
