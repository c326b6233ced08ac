"""Swap faces in a clip or photo: look, choose, warp, paint, match, blend, mark, and report.

Pictures leave this module through `generator.mark` only, which cannot write one without its
marks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError, UsageError
from forensics.faces.align import align_face
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.types import Clip, Frame
from generator.compose import BlendConfig, ColourMatch, paste, soften
from generator.consent import HOW_TO, ConsentRecord
from generator.mark import MarkedWriter
from generator.mark_image import write_marked_image
from generator.methods import FACE_MARGIN, AlignedFace, Method, SwappedFace
from generator.scene import Scene, SceneTrack, look
from generator.trajectory import jitter

_GROUP = 8  # frames whose faces go through a network together

Hook = Callable[[int, int], None]
Composed = Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], dict[str, Any]]]
"""Frames with their faces replaced, their swap masks, and their sidecar rows."""


@dataclass(frozen=True, slots=True)
class SwapConfig:
    """What is swapped and how it is laid in.

    Attributes:
        person: Which person of the target, 0 is the most prominent.
        everyone: Every person instead (privacy).
        steadiness: Smoothing of the face's place in time, frames.
        blend: Mask and colours.
        visible_label: Whether the exported clip begins with a label that people can see.
        span: Seconds in which faces are replaced; the whole clip when None.
        codec: Of an exported clip, a key of `generator.mark.CODECS`.
        crf: Its constant rate factor.
    """

    person: int = 0
    everyone: bool = False
    steadiness: float = 1.0
    blend: BlendConfig = field(default_factory=BlendConfig)
    visible_label: bool = True
    span: tuple[float, float] | None = None
    codec: str = "h264"
    crf: int = 18


@dataclass(frozen=True, slots=True)
class SwapResult:
    """What was done.

    Attributes:
        out: The marked clip or photo.
        frames: Frames written.
        swapped: Frames in which at least one face was replaced.
        people: People found in the target.
        jitter: Trembling of the target's own landmarks and of the ones the faces follow.
    """

    out: Path
    frames: int
    swapped: int
    people: int
    jitter: tuple[float, float]


def swap(
    target: Path,
    out: Path,
    method: Method,
    *,
    source: Sequence[AlignedFace] = (),
    source_sha256: Sequence[str] = (),
    consent: Sequence[ConsentRecord] = (),
    config: SwapConfig | None = None,
    hook: Hook | None = None,
) -> SwapResult:
    """Replace faces in a clip or photo.

    Args:
        target: Clip or photo.
        out: File to write; its sidecar and masks go beside it.
        method: A loaded method, see `generator.methods.create_method`.
        source: Faces of the source person, for methods that need them.
        source_sha256: Digests of the files they come from.
        consent: Records of the people whose faces are used.
        config: What is swapped.
        hook: Called with (frames done, frames in all).

    Raises:
        UsageError: No source where the method needs one, no consent, no such person.
        UnreadableInputError: The target cannot be decoded or shows no usable face.
        OutputError: The output cannot be written.
    """
    config = config or SwapConfig()
    clip = open_clip(target)
    if out.exists() and out.resolve() == target.resolve():
        raise UsageError(f"{out}: is the target itself")
    if method.needs_source:
        if not source:
            raise UsageError(f"method {method.name!r} needs a source face: give --source")
        if not consent:
            raise UsageError(f"no consent record was given; {HOW_TO}")
        method.prepare(source)
    scene = look(clip, steadiness=config.steadiness)
    chosen = _choose(clip, scene, config)
    trembling = _trembling(chosen)
    facts = {
        **_facts(clip, method, source_sha256, consent, config),
        "people": scene.people,
        "jitter": {"target": trembling[0], "followed": trembling[1]},
    }
    composed = _composed(clip, chosen, method, config)
    write = _write_photo if clip.kind == "image" else _write_clip
    done = swapped = 0
    for row in write(out, clip, composed, facts, config):
        done += 1
        swapped += bool(row["faces"])
        if hook is not None:
            hook(done, scene.frames)
    return SwapResult(out, done, swapped, scene.people, trembling)


def _write_clip(
    out: Path, clip: Clip, composed: Composed, facts: dict[str, Any], config: SwapConfig
) -> Iterator[dict[str, Any]]:
    """Write a marked clip with the target's times, sound and rotation; yield each frame's row."""
    with MarkedWriter(
        out,
        size=clip.size,
        fps=clip.fps or 25.0,
        sidecar=facts,
        source=clip.path,
        audio_from=clip.path if clip.has_audio else None,
        rotation=clip.rotation,
        visible_label=config.visible_label,
        codec=config.codec,
        crf=config.crf,
    ) as writer:
        for picture, mask, row in composed:
            info = {k: v for k, v in row.items() if k != "pts"}
            writer.write(picture, pts=row["pts"], swap_mask=mask, frame_info=info)
            yield row


def _write_photo(
    out: Path, clip: Clip, composed: Composed, facts: dict[str, Any], config: SwapConfig
) -> Iterator[dict[str, Any]]:
    """Write a marked photo."""
    for picture, mask, row in composed:
        write_marked_image(
            out,
            picture,
            sidecar={**facts, "frames": [row]},
            source=clip.path,
            swap_mask=mask,
            visible_label=config.visible_label,
        )
        yield row


def _choose(clip: Clip, scene: Scene, config: SwapConfig) -> list[SceneTrack]:
    """Tracks to replace; refuses when there is nothing to do."""
    if not scene.tracks:
        raise UnreadableInputError(clip.path, "shows no face")
    if not config.everyone and not 0 <= config.person < scene.people:
        raise UsageError(
            f"{clip.path}: person {config.person} was asked for, but 0 to {scene.people - 1} "
            "are there"
        )
    chosen = scene.of(None if config.everyone else config.person)
    if not any(t.trajectory.usable.any() for t in chosen):
        codes = sorted({r for t in chosen for r in t.trajectory.reasons if r})
        raise UnreadableInputError(clip.path, f"shows no usable face ({', '.join(codes)})")
    return chosen


def _composed(
    clip: Clip, chosen: Sequence[SceneTrack], method: Method, config: SwapConfig
) -> Composed:
    """Second pass: yield every frame with its faces replaced, its swap mask and its sidecar row."""
    blend = config.blend
    colours = {t.trajectory.track_id: ColourMatch(strength=blend.colour) for t in chosen}
    begin, end = config.span or (-math.inf, math.inf)
    with stream_frames(clip, SamplingPlan(all=True)) as frames:
        for group in _grouped(frames):
            jobs = [_cut(f, chosen) if begin <= f.pts < end else [] for f in group]
            made = iter(method.swap_faces([face for job in jobs for _, face, _ in job]))
            for frame, job in zip(group, jobs, strict=True):
                picture = np.array(frame.image)
                canvas = np.zeros(picture.shape[:2], np.float32)
                rows = []
                for track, face, to_frame in job:
                    finished = _finish(next(made), face, colours[track], blend)
                    paste(picture, canvas, finished, to_frame)
                    rows.append({"track": track, "to_frame": to_frame.round(5).tolist()})
                row = {
                    "pts": frame.pts,
                    "label": method.label if rows else "pass-through",
                    "faces": rows,
                }
                if not rows:
                    inside = begin <= frame.pts < end
                    row["reason"] = _why_not(frame, chosen) if inside else "outside_span"
                yield picture, (canvas * 255.0 + 0.5).astype(np.uint8), row


def _grouped(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _cut(
    frame: Frame, chosen: Sequence[SceneTrack]
) -> list[tuple[int, AlignedFace, NDArray[np.float64]]]:
    """Cut the chosen faces out of one frame: track, face, and matrix back to the frame."""
    faces = []
    for track in chosen:
        path = track.trajectory
        i = path.at(frame.pts)
        if i is None or not path.usable[i]:
            continue
        crop, to_frame = align_face(frame.image, path.landmarks[i], margin=FACE_MARGIN)
        inverse = np.linalg.inv(to_frame[:, :2])
        mesh = path.mesh[i].copy()
        mesh[:, :2] = (mesh[:, :2] - to_frame[:, 2]) @ inverse.T
        mesh[:, 2] *= np.sqrt(abs(np.linalg.det(inverse)))
        face = AlignedFace(crop, mesh=mesh.astype(np.float32), pts=frame.pts)
        faces.append((path.track_id, face, to_frame))
    return faces


def _finish(
    made: SwappedFace, face: AlignedFace, colour: ColourMatch, blend: BlendConfig
) -> SwappedFace:
    if made.finished:
        return made
    matched = colour.apply(made.face, face.crop, made.mask)
    return SwappedFace(matched, mask=soften(made.mask, blend), finished=True)


def _why_not(frame: Frame, chosen: Sequence[SceneTrack]) -> str:
    for track in chosen:
        i = track.trajectory.at(frame.pts)
        if i is not None:
            return track.trajectory.reasons[i] or "no_mesh"
    return "no_face"


def _facts(
    clip: Clip,
    method: Method,
    source_sha256: Sequence[str],
    consent: Sequence[ConsentRecord],
    config: SwapConfig,
) -> dict[str, Any]:
    # Texts on the top level also go into the signed manifest.
    facts = {k: v for k, v in method.describe().items() if v is not None}
    if consent:
        facts["consent_sha256"] = " ".join(r.sha256 for r in consent)
    if source_sha256:
        facts["source_sha256"] = list(source_sha256)
    return {
        **facts,
        "target": {"name": clip.path.name, "sha256": clip.sha256},
        "settings": asdict(config),
    }


def _trembling(chosen: Sequence[SceneTrack]) -> tuple[float, float]:
    """Jitter of the longest chosen track before and after smoothing."""
    track = max(chosen, key=lambda t: len(t.raw))
    eyes = np.linalg.norm(track.raw[:, 1] - track.raw[:, 0], axis=1)
    return jitter(track.raw, eyes), jitter(track.trajectory.landmarks, eyes)


