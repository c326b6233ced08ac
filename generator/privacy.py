"""How far people can still be recognised after every face of a clip was replaced.

Two questions are asked of each frame, before and after. Verification: is the face within the
embedding's own limit of this person? Identification: of everybody in the gallery, is this person
the nearest? The second is the re-identification rate of a closed gallery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.rates import wilson
from forensics.faces.align import align_face
from forensics.media import SamplingPlan, open_clip, stream_frames
from generator.files import write_json
from generator.methods import FACE_MARGIN, FACE_SIZE
from generator.recognition import Recogniser, chip
from generator.scene import Scene, SceneTrack, look

Rows = NDArray[np.float64]


class Embedding(Protocol):
    """Describes faces so that those of one person lie together."""

    name: str
    """For the report."""
    limit: float | None
    """Distance up to which two faces are taken for one person; None: learnt from the gallery."""

    def describe_clip(self, path: Path) -> tuple[Scene, dict[int, Rows]]:
        """Return the scene of a clip and, by track id, (n, d) vectors, NaN where there is none."""


class Coarse:
    """`generator.people.describe_face`: no network, fit for two people in front of one camera."""

    name = "built-in descriptor (mesh shape and coarse picture)"
    limit: float | None = None

    def describe_clip(self, path: Path) -> tuple[Scene, dict[int, Rows]]:
        """Follow a clip; the descriptors come with it."""
        scene = look(open_clip(path), steadiness=0.0)
        return scene, {t.trajectory.track_id: t.descriptors for t in scene.tracks}


class ByNetwork:
    """A face recognition network.

    Args:
        recogniser: The network.
    """

    limit: float | None = 0.6
    """The value that its maker gives for one person."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self.name = recogniser.name

    def describe_clip(self, path: Path) -> tuple[Scene, dict[int, Rows]]:
        """Follow a clip, cut out every usable face again and describe it."""
        clip = open_clip(path)
        scene = look(clip, steadiness=0.0)
        paths = [t.trajectory for t in scene.tracks]
        crops: dict[int, list[NDArray[np.uint8]]] = {t.track_id: [] for t in paths}
        with stream_frames(clip, SamplingPlan(all=True)) as frames:
            for frame in frames:
                for track in paths:
                    i = track.at(frame.pts)
                    if i is not None:
                        face = align_face(frame.image, track.landmarks[i], margin=FACE_MARGIN)[0]
                        assert face.shape[0] == FACE_SIZE
                        crops[track.track_id].append(chip(face))
        vectors = {}
        for track in paths:
            rows = self._recogniser.embed(np.stack(crops[track.track_id])).astype(np.float64)
            rows[~track.usable] = np.nan
            vectors[track.track_id] = rows
        return scene, vectors


@dataclass(frozen=True, slots=True)
class Reidentification:
    """One person of the target clip. Shares of frames, 0..1.

    Attributes:
        person: Number as in the scene of the target.
        frames: Frames judged before.
        frames_after: Frames judged after; a face that is not found again counts as not recognised.
        before: Verified as this person before.
        after: Verified after.
        first_before: This person is the nearest of the gallery before.
        first_after: The same after.
        interval_after: 95 % Wilson interval of ``after``, seconds of clip as sample size.
    """

    person: int
    frames: int
    frames_after: int
    before: float
    after: float
    first_before: float
    first_after: float
    interval_after: tuple[float, float]


