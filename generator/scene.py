"""The first look at a clip: who is in it, where, and in which frames a face can be replaced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.faces.quality import QualityGate
from forensics.faces.track import FaceFollower
from forensics.media import SamplingPlan, stream_frames
from forensics.types import Clip, FaceCrops
from generator.methods import FACE_MARGIN
from generator.people import describe_face, group_tracks
from generator.trajectory import Trajectory, make_trajectory

# A blurred or dark face can be replaced well enough; one that is lost, tiny or in profile cannot.
_GATE = QualityGate(
    min_inter_ocular=10.0, min_sharpness=-3.0, min_exposure=0.0, max_exposure=1.0, max_yaw=60.0
)


@dataclass(frozen=True, slots=True)
class SceneTrack:
    """One face in one shot, as first seen.

    Attributes:
        trajectory: Smoothed.
        person: 0 is the most prominent person of the clip.
        raw: (n, 5, 2) landmarks before smoothing, frame pixels.
        descriptors: (n, d) `describe_face`, NaN where there was no mesh.
    """

    trajectory: Trajectory
    person: int
    raw: NDArray[np.float32] = field(repr=False)
    descriptors: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scene:
    """All faces of a clip.

    Attributes:
        tracks: In order of track ids.
        people: Number of different people.
        frames: Number of frames looked at.
    """

    tracks: tuple[SceneTrack, ...]
    people: int
    frames: int

    def of(self, person: int | None) -> list[SceneTrack]:
        """Return the tracks of one person, or of everybody."""
        return [t for t in self.tracks if person is None or t.person == person]


@dataclass
class _Seen:
    mesh: list[NDArray[Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    descriptors: list[NDArray[np.float64]] = field(default_factory=list)


def look(clip: Clip, *, steadiness: float = 1.0) -> Scene:
    """Follow every face through every frame of a clip.

    Args:
        clip: Clip or photo.
        steadiness: Sigma of the smoothing in frames; 0 turns it off.

    Raises:
        UnreadableInputError: The pictures cannot be decoded.
    """
    seen: dict[int, _Seen] = {}

    def take(crops: FaceCrops) -> None:
        store = seen.setdefault(crops.track_id, _Seen())
        for crop, mesh, matrix, quality in zip(
            crops.data, crops.mesh, crops.to_frame, crops.quality, strict=True
        ):
            in_frame = mesh.astype(np.float64)
            in_frame[:, :2] = mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2]
            in_frame[:, 2] *= np.sqrt(abs(np.linalg.det(matrix[:, :2])))
            store.mesh.append(in_frame.astype(np.float32))
            store.reasons.append(quality.codes[0] if quality.codes else "")
            store.descriptors.append(describe_face(crop, np.nan_to_num(mesh)))

    follower = FaceFollower(take, gate=_GATE, margin=FACE_MARGIN, chunk=8, look_every=1)
    count = 0
    with stream_frames(clip, SamplingPlan(all=True)) as frames:
        for frame in frames:
            follower.push(frame)
            count += 1
    tracks = follower.close()
    people = group_tracks(tracks, {k: np.mean(s.descriptors, axis=0) for k, s in seen.items()})
    person_of = {t.id: i for i, person in enumerate(people) for t in person.tracks}
    sigma = steadiness / clip.fps if clip.fps > 0 else 0.0
    result = []
    for track in tracks:
        store = seen[track.id]
        trajectory = make_trajectory(
            track, np.stack(store.mesh), tuple(store.reasons), sigma=sigma
        )
        result.append(
            SceneTrack(
                trajectory, person_of[track.id], track.landmarks, np.stack(store.descriptors)
            )
        )
    return Scene(tuple(result), len(people), count)
