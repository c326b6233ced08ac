"""Swap faces in a clip or photo: look, choose, warp, paint, match, blend, mark, and report.

Pictures leave this module through `generator.mark` only, which cannot write one without its
marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import UnreadableInputError, UsageError
from forensics.media import open_clip
from forensics.types import Clip
from generator.compose import BlendConfig
from generator.consent import HOW_TO, ConsentRecord
from generator.mark import MarkedWriter
from generator.mark_image import write_marked_image
from generator.methods import AlignedFace, Method
from generator.occlude import Occluder
from generator.replace import Replaced, Replacement, replace_faces
from generator.scene import Scene, SceneTrack, look
from generator.trajectory import jitter

Hook = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SwapConfig:
    """What is swapped and how it is laid in.

    Attributes:
        person: Which person of the target, 0 is the most prominent.
        everyone: Every person instead (privacy).
        steadiness: Smoothing of the face's place in time, frames.
        blend: Mask and colours.
        visible_label: Whether the exported clip begins with a label that people can see.
        keep_occluders: Leave what covers a face on top of it, where the method's network or the
            given occluder tells; False swaps straight through it.
        span: Seconds in which faces are replaced; the whole clip when None.
        codec: Of an exported clip, a key of `generator.mark.CODECS`.
        crf: Its constant rate factor.
    """

    person: int = 0
    everyone: bool = False
    steadiness: float = 1.0
    blend: BlendConfig = field(default_factory=BlendConfig)
    visible_label: bool = True
    keep_occluders: bool = True
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
    occluder: Occluder | None = None,
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
        occluder: Put before every chosen face first, so that its mask is known to the pixel.
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
        "occlusion": _occlusion(method, occluder, config),
        "people": scene.people,
        "jitter": {"target": trembling[0], "followed": trembling[1]},
    }
    how = Replacement(config.blend, config.span, occluder, config.keep_occluders)
    frames = replace_faces(clip, chosen, method, how)
    write = _write_photo if clip.kind == "image" else _write_clip
    done = swapped = 0
    for row in write(out, clip, frames, facts, config):
        done += 1
        swapped += bool(row["faces"])
        if hook is not None:
            hook(done, scene.frames)
    return SwapResult(out, done, swapped, scene.people, trembling)


def _write_clip(
    out: Path, clip: Clip, replaced: Iterator[Replaced], facts: dict[str, Any], config: SwapConfig
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
        for one in replaced:
            info = {k: v for k, v in one.row.items() if k != "pts"}
            writer.write(
                one.picture,
                pts=one.row["pts"],
                swap_mask=one.swapped,
                occluder_mask=one.occluder,
                frame_info=info,
            )
            yield one.row


def _write_photo(
    out: Path, clip: Clip, replaced: Iterator[Replaced], facts: dict[str, Any], config: SwapConfig
) -> Iterator[dict[str, Any]]:
    """Write a marked photo."""
    for one in replaced:
        write_marked_image(
            out,
            one.picture,
            sidecar={**facts, "frames": [one.row]},
            source=clip.path,
            swap_mask=one.swapped,
            occluder_mask=one.occluder,
            visible_label=config.visible_label,
        )
        yield one.row


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


def _occlusion(method: Method, occluder: Occluder | None, config: SwapConfig) -> dict[str, Any]:
    """Say what covers the faces, how that is known, and what the swap did about it."""
    known = "prediction" if method.sees_occluders else "none"
    kept = config.keep_occluders and (method.sees_occluders or occluder is not None)
    return {
        "occluder": None if occluder is None else occluder.name,
        "mask_from": known if occluder is None else "ground truth",
        "variant": "kept" if kept else "ignored",
        "kept_by": ("prediction" if method.sees_occluders else "ground truth") if kept else None,
    }


def _trembling(chosen: Sequence[SceneTrack]) -> tuple[float, float]:
    """Jitter of the longest chosen track before and after smoothing."""
    track = max(chosen, key=lambda t: len(t.raw))
    eyes = np.linalg.norm(track.raw[:, 1] - track.raw[:, 0], axis=1)
    return jitter(track.raw, eyes), jitter(track.trajectory.landmarks, eyes)
