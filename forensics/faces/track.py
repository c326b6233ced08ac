"""Follow faces through a clip and cut them out, in bounded memory.

Sampled frames may lie far apart, so a face is joined to the nearest track of its own shot by
overlap and by distance in face widths; a cut always ends every track.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import CROP, MARGIN, align_face, cut_out
from forensics.faces.detect import DetectedFace, FaceFinder, same_face
from forensics.faces.mesh import FaceMesh, five_points, mesh_in_crop
from forensics.faces.quality import QualityGate, measure_quality
from forensics.media.plan import BURST
from forensics.types import CropQuality, FaceCrops, FaceTrack, Frame

CropSink = Callable[[FaceCrops], None]

_REACH = 1.0  # a face may move this many face widths between two samples
_GROWTH = 1.7  # and change its size by this factor
_FEW = 3  # more known faces than this are looked for in the whole frame at once


@dataclass
class _Burst:
    """One face in directly following pictures, seen through one fixed window."""

    track: int
    face: DetectedFace
    to_frame: NDArray[np.float64]
    quality: CropQuality
    pts: list[float] = field(default_factory=list)
    crops: list[NDArray[np.uint8]] = field(default_factory=list)
    meshes: list[NDArray[np.float32]] = field(default_factory=list)


@dataclass
class _Track:
    """A track under construction; crops wait here until they are handed on."""

    id: int
    shot: int
    pts: list[float] = field(default_factory=list)
    boxes: list[NDArray[np.float32]] = field(default_factory=list)
    points: list[NDArray[np.float32]] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    waiting: list[
        tuple[float, NDArray[np.uint8], NDArray[np.float64], NDArray[np.float32], CropQuality]
    ] = field(default_factory=list)

    def flush(self, sink: CropSink) -> None:
        if not self.waiting:
            return
        pts, data, to_frame, mesh, quality = zip(*self.waiting, strict=True)
        self.waiting = []
        sink(
            FaceCrops(
                self.id,
                pts=np.array(pts, np.float64),
                data=np.stack(data),
                to_frame=np.stack(to_frame),
                mesh=np.stack(mesh),
                quality=quality,
            )
        )

    def finished(self) -> FaceTrack:
        return FaceTrack(
            self.id,
            pts=np.array(self.pts, np.float64),
            boxes=np.stack(self.boxes),
            landmarks=np.stack(self.points),
            confidence=np.array(self.confidence, np.float32),
            shot=self.shot,
        )


class FaceFollower:
    """Turn a stream of frames into tracks and chunks of crops.

    Args:
        sink: Called with up to ``chunk`` crops of one track at a time, in time order.
        finder: Face finder; the default one when None.
        mesh: Mesh model; the default one when None.
        gate: Quality gate.
        chunk: Crops of one track that are handed on together.
        margin: Room around the face in the crops, see `align_face`.
        look_every: The whole frame is looked at in the first frame of each shot and in every so
            many frames after it; in between, known faces are looked for where they were, and
            the whole frame only where there is none or one went missing. 1 looks everywhere
            always, for frames that follow each other closely.
        sweep_every: Small faces that a look misses are looked for in the first frame of each
            shot, in every so many frames after it, and wherever a face went missing.
        bursts: Called with the `forensics.media.plan.BURST` crops of each whole burst of one
            face, all cut out by the first one's matrix, so that movement is not aligned away.
    """

    def __init__(
        self,
        sink: CropSink,
        *,
        finder: FaceFinder | None = None,
        mesh: FaceMesh | None = None,
        gate: QualityGate | None = None,
        chunk: int = 32,
        margin: float = MARGIN,
        look_every: int = 4,
        sweep_every: int = 16,
        bursts: CropSink | None = None,
    ) -> None:
        self._sink = sink
        self._finder = finder or FaceFinder()
        self._mesh = mesh or FaceMesh()
        self._gate = gate or QualityGate()
        self._chunk = chunk
        self._margin = margin
        self._look_every = look_every
        self._sweep_every = sweep_every
        self._burst_sink = bursts
        self._burst: int | None = None
        self._bursts: list[_Burst] = []
        self._open: list[_Track] = []
        self._done: list[_Track] = []
        self._shot: int | None = None
        self._age = 0  # frames since the shot began
        self._known: list[NDArray[np.float32]] = []  # boxes of the faces in the frame before

    def push(self, frame: Frame) -> int:
        """Look at one frame and return how many faces it shows."""
        if frame.burst is None or frame.burst != self._burst:
            self._bursts = []
        self._go_on(frame)
        if frame.extra:
            return len(self._known)
        if frame.shot != self._shot:
            self._close()
            self._shot, self._age = frame.shot, 0
        faces = self._look(frame.image)
        self._age += 1
        self._known = []
        free = list(self._open)
        for face in faces:
            if self._take(frame, face, free):
                self._known.append(face.box)
        self._burst = frame.burst
        return len(self._known)

    def _go_on(self, frame: Frame) -> None:
        """Add the picture to every burst that is under way."""
        for burst in self._bursts:
            mesh, _ = self._mesh.points(frame.image, burst.face)
            forward = np.asarray(cv2.invertAffineTransform(burst.to_frame), np.float64)
            burst.pts.append(frame.pts)
            burst.crops.append(cut_out(frame.image, forward))
            burst.meshes.append(mesh_in_crop(mesh, burst.to_frame))
            if len(burst.pts) == BURST and self._burst_sink is not None:
                self._burst_sink(
                    FaceCrops(
                        burst.track,
                        pts=np.array(burst.pts, np.float64),
                        data=np.stack(burst.crops),
                        to_frame=np.repeat(burst.to_frame[None], BURST, axis=0),
                        mesh=np.stack(burst.meshes),
                        quality=(burst.quality,) * BURST,
                    )
                )
        self._bursts = [burst for burst in self._bursts if len(burst.pts) < BURST]

    def _look(self, image: NDArray[np.uint8]) -> list[DetectedFace]:
        """Find the faces of a frame with as little looking as will do."""
        known = self._known
        sweep = self._age % self._sweep_every == 0
        faces: list[DetectedFace] = []
        if sweep or self._age % self._look_every == 0 or not 1 <= len(known) <= _FEW:
            faces = self._finder.detect(image, thorough=sweep)
        lost = [box for box in known if not any(_distance(f.box, box) < 1.0 for f in faces)]
        if not sweep and (lost or len(faces) < len(known)):
            faces = _join(faces, self._finder.refind(image, lost or known))
            if len(faces) < len(known):
                faces = self._finder.detect(image)
        return faces

    def close(self) -> list[FaceTrack]:
        """Hand on what waits and return all tracks in order of their ids."""
        self._close()
        return [track.finished() for track in sorted(self._done, key=lambda t: t.id)]

    def _close(self) -> None:
        for track in self._open:
            track.flush(self._sink)
        self._done += self._open
        self._open = []

    def _take(self, frame: Frame, face: DetectedFace, free: list[_Track]) -> int:
        mesh, presence = self._mesh.points(frame.image, face)
        points = five_points(mesh) if presence >= self._gate.min_mesh_confidence else None
        if points is None or not np.isfinite(points).all():
            # The detector saw something the mesh does not take for a face. Only a sure one is
            # kept (and abstained on): a faint one is a false alarm on a texture.
            if face.confidence < 0.8:
                return 0
            points = face.landmarks
        eyes = float(np.linalg.norm(points[1] - points[0]))
        if eyes < 2.0:
            return 0
        track = self._match(face, free)
        crop, to_frame = align_face(frame.image, points, margin=self._margin)
        local = mesh_in_crop(mesh, to_frame)
        quality = measure_quality(
            crop, local, inter_ocular=eyes, mesh_confidence=presence, gate=self._gate
        )
        track.pts.append(frame.pts)
        track.boxes.append(face.box)
        track.points.append(points)
        track.confidence.append(face.confidence)
        track.waiting.append((frame.pts, crop, to_frame, local, quality))
        starts = frame.burst is not None and frame.burst != self._burst
        if starts and quality.usable and self._burst_sink is not None:
            self._bursts.append(
                _Burst(track.id, face, to_frame, quality, [frame.pts], [crop], [local])
            )
        if len(track.waiting) >= self._chunk:
            track.flush(self._sink)
        return 1

    def _match(self, face: DetectedFace, free: list[_Track]) -> _Track:
        best, best_cost = None, 1.0
        for track in free:
            cost = _distance(face.box, track.boxes[-1])
            if cost < best_cost:
                best, best_cost = track, cost
        if best is None:
            best = _Track(len(self._open) + len(self._done), self._shot or 0)
            self._open.append(best)
        else:
            free.remove(best)
        return best


def _join(faces: list[DetectedFace], more: list[DetectedFace]) -> list[DetectedFace]:
    """Add the faces of ``more`` that are not among ``faces``; largest first."""
    new = [m for m in more if not any(same_face(m.box, f.box) for f in faces)]
    return sorted(faces + new, key=lambda face: -face.side)


def _distance(box: NDArray[np.float32], last: NDArray[np.float32]) -> float:
    """How far apart two boxes are; 1 and more means another face."""
    size, size_last = float((box[2:] - box[:2]).mean()), float((last[2:] - last[:2]).mean())
    ratio = max(size, size_last) / max(min(size, size_last), 1e-6)
    if ratio > _GROWTH:
        return 1.0
    step = float(np.linalg.norm((box[:2] + box[2:]) - (last[:2] + last[2:]))) / 2.0
    return step / (_REACH * max(size, size_last))


def follow_faces(
    frames: Iterable[Frame], *, gate: QualityGate | None = None, margin: float = MARGIN
) -> list[tuple[FaceTrack, FaceCrops]]:
    """Follow every face through ``frames`` and keep all its crops in memory.

    Args:
        frames: Frames in time order. For long streams use `FaceFollower`, which hands crops on.
        gate: Quality gate.
        margin: Room around the face, see `align_face`.

    Returns:
        One pair a face: the track and its 256 px crops.
    """
    chunks: dict[int, list[FaceCrops]] = {}
    follower = FaceFollower(
        lambda crops: chunks.setdefault(crops.track_id, []).append(crops),
        gate=gate,
        margin=margin,
    )
    for frame in frames:
        follower.push(frame)
    return [(track, join_crops(chunks[track.id])) for track in follower.close()]


def join_crops(chunks: list[FaceCrops]) -> FaceCrops:
    """Join chunks of one track in time order."""
    return FaceCrops(
        chunks[0].track_id,
        pts=np.concatenate([c.pts for c in chunks]),
        data=np.concatenate([c.data for c in chunks]),
        to_frame=np.concatenate([c.to_frame for c in chunks]),
        mesh=np.concatenate([c.mesh for c in chunks]),
        quality=tuple(q for c in chunks for q in c.quality),
    )


__all__ = ["CROP", "CropSink", "FaceFollower", "follow_faces", "join_crops"]
