"""The data types that every part of the scanner speaks. Frozen, without torch, cv2 or ONNX.

Facts (`Evidence`) and conclusions (`Finding`, `Verdict`) are different types. Time is always in
seconds (presentation time), coordinates are in pixels of the displayed (rotated) frame, and
pictures are RGB ``uint8``. There is deliberately no value that means "real".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forensics._arrays import read_only
from forensics._illustration import Illustration as Illustration

VerdictLabel = Literal["suspect", "inconclusive", "no_evidence"]
Outcome = Literal["compliant", "noncompliant", "not_found", "inconclusive"]
MediaKind = Literal["video", "image"]
Span = tuple[float, float]

SCHEMA_VERSION = "1.0"

SCOPE = (
    "Examined: signs of face manipulation (swapped or re-painted faces) in the pictures. "
    "Not examined: voice, lip-sync by audio, and wholly generated video. "
    "Absence of evidence is not proof of authenticity."
)


@dataclass(frozen=True, slots=True)
class Clip:
    """Facts about one media file, read without decoding its pictures.

    Attributes:
        path: Where the file was when it was opened.
        sha256: Hex digest of the file.
        bytes: Its size.
        kind: ``video`` or ``image``.
        duration: Seconds; 0.0 for a still image.
        fps: Mean frame rate, frames per second; 0.0 for a still image.
        size: Displayed (width, height) in pixels, rotation applied.
        codec: Codec name of the chosen picture stream.
        container: Container format name.
        rotation: Clockwise degrees that display applies: 0, 90, 180 or 270.
        streams: Number of picture streams in the file.
        has_audio: Whether the file holds a sound stream.
    """

    path: Path
    sha256: str = field(kw_only=True)
    bytes: int = field(kw_only=True)
    kind: MediaKind = field(kw_only=True)
    duration: float = field(kw_only=True)
    fps: float = field(kw_only=True)
    size: tuple[int, int] = field(kw_only=True)
    codec: str = field(kw_only=True)
    container: str = field(kw_only=True, default="")
    rotation: int = field(kw_only=True, default=0)
    streams: int = field(kw_only=True, default=1)
    has_audio: bool = field(kw_only=True, default=False)

    def __post_init__(self) -> None:
        if self.size[0] < 1 or self.size[1] < 1:
            raise ValueError(f"size must be positive, got {self.size}")
        if not self.duration >= 0.0:
            raise ValueError(f"duration must be >= 0 seconds, got {self.duration}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture.

    Attributes:
        image: (h, w, 3) RGB ``uint8``, upright.
        pts: Presentation time in seconds.
        shot: Number of the shot (between cuts) that the picture belongs to, from 0.
        burst: Number of the burst of directly following pictures that it belongs to, or None.
        extra: Whether it was taken for its burst alone and is no picture of the sample.
    """

    image: NDArray[np.uint8]
    pts: float = field(kw_only=True)
    shot: int = field(kw_only=True, default=0)
    burst: int | None = field(kw_only=True, default=None)
    extra: bool = field(kw_only=True, default=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", read_only(self.image, "image", (None, None, 3)))

    def __repr__(self) -> str:
        return f"Frame(pts={self.pts:.3f}, shot={self.shot}, shape={self.image.shape})"


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Several pictures of one size.

    Attributes:
        data: (n, h, w, 3) RGB ``uint8``.
        pts: (n,) seconds, ascending.
        shots: (n,) shot numbers.
    """

    data: NDArray[np.uint8]
    pts: NDArray[np.float64] = field(kw_only=True)
    shots: NDArray[np.int64] = field(kw_only=True)

    def __post_init__(self) -> None:
        n = len(self.data)
        object.__setattr__(self, "data", read_only(self.data, "data", (None, None, None, 3)))
        object.__setattr__(self, "pts", read_only(self.pts, "pts", (n,)))
        object.__setattr__(self, "shots", read_only(self.shots, "shots", (n,)))

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"FrameBatch(n={len(self)}, shape={self.data.shape[1:]})"


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """One face followed through one shot.

    Attributes:
        id: Number of the track within the clip, from 0.
        pts: (n,) seconds at which the face was seen.
        boxes: (n, 4) left, top, right, bottom in pixels.
        landmarks: (n, 5, 2) eyes, nose tip, mouth corners; left means left in the picture.
        confidence: (n,) detector confidence in 0..1.
        shot: Shot number.
    """

    id: int
    pts: NDArray[np.float64] = field(kw_only=True)
    boxes: NDArray[np.float32] = field(kw_only=True)
    landmarks: NDArray[np.float32] = field(kw_only=True)
    confidence: NDArray[np.float32] = field(kw_only=True)
    shot: int = field(kw_only=True, default=0)

    def __post_init__(self) -> None:
        n = len(self.pts)
        object.__setattr__(self, "pts", read_only(self.pts, "pts", (n,)))
        object.__setattr__(self, "boxes", read_only(self.boxes, "boxes", (n, 4)))
        object.__setattr__(self, "landmarks", read_only(self.landmarks, "landmarks", (n, 5, 2)))
        object.__setattr__(self, "confidence", read_only(self.confidence, "confidence", (n,)))

    def __len__(self) -> int:
        return len(self.pts)

    def __repr__(self) -> str:
        return f"FaceTrack(id={self.id}, n={len(self)}, shot={self.shot})"

    @property
    def span(self) -> Span:
        """First and last time at which the face was seen, in seconds."""
        return (float(self.pts[0]), float(self.pts[-1])) if len(self.pts) else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class CropQuality:
    """How well one face crop can carry a judgement.

    Attributes:
        inter_ocular: Distance between the eyes in the original frame, pixels.
        sharpness: Log10 Laplacian variance of the aligned crop; below about 0.5 is blurred.
        exposure: Mean luma of the face, 0..1.
        yaw: Head turn in degrees, 0 is frontal, sign follows the picture's x axis.
        mesh_confidence: Face-presence confidence of the mesh model, 0..1.
        occlusion: Estimated share of the face area that something covers, 0..1.
        grain: Log10 of the median size of the finest detail, grey levels: skin and sensor noise,
            which strong compression, enlarging and smoothing take away first (an estimate of
            compression). NaN when it was not measured.
        codes: Abstention codes; empty when the crop may be judged.
    """

    inter_ocular: float
    sharpness: float = field(kw_only=True)
    exposure: float = field(kw_only=True)
    yaw: float = field(kw_only=True)
    mesh_confidence: float = field(kw_only=True)
    occlusion: float = field(kw_only=True, default=0.0)
    grain: float = field(kw_only=True, default=float("nan"))
    codes: tuple[str, ...] = field(kw_only=True, default=())

    @property
    def usable(self) -> bool:
        """Whether no abstention code applies."""
        return not self.codes


@dataclass(frozen=True, slots=True)
class FaceCrops:
    """Aligned crops of one track.

    Attributes:
        track_id: The track they come from.
        pts: (n,) seconds.
        data: (n, 256, 256, 3) RGB ``uint8``, five-point similarity alignment.
        to_frame: (n, 2, 3) affine matrices that map crop pixels to frame pixels.
        mesh: (n, 468, 3) mesh points in crop pixels (x, y) and relative depth; NaN when absent.
        quality: One entry per crop.
    """

    track_id: int
    pts: NDArray[np.float64] = field(kw_only=True)
    data: NDArray[np.uint8] = field(kw_only=True)
    to_frame: NDArray[np.float64] = field(kw_only=True)
    mesh: NDArray[np.float32] = field(kw_only=True)
    quality: tuple[CropQuality, ...] = field(kw_only=True)

    def __post_init__(self) -> None:
        n = len(self.pts)
        object.__setattr__(self, "pts", read_only(self.pts, "pts", (n,)))
        object.__setattr__(self, "data", read_only(self.data, "data", (n, None, None, 3)))
        object.__setattr__(self, "to_frame", read_only(self.to_frame, "to_frame", (n, 2, 3)))
        object.__setattr__(self, "mesh", read_only(self.mesh, "mesh", (n, 468, 3)))
        if len(self.quality) != n:
            raise ValueError(f"quality must have {n} entries, got {len(self.quality)}")

    def __len__(self) -> int:
        return len(self.pts)

    def __repr__(self) -> str:
        return f"FaceCrops(track_id={self.track_id}, n={len(self)}, shape={self.data.shape[1:]})"

    def select(self, index: Sequence[int] | NDArray[Any]) -> FaceCrops:
        """Return the crops at the given positions (integers) or where a boolean mask is set."""
        positions = np.arange(len(self))[np.asarray(index)]
        return FaceCrops(
            self.track_id,
            pts=self.pts[positions],
            data=self.data[positions],
            to_frame=self.to_frame[positions],
            mesh=self.mesh[positions],
            quality=tuple(self.quality[int(i)] for i in positions),
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured fact. It concludes nothing.

    Attributes:
        source: Name of the detector or reader that measured it.
        kind: What was measured, for example ``blend_boundary``.
        llr: Natural-log likelihood ratio, fake over not fake, when calibrated; else None.
        span: Start and end in seconds.
        track_id: The face concerned, or None for the whole file.
        values: JSON-ready numbers and texts.
        explanation: One plain sentence for a person.
        artifacts: Arrays that do not go into JSON (heat maps, per-crop logits).
    """

    source: str
    kind: str = field(kw_only=True)
    llr: float | None = field(kw_only=True, default=None)
    span: Span = field(kw_only=True, default=(0.0, 0.0))
    track_id: int | None = field(kw_only=True, default=None)
    values: Mapping[str, Any] = field(kw_only=True, default_factory=dict)
    explanation: str = field(kw_only=True, default="")
    artifacts: Mapping[str, NDArray[Any]] = field(
        kw_only=True, default_factory=dict, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about the file.

    Attributes:
        rule: Rule id.
        jurisdiction: For example ``cn`` or ``eu``.
        outcome: One of the four rule outcomes.
        severity: ``info``, ``warning`` or ``error``.
        evidence: Positions in the report's evidence list that the finding rests on.
        message: Text by language code (``en``, ``zh``).
    """

    rule: str
    jurisdiction: str = field(kw_only=True, default="")
    outcome: Outcome = field(kw_only=True)
    severity: str = field(kw_only=True, default="info")
    evidence: tuple[int, ...] = field(kw_only=True, default=())
    message: Mapping[str, str] = field(kw_only=True, default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrackResult:
    """What the detectors say about one face.

    Attributes:
        id: Track number.
        span: Seconds.
        quality: Medians of the crop quality values, JSON-ready.
        boxes: (pts seconds, left, top, right, bottom in pixels) wherever the face was seen.
        scores: (pts seconds, score 0..1) of the judged crops; higher is more suspicious.
        llr: Combined natural-log likelihood ratio, None when abstained.
        abstained: Whether no judgement was made.
        reasons: Abstention or warning codes.
    """

    id: int
    span: Span = field(kw_only=True)
    quality: Mapping[str, float] = field(kw_only=True, default_factory=dict)
    boxes: tuple[tuple[float, float, float, float, float], ...] = field(kw_only=True, default=())
    scores: tuple[tuple[float, float], ...] = field(kw_only=True, default=())
    llr: float | None = field(kw_only=True, default=None)
    abstained: bool = field(kw_only=True, default=False)
    reasons: tuple[str, ...] = field(kw_only=True, default=())


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion, from pixels and codec traces alone.

    Attributes:
        label: ``suspect``, ``inconclusive`` or ``no_evidence``.
        probability: Of manipulation, at ``prior``; None when there is nothing to judge.
        interval: 95 % interval of the probability, or None.
        llr: Natural-log likelihood ratio of the clip, or None.
        prior: Stated prior probability of manipulation.
        reasons: Codes that explain the label.
    """

    label: VerdictLabel
    probability: float | None = field(kw_only=True, default=None)
    interval: tuple[float, float] | None = field(kw_only=True, default=None)
    llr: float | None = field(kw_only=True, default=None)
    prior: float = field(kw_only=True, default=0.5)
    reasons: tuple[str, ...] = field(kw_only=True, default=())


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the file says of itself, and how far that can be trusted (see the contract).

    Attributes:
        status: ``none``, ``declared_synthetic`` and so on: the report's schema has them all.
        by: Who declares it, one entry per site (``c2pa``, ``aigc``, ...).
        integrity: ``intact``, ``broken`` or ``unsigned``.
        signer_trust: ``trusted``, ``untrusted`` or ``not_evaluated``.
        timestamp_trust: The same three values.
        codes: Raw C2PA validation codes.
    """

    status: str = "none"
    by: tuple[str, ...] = ()
    integrity: str = "unsigned"
    signer_trust: str = "not_evaluated"
    timestamp_trust: str = "not_evaluated"
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything said about one input.

    Attributes:
        path: The input as given.
        clip: File facts, or None when unreadable.
        verdict: The conclusion.
        tracks: Per-face results.
        evidence: Measured facts.
        findings: Rule outcomes.
        declaration: The file's own claims.
        actions: Action codes that the findings ask for.
        environment: Versions, weights, configuration and sampling that made the report.
        error: Why the input could not be examined, in one line, or None.
        illustrations: Pictures for the HTML report; never in JSON.
    """

    path: Path
    clip: Clip | None = field(kw_only=True)
    verdict: Verdict = field(kw_only=True)
    tracks: tuple[TrackResult, ...] = field(kw_only=True, default=())
    evidence: tuple[Evidence, ...] = field(kw_only=True, default=())
    findings: tuple[Finding, ...] = field(kw_only=True, default=())
    declaration: Declaration = field(kw_only=True, default_factory=Declaration)
    actions: tuple[str, ...] = field(kw_only=True, default=())
    environment: Mapping[str, Any] = field(kw_only=True, default_factory=dict)
    error: str | None = field(kw_only=True, default=None)
    illustrations: tuple[Illustration, ...] = field(
        kw_only=True, default=(), repr=False, compare=False
    )
