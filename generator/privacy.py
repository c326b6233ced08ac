"""How far people can still be recognised after every face of a clip was replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.media import open_clip
from generator.scene import Scene, SceneTrack, look

Rows = NDArray[np.float64]
Embed = Callable[[Path], "tuple[Scene, dict[int, Rows]]"]


@dataclass(frozen=True, slots=True)
class Reidentification:
    """One person of the target clip.

    Attributes:
        person: Number as in the scene of the target.
        frames: Frames judged.
        before: Share of the target's frames recognised as this person.
        after: The same in the swapped clip.
    """

    person: int
    frames: int
    before: float
    after: float


def describe_clip(path: Path) -> tuple[Scene, dict[int, Rows]]:
    """Follow a clip and describe its faces with `generator.people.describe_face`."""
    scene = look(open_clip(path), steadiness=0.0)
    return scene, {t.trajectory.track_id: t.descriptors for t in scene.tracks}


def reidentification(
    target: Path, swapped: Path, *, embed: Embed = describe_clip
) -> list[Reidentification]:
    """Compare each person's faces before and after with a gallery of their own.

    Every second frame of the target is the gallery, the others are the probes. A probe is
    recognised when its distance to its person's gallery mean is below the distance that 95 % of
    that gallery keep. The default embedding is coarse; give a recognition network's for a claim.

    Args:
        target: The clip before.
        swapped: The clip after.
        embed: Returns the scene and, by track id, (n, d) vectors of a clip's faces.

    Raises:
        UnreadableInputError: A clip cannot be decoded.
    """
    scene, vectors = embed(target)
    after_scene, after_vectors = embed(swapped)
    result = []
    for person in range(scene.people):
        tracks = scene.of(person)
        own = np.concatenate([vectors[t.trajectory.track_id] for t in tracks])
        gallery, probes = own[::2], own[1::2]
        if not len(probes):
            continue
        mean = gallery.mean(axis=0)
        limit = np.quantile(np.linalg.norm(gallery - mean, axis=1), 0.95)
        later = [
            after_vectors[t.trajectory.track_id][i]
            for t in after_scene.tracks
            for i in _same_place(t, tracks)
        ]
        made = np.array(later).reshape(-1, own.shape[1])
        result.append(
            Reidentification(
                person,
                len(probes),
                float((np.linalg.norm(probes - mean, axis=1) <= limit).mean()),
                # A face that is no longer found is no longer recognised.
                float((np.linalg.norm(made - mean, axis=1) <= limit).sum() / len(own)),
            )
        )
    return result


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