def reidentification(
    target: Path,
    swapped: Path,
    *,
    embedding: Embedding | None = None,
    others: Mapping[str, Rows] | None = None,
) -> list[Reidentification]:
    """Compare each person's faces before and after with a gallery.

    Every second frame of the target is the gallery, the others are the probes before; all frames
    are the probes after. A person stands in the gallery as the mean of its frames.

    Args:
        target: The clip before.
        swapped: The clip after.
        embedding: Describes faces; the built-in one is coarse.
        others: More people for the gallery, (d,) mean vectors by name: the people who were
            painted, and strangers.

    Raises:
        UnreadableInputError: A clip cannot be decoded.
    """
    judge: Embedding = embedding if embedding is not None else Coarse()
    scene, vectors = judge.describe_clip(target)
    after_scene, after_vectors = judge.describe_clip(swapped)
    own = {p: _of(scene.of(p), vectors) for p in range(scene.people)}
    gallery = {p: rows[::2].mean(axis=0) for p, rows in own.items() if len(rows) > 1}
    people = np.array([*gallery.values(), *(others or {}).values()])
    result = []
    for place, (person, mean) in enumerate(gallery.items()):
        rows = own[person]
        probes, known = rows[1::2], rows[::2]
        limit = judge.limit
        if limit is None:
            limit = float(np.quantile(np.linalg.norm(known - mean, axis=1), 0.95))
        tracks = scene.of(person)
        later = [
            after_vectors[t.trajectory.track_id][i]
            for t in after_scene.tracks
            for i in _same_place(t, tracks)
        ]
        made = np.array(later).reshape(-1, rows.shape[1])
        made = made[np.isfinite(made).all(axis=1)]
        near = [np.linalg.norm(x - mean, axis=1) <= limit for x in (probes, made)]
        first = [_nearest(x, people) == place for x in (probes, made)]
        seconds = max(1, round(sum(np.ptp(t.trajectory.pts) for t in tracks)))
        after = float(near[1].sum() / len(rows))
        result.append(
            Reidentification(
                person,
                frames=len(probes),
                frames_after=len(rows),
                before=float(near[0].mean()),
                after=after,
                first_before=float(first[0].mean()),
                first_after=float(first[1].sum() / len(rows)),
                interval_after=wilson(after * seconds, seconds),
            )
        )
    return result


def privacy_report(
    target: Path, swapped: Path, recogniser: Path | None = None
) -> tuple[list[Reidentification], Path]:
    """Measure and write ``NAME.privacy.json`` beside the swapped clip.

    Args:
        target: The clip before.
        swapped: The clip after.
        recogniser: Folder of a recognition network, see `generator.recognition`.

    Raises:
        UnreadableInputError: A clip or the network cannot be read.
        OutputError: The report cannot be written.
    """
    embedding: Embedding = Coarse()
    facts: dict[str, Any] = {}
    if recogniser is not None:
        network = Recogniser(recogniser)
        embedding = ByNetwork(network)
        facts = {"licence": network.licence, "sha256": network.sha256}
    rows = reidentification(target, swapped, embedding=embedding)
    place = swapped.with_name(f"{swapped.stem}.privacy.json")
    content = {
        "embedding": {"name": embedding.name, "limit": embedding.limit, **facts},
        "target_sha256": open_clip(target).sha256,
        "swapped_sha256": open_clip(swapped).sha256,
        "people": [asdict(row) for row in rows],
        "meaning": "before, after: share of frames within the limit of this person; first_*: share "
        "of frames in which this person is the nearest in the gallery of the clip's people",
    }
    write_json(place, content)
    return rows, place


def _of(tracks: list[SceneTrack], vectors: dict[int, Rows]) -> Rows:
    rows = np.concatenate([vectors[t.trajectory.track_id] for t in tracks])
    return np.asarray(rows[np.isfinite(rows).all(axis=1)])


def _nearest(rows: Rows, people: Rows) -> NDArray[np.intp]:
    return np.asarray(np.linalg.norm(rows[:, None] - people, axis=2).argmin(axis=1))


def _same_place(track: SceneTrack, tracks: list[SceneTrack]) -> list[int]:
    """Positions of ``track`` that show a face where one of ``tracks`` did at the same time."""
    hits = []
    for i, pts in enumerate(track.trajectory.pts):
        for other in tracks:
            k = int(np.argmin(np.abs(other.trajectory.pts - pts)))
            if abs(other.trajectory.pts[k] - pts) > 0.02:
                continue
            eyes = np.linalg.norm(other.raw[k, 1] - other.raw[k, 0])
            if np.linalg.norm(track.raw[i].mean(0) - other.raw[k].mean(0)) < eyes:
                hits.append(i)
                break
    return hits
