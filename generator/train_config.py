"""Settings and progress of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from forensics.errors import UsageError
from generator.losses import LOSSES


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Settings of a training. All but `LIMITS` are fixed once it has begun.

    Attributes:
        model: Name of the network.
        like: Take the network's size from this other model.
        batch: Pairs a person and step.
        most_people: People in one step, when there are more than two.
        seed: Fixes weights, order and distortion.
        lr: Learning rate; None takes the model's own.
        betas: Adam's.
        loss: A key of `generator.losses.LOSSES`.
        clip: Largest gradient norm.
        ema: Decay a step of the averaged weights, which are the ones that swap.
        precision: ``fp32``, ``bf16``, or ``auto``: 16 bits where the processor computes in them.
        min_faces: Fewer faces of one person are refused.
        validate_every: Steps between two looks at held-out faces.
        patience: Stop after so many looks without progress.
        min_steps: Never stop on its own before.
        steps: Stop after this many steps.
        budget: Stop after so many seconds of training, all sessions together.
        save_every: Seconds between two checkpoints.
        occluders: Folder of photographed things to put before faces, for a network with a mask
            branch; `generator.occluder_split` says which of them. Said anew in each session.
    """

    model: str = "tiny"
    like: str | None = None
    batch: int = 16
    most_people: int = 2
    seed: int = 0
    lr: float | None = None
    betas: tuple[float, float] = (0.9, 0.999)
    loss: str = "ssim-mse"
    clip: float = 1.0
    ema: float = 0.999
    precision: str = "auto"
    min_faces: int = 16
    validate_every: int = 250
    patience: int = 10
    min_steps: int = 3000
    steps: int | None = None
    budget: float | None = None
    save_every: float = 120.0
    occluders: str | None = None

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise UsageError(f"no loss {self.loss!r}; there are: {', '.join(LOSSES)}")
        if self.precision not in ("auto", "fp32", "bf16"):
            raise UsageError(f"precision must be auto, fp32 or bf16, got {self.precision!r}")
        if self.batch < 1 or (self.steps is not None and self.steps < 1):
            raise UsageError(f"batch and steps must be >= 1, got {self.batch} and {self.steps}")


LIMITS = ("steps", "budget", "save_every", "occluders")


@dataclass(slots=True)
class Progress:
    """Where a training stands; handed to the hook after every step.

    Attributes:
        step: Steps done.
        seconds: Training time so far, all sessions.
        losses: (person, loss) pairs of the last step.
        quality: Last validation: ``ssim`` (rebuilt held-out faces) and ``moved`` (0: swaps still
            look like their target, 1: like their source, on the training's own axis).
        stopped: Why the training ended, or empty.
    """

    step: int = 0
    seconds: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)
    quality: dict[str, float] = field(default_factory=dict)
    stopped: str = ""


Hook = Callable[[Progress], None]


@dataclass
class Best:
    """Memory of the early stop."""

    ssim: float = -1.0
    moved: float = -1.0
    waited: int = 0

    def flat(self, quality: dict[str, float]) -> int:
        """Count looks without progress in either reconstruction or identity."""
        better = False
        for name, least in (("ssim", 0.002), ("moved", 0.01)):
            if quality.get(name, -1.0) > getattr(self, name) + least:
                setattr(self, name, quality[name])
                better = True
        self.waited = 0 if better else self.waited + 1
        return self.waited
