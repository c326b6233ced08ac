"""What a scan says of the faces of a clip after their pixels were changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors import detector_info, list_detectors, weights_of
from forensics.engines.judging import Judged
from forensics.engines.ledger import Face
from forensics.engines.options import ScanOptions
from forensics.engines.scanner import Scanner
from forensics.errors import UsageError
from forensics.faces import follow_faces, measure_quality
from forensics.media import open_clip, stream_frames
from forensics.types import FaceCrops, FaceTrack
from forensics.verdict.decide import combine_tracks

Crops = NDArray[np.uint8]
Faces = Sequence[tuple[FaceTrack, FaceCrops]]
VERDICTS = ("suspect", "inconclusive", "no_evidence")


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one clip.

    Attributes:
        score: Natural-log likelihood ratio without a bound, for ranking: of the judged faces, and
            of the refused ones where none was judged; 0 where nothing could be measured.
        verdict: As a scan says it.
        judged: Whether any face passed the quality gate.
    """

    score: float
    verdict: str
    judged: bool


class Speaker:
    """A warm scanner that is shown crops in place of files.

    Refused crops are measured too, as `forensics evaluate` does, for their rank alone: the verdict
    rests on what the gate lets pass.

    Args:
        frames: Pictures of each clip to look at; as many as a scan when None.

    Raises:
        UsageError: A detector of the usual set looks at bursts, which are not distorted.
    """

    def __init__(self, frames: int | None = None) -> None:
        self.options = ScanOptions() if frames is None else ScanOptions(frames=frames)
        names = list_detectors(default=True)
        if moving := [name for name in names if detector_info(name).input != "face_crops"]:
            raise UsageError(f"{moving[0]}: looks at bursts, which cannot be distorted here")
        self._scanner = Scanner(self.options, keep_unusable=True)

    @property
    def weights(self) -> dict[str, str]:
        """The sha256 of every weights file, by its name."""
        return weights_of(self._scanner.detectors)

    def look(self, path: Path) -> Faces:
        """Return every face of a clip at the times that a scan looks at."""
        with stream_frames(open_clip(path), self.options.plan()) as frames:
            return follow_faces(frames)

    def say(self, faces: Faces) -> Said:
        """Say what a scan says."""
        verdict, judged = self._scanner.say(faces)
        kept = [pair for pair in judged if pair[0].likelihood is not None]
        free = [found for pair in kept or judged if (found := self._unbounded(*pair)) is not None]
        score = combine_tracks(free).llr if free else 0.0
        return Said(score, verdict.label, bool(kept))

    def _unbounded(self, said: Judged, face: Face) -> Any:
        judge = self._scanner.judge
        logits = face.measured(usable_only=said.likelihood is not None)
        return judge.calibration.likelihood(judge.summaries(logits), face.context(), bounded=False)


def distorted(faces: Faces, change: Callable[[Crops], Crops]) -> Faces:
    """Change the pixels of every face, and measure anew what the quality gate asks.

    Eye distance, pose and the mesh's confidence stay those of the clean clip.
    """
    return [(track, _remeasured(crops, change(np.asarray(crops.data)))) for track, crops in faces]


def _remeasured(crops: FaceCrops, data: Crops) -> FaceCrops:
    quality = tuple(
        measure_quality(
            crop, mesh, inter_ocular=q.inter_ocular, mesh_confidence=q.mesh_confidence
        )
        for crop, mesh, q in zip(data, crops.mesh, crops.quality, strict=True)
    )
    return replace(crops, data=data, quality=quality)


def counted(said: Sequence[Said], fake: NDArray[np.bool_]) -> dict[str, Any]:
    """Count verdicts, and clips of which no face was judged, by label."""
    return {
        label: {
            **{v: Counter(s.verdict for s in part)[v] for v in VERDICTS},
            "not_judged": sum(not s.judged for s in part),
        }
        for label, part in (
            ("real", [s for s, is_fake in zip(said, fake, strict=True) if not is_fake]),
            ("fake", [s for s, is_fake in zip(said, fake, strict=True) if is_fake]),
        )
    }
