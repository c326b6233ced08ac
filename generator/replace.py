"""The second pass over a clip: cut each chosen face out, let a method remake it, lay it back in.

Something known may be put before the face first (see `generator.occlude`). Then the mask of what
covers the face is exact, and the swap may ignore it or keep it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import align_face
from forensics.media import SamplingPlan, stream_frames
from forensics.types import Clip, Frame
from generator.compose import BlendConfig, ColourMatch, paste, soften
from generator.methods import FACE_MARGIN, FACE_SIZE, AlignedFace, Method, SwappedFace
from generator.occlude import Occluder, OccluderCompositor
from generator.scene import SceneTrack

_GROUP = 8  # frames whose faces go through a network together
# A predicted pixel that is less surely face than this is left alone altogether. Chosen by
# benchmarks/swapper/mask_level.py on things that training sees and on frames that are not measured,
# with a margin, since things never seen are kept less surely.
_SEEN = 0.7

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Replacement:
    """How faces are replaced.

    Attributes:
        blend: Mask and colours.
        span: Seconds in which faces are replaced; the whole clip when None.
        occluder: Put before every chosen face of every frame first.
        keep: Leave what covers a face on top of it: what the method's own network takes for no
            face, else the occluder's known mask. False swaps straight through it.
    """

    blend: BlendConfig = field(default_factory=BlendConfig)
    span: tuple[float, float] | None = None
    occluder: Occluder | None = None
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Replaced:
    """One frame after the second pass.

    Attributes:
        picture: (h, w, 3) RGB ``uint8``.
        swapped: (h, w) ``uint8``, weight of the new face in each pixel, 255 is all of it.
        occluder: (h, w) ``uint8``, what covers faces: the truth when it was put there, else what
            the network predicts; None when nothing is known.
        row: JSON-ready facts: time, label, and the faces with their transforms or a reason.
    """

    picture: NDArray[np.uint8]
    swapped: NDArray[np.uint8] = field(kw_only=True)
    occluder: NDArray[np.uint8] | None = field(kw_only=True)
    row: dict[str, Any] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class _Job:
    """One face to be replaced in one frame."""

    track: int
    face: AlignedFace
    to_frame: Matrix


@dataclass(slots=True)
class _Covered:
    """A frame as the method gets to see it."""

    frame: Frame
    picture: NDArray[np.uint8]
    opacity: NDArray[np.float32] | None
    jobs: list[_Job]


def replace_faces(
    clip: Clip, chosen: Sequence[SceneTrack], method: Method, how: Replacement
) -> Iterator[Replaced]:
    """Yield every frame of a clip with the faces of ``chosen`` replaced.

    Raises:
        UnreadableInputError: The pictures cannot be decoded.
    """
    colours = {t.trajectory.track_id: ColourMatch(strength=how.blend.colour) for t in chosen}
    covers = {}
    if how.occluder is not None:
        covers = {t.trajectory.track_id: OccluderCompositor(how.occluder) for t in chosen}
    with stream_frames(clip, SamplingPlan(all=True)) as frames:
        for group in _grouped(frames):
            seen = [_cover_and_cut(frame, chosen, covers, how) for frame in group]
            faces = [job.face for one in seen for job in one.jobs]
            # Nobody may be in sight for longer than a group.
            made = iter(method.swap_faces(faces) if faces else ())
            for one in seen:
                finished = [
                    _finish(next(made), job, one.opacity, colours[job.track], how)
                    for job in one.jobs
                ]
                yield _lay_in(one, finished, method, chosen, how)


def _grouped(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _cover_and_cut(
    frame: Frame,
    chosen: Sequence[SceneTrack],
    covers: dict[int, OccluderCompositor],
    how: Replacement,
) -> _Covered:
    """Put the occluder on, then cut the chosen faces out."""
    picture = np.array(frame.image)
    opacity = np.zeros(picture.shape[:2], np.float32) if covers else None
    places = [(t.trajectory, t.trajectory.at(frame.pts)) for t in chosen]
    for path, i in places:
        if opacity is not None and i is not None and np.isfinite(path.mesh[i]).all():
            picture, alpha = covers[path.track_id].apply(picture, path.mesh[i])
            np.maximum(opacity, alpha, out=opacity)
    begin, end = how.span or (-math.inf, math.inf)
    jobs = []
    for path, i in places:
        if i is None or not path.usable[i] or not begin <= frame.pts < end:
            continue
        crop, to_frame = align_face(picture, path.landmarks[i], margin=FACE_MARGIN)
        inverse = np.linalg.inv(to_frame[:, :2])
        mesh = path.mesh[i].copy()
        mesh[:, :2] = (mesh[:, :2] - to_frame[:, 2]) @ inverse.T
        mesh[:, 2] *= np.sqrt(abs(np.linalg.det(inverse)))
        face = AlignedFace(crop, mesh=mesh.astype(np.float32), pts=frame.pts)
        jobs.append(_Job(path.track_id, face, to_frame))
    return _Covered(frame, picture, opacity, jobs)


def _finish(
    made: SwappedFace,
    job: _Job,
    opacity: NDArray[np.float32] | None,
    colour: ColourMatch,
    how: Replacement,
) -> SwappedFace:
    """Match colours, soften the mask, and take out of it what covers the face."""
    free = _free(made, job, opacity) if how.keep else None
    face, mask = made.face, made.mask
    if not made.finished:
        # A cup before the face must not lend it its colour, unless the cup is ignored.
        sure = mask if free is None else mask * free
        face = colour.apply(face, job.face.crop, sure)
        mask = soften(mask, how.blend)
    if free is not None:
        mask = np.asarray(mask * free, np.float32)
    seen = None
    if made.visible is not None:  # outside the face there is nothing to be covered
        seen = np.where(made.mask > 0, made.visible, np.float32(1.0))
    return SwappedFace(face, mask=mask, visible=seen, finished=True)


def _free(
    made: SwappedFace, job: _Job, opacity: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    """Share of each crop pixel that may be replaced; None where nothing is known to cover it."""
    if made.visible is not None:
        sure = (made.visible - _SEEN) / (1.0 - _SEEN)
        return np.asarray(np.clip(sure, 0.0, 1.0), np.float32)
    if opacity is None:
        return None
    crop = cv2.warpAffine(
        opacity, job.to_frame, (FACE_SIZE, FACE_SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return np.asarray(1.0 - crop, np.float32)


def _lay_in(
    one: _Covered,
    finished: Sequence[SwappedFace],
    method: Method,
    chosen: Sequence[SceneTrack],
    how: Replacement,
) -> Replaced:
    canvas = np.zeros(one.picture.shape[:2], np.float32)
    guessed: NDArray[np.float32] | None = None
    rows = []
    for job, face in zip(one.jobs, finished, strict=True):
        paste(one.picture, canvas, face, job.to_frame)
        rows.append({"track": job.track, "to_frame": job.to_frame.round(5).tolist()})
        if one.opacity is None and face.visible is not None:
            covered = cv2.warpAffine(1.0 - face.visible, job.to_frame, canvas.shape[::-1])
            guessed = np.asarray(covered if guessed is None else np.maximum(guessed, covered))
    row: dict[str, Any] = {
        "pts": one.frame.pts,
        "label": method.label if rows else "pass-through",
        "faces": rows,
    }
    if not rows:
        row["reason"] = _why_not(one.frame, chosen, how)
    occluder = one.opacity if one.opacity is not None else guessed
    return Replaced(
        one.picture,
        swapped=_bytes(canvas),
        occluder=None if occluder is None else _bytes(occluder),
        row=row,
    )


def _bytes(weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(weights, 0.0, 1.0) * 255.0 + 0.5, np.uint8)


def _why_not(frame: Frame, chosen: Sequence[SceneTrack], how: Replacement) -> str:
    begin, end = how.span or (-math.inf, math.inf)
    if not begin <= frame.pts < end:
        return "outside_span"
    for track in chosen:
        i = track.trajectory.at(frame.pts)
        if i is not None:
            return track.trajectory.reasons[i] or "no_mesh"
    return "no_face"
