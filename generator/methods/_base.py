"""What a swapping method is: one class, one call per face, everything else is the pipeline's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Label = Literal["swap", "reconstruct", "self-blend"]

FACE_SIZE = 256
"""Side of every aligned face, pixels."""

COVERAGE = 160
"""Side of the central square that a network sees, pixels of the aligned face."""

FACE_MARGIN = 0.35
"""Room around the square from hairline to chin (see `forensics.faces.align_face`): that square is
151 of the 256 px, so it fills the 160 px that a network sees."""


@dataclass(frozen=True, slots=True)
class AlignedFace:
    """One face, upright and centred, as every method gets it.

    Attributes:
        crop: (256, 256, 3) RGB ``uint8``.
        mesh: (468, 3) ``float32`` mesh points, crop pixels and relative depth.
        pts: Seconds within its clip; 0.0 for a photo.
    """

    crop: NDArray[np.uint8]
    mesh: NDArray[np.float32] = field(kw_only=True, repr=False)
    pts: float = field(kw_only=True, default=0.0)

    def __post_init__(self) -> None:
        if self.crop.shape != (FACE_SIZE, FACE_SIZE, 3):
            raise ValueError(f"crop must be ({FACE_SIZE}, {FACE_SIZE}, 3), got {self.crop.shape}")
        if self.mesh.shape != (468, 3):
            raise ValueError(f"mesh must be (468, 3), got {self.mesh.shape}")


@dataclass(frozen=True, slots=True)
class SwappedFace:
    """A method's answer, in the target crop's own coordinates.

    Attributes:
        face: (256, 256, 3) RGB ``uint8``, the new face in the target's pose.
        mask: (256, 256) ``float32`` in 0..1, where ``face`` replaces the target.
        visible: (256, 256) ``float32`` in 0..1, how surely each pixel of the target shows bare
            face, from methods that can tell; None from all others.
        finished: True when colours are matched and the mask is feathered already; otherwise the
            pipeline does both.
    """

    face: NDArray[np.uint8]
    mask: NDArray[np.float32] = field(kw_only=True)
    visible: NDArray[np.float32] | None = field(kw_only=True, default=None)
    finished: bool = field(kw_only=True, default=False)

    def __post_init__(self) -> None:
        if self.face.shape[:2] != self.mask.shape:
            raise ValueError(f"mask {self.mask.shape} does not fit face {self.face.shape}")
        if self.visible is not None and self.visible.shape != self.mask.shape:
            raise ValueError(f"visible {self.visible.shape} does not fit mask {self.mask.shape}")


class Method(ABC):
    """One way to make a face.

    The life of a method is: construct (stores parameters only), :meth:`load` (weights),
    :meth:`prepare` (faces of the source person, once), :meth:`swap_faces` (many times).
    The same five calls serve a photo and a clip: a photo is a clip of one frame.

    Args:
        model: Checkpoint folder or weights file, for methods that need one.
        seed: Fixes every random choice; the same seed and input give the same pixels.
        options: Method-specific settings, as in the method's own docstring.
    """

    name: ClassVar[str]
    """What the command line and the sidecar call it."""
    summary: ClassVar[str]
    """One line for ``generator methods list``."""
    label: ClassVar[Label] = "swap"
    """What its output is labelled as."""
    needs_source: ClassVar[bool] = True
    """Whether :meth:`prepare` must be given faces of the source person."""
    needs_model: ClassVar[bool] = False
    """Whether a trained checkpoint is required."""

    def __init__(
        self,
        *,
        model: Path | None = None,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.seed = seed
        self.options = dict(options or {})

    def load(self) -> None:  # noqa: B027  (most methods have nothing to load)
        """Read weights. Raises :class:`forensics.errors.ForensicsError` when they are unfit."""

    def prepare(self, source: Sequence[AlignedFace]) -> None:  # noqa: B027
        """Look at the source person's faces once, best first. The default needs none."""

    @property
    def sees_occluders(self) -> bool:
        """Whether its faces come with what covers the target (``SwappedFace.visible``)."""
        return False

    @abstractmethod
    def swap_face(self, target: AlignedFace) -> SwappedFace:
        """Make one face in the pose of ``target``."""

    def swap_faces(self, targets: Sequence[AlignedFace]) -> list[SwappedFace]:
        """Make several faces; networks override this to work in batches."""
        return [self.swap_face(target) for target in targets]

    def describe(self) -> dict[str, Any]:
        """Return what goes into the sidecar: JSON-ready settings and weight hashes."""
        return {"method": self.name, "label": self.label, "seed": self.seed, **self.options}
