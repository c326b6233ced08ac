"""From clips and photos to a face set: find, follow, align, judge, choose, and say what was left.

The faces are cut out wider than the scanner does it, so that a turned or shifted copy still has
picture all around (see `generator.methods.FACE_MARGIN`).
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import ForensicsError, OutputError, UnreadableInputError, UsageError
from forensics.faces.quality import QualityGate
from forensics.faces.track import FaceFollower
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.types import Clip, CropQuality, FaceCrops, FaceTrack
from generator.consent import load_consent
from generator.faceset import CONSENT, MAX_FACES, FaceEntry, FaceSet, write_faceset
from generator.methods import FACE_MARGIN, AlignedFace
from generator.people import MIXED_ABOVE, describe_face, group_tracks, separation

Hook = Callable[[str, int], None]
_PART = ".part"
"""Folder within the set in which it is made, so that a full disk or a kill costs no older set."""


@dataclass(frozen=True, slots=True)
class ExtractConfig:
    """What is taken.

    Attributes:
        frames: At most so many frames of each clip, evenly over its length.
        every: One frame every so many seconds instead.
        person: Which person of a clip, 0 is the most prominent.
        max_faces: At most so many faces in the set, evenly chosen.
        min_eyes: Least distance between the eyes in the original frame, pixels.
        min_sharpness: Least log10 of the Laplacian's variance.
    """

    frames: int = 600
    every: float | None = None
    person: int = 0
    max_faces: int = 1000
    min_eyes: float = 20.0
    min_sharpness: float = 0.6

    def __post_init__(self) -> None:
        if not 1 <= self.max_faces <= MAX_FACES:
            raise UsageError(f"max_faces must be 1..{MAX_FACES}, got {self.max_faces}")
        if self.person < 0:
            raise UsageError(f"person must be >= 0, got {self.person}")

    @property
    def plan(self) -> SamplingPlan:
        """The sampling that follows."""
        if self.every is not None:
            return SamplingPlan(every=self.every)
        return SamplingPlan(frames=self.frames)

    @property
    def gate(self) -> QualityGate:
        """The quality gate that follows."""
        return QualityGate(min_inter_ocular=self.min_eyes, min_sharpness=self.min_sharpness)


@dataclass
class _Found:
    """What one source holds."""

    clip: Clip
    entries: list[FaceEntry] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    people: int = 0
    together: int = 0


def extract(
    sources: Sequence[Path],
    out: Path,
    config: ExtractConfig | None = None,
    *,
    consent: Path | None = None,
    hook: Hook | None = None,
) -> FaceSet:
    """Make a face set of one person.

    Args:
        sources: Clips, photos, or folders of them.
        out: New folder.
        config: What is taken.
        consent: Record that is copied into the set, so that `train` finds it there.
        hook: Called with a source's name and its number of usable faces.

    Returns:
        The set; its ``report`` counts what was rejected and says whether it looks like two people.

    Raises:
        UnreadableInputError: No source could be read, or none shows a usable face.
        OutputError: The folder exists with something else in it, or cannot be written.
        UsageError: The consent record is not valid.
    """
    config = config or ExtractConfig()
    if consent is not None:
        load_consent(consent)
    _refuse_foreign(out)
    entries, report = find_faces(sources, config, hook)
    if not entries:
        counts = ", ".join(f"{code} {n}" for code, n in sorted(report["rejected"].items()))
        raise UnreadableInputError(
            sources[0], f"no usable face found ({counts or 'no face seen at all'})"
        )
    chosen = np.unique(np.linspace(0, len(entries) - 1, min(len(entries), config.max_faces)))
    entries = [entries[int(i)] for i in chosen]
    part = out / _PART
    shutil.rmtree(part, ignore_errors=True)
    try:
        faceset = write_faceset(part, entries, {**report, "kept": len(entries)})
        if consent is not None:
            shutil.copyfile(consent, part / CONSENT)
        _put_in_place(part, out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return replace(faceset, path=out)


def find_faces(
    sources: Sequence[Path], config: ExtractConfig, hook: Hook | None = None
) -> tuple[list[FaceEntry], dict[str, Any]]:
    """Look through clips, photos and folders: the usable faces and the report on all others.

    Raises:
        UnreadableInputError: No source could be read.
    """
    found, failures = [], []
    for path in _files(sources):
        try:
            found.append(_look(path, config))
        except UnreadableInputError as error:
            failures.append(error)
            continue
        if hook is not None:
            hook(path.name, len(found[-1].entries))
    if not found and failures:
        raise failures[0]
    entries = [entry for source in found for entry in source.entries]
    return entries, _report(found, failures, entries)


def _files(sources: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            files += sorted(p for p in source.rglob("*") if p.is_file())
        else:
            files.append(source)
    if not files:
        raise UnreadableInputError(sources[0] if sources else ".", "the folder is empty")
    return files


def _refuse_foreign(out: Path) -> None:
    """A folder that is no face set may hold somebody's work."""
    if out.exists() and not (out / "index.json").exists() and (
        not out.is_dir() or any(entry.name != _PART for entry in out.iterdir())
    ):
        raise OutputError(f"{out}: exists and is no face set; give another --out")


def _put_in_place(part: Path, out: Path) -> None:
    """Take the place of an older set only when the new one is whole."""
    (out / "index.json").unlink(missing_ok=True)
    for name in ("faces", "masks"):
        shutil.rmtree(out / name, ignore_errors=True)
    for entry in sorted(part.iterdir(), key=lambda e: e.name == "index.json"):
        entry.replace(out / entry.name)


def _look(path: Path, config: ExtractConfig) -> _Found:
    """Take the faces of one clip or photo."""
    clip = open_clip(path)
    found = _Found(clip)
    by_track: dict[int, list[FaceEntry]] = {}
    descriptors: dict[int, list[Any]] = {}

    def take(crops: FaceCrops) -> None:
        for i, quality in enumerate(crops.quality):
            found.rejected.update(quality.codes[:1])
            if not np.isfinite(crops.mesh[i]).all():
                continue
            descriptors.setdefault(crops.track_id, []).append(
                describe_face(crops.data[i], crops.mesh[i])
            )
            if quality.usable:
                by_track.setdefault(crops.track_id, []).append(
                    _entry(clip, crops, i, quality)
                )

    follower = FaceFollower(take, gate=config.gate, margin=FACE_MARGIN, look_every=1)
    with stream_frames(clip, config.plan) as frames:
        for frame in frames:
            follower.push(frame)
    tracks = [t for t in follower.close() if t.id in descriptors]
    people = group_tracks(tracks, {k: np.mean(v, axis=0) for k, v in descriptors.items()})
    found.people = len(people)
    found.together = _at_once(tracks)
    if config.person < len(people):
        ids = sorted(t.id for t in people[config.person].tracks)
        found.entries = [entry for i in ids for entry in by_track.get(i, [])]
        for person in people:
            if person is not people[config.person]:
                found.rejected["other_person"] += sum(len(t) for t in person.tracks)
    return found


def _entry(clip: Clip, crops: FaceCrops, i: int, quality: CropQuality) -> FaceEntry:
    return FaceEntry(
        AlignedFace(crops.data[i].copy(), mesh=crops.mesh[i].copy(), pts=float(crops.pts[i])),
        source=clip.path.name,
        source_sha256=clip.sha256,
        track=crops.track_id,
        to_frame=crops.to_frame[i],
        quality={
            "inter_ocular": quality.inter_ocular,
            "sharpness": quality.sharpness,
            "exposure": quality.exposure,
            "yaw": quality.yaw,
            "mesh_confidence": quality.mesh_confidence,
        },
    )


def _at_once(tracks: Sequence[FaceTrack]) -> int:
    """Most faces seen in one frame."""
    times = Counter(float(t) for track in tracks for t in track.pts)
    return max(times.values(), default=0)


def _report(
    found: Sequence[_Found], failures: Sequence[ForensicsError], entries: Sequence[FaceEntry]
) -> dict[str, Any]:
    rejected: Counter[str] = sum((s.rejected for s in found), Counter())
    step = max(1, len(entries) // 400)
    some = entries[::step]
    vectors = [describe_face(e.face.crop, e.face.mesh) for e in some]
    apart, second = separation(np.array(vectors)) if vectors else (0.0, np.zeros(0, bool))
    mixed = apart > MIXED_ABOVE
    examples = sorted({e.source for e, other in zip(some, second, strict=True) if other})
    return {
        "sources": [
            {
                "name": s.clip.path.name,
                "sha256": s.clip.sha256,
                "usable": len(s.entries),
                "people": s.people,
                "faces_at_once": s.together,
            }
            for s in found
        ],
        "unreadable": [str(error) for error in failures],
        "rejected": dict(rejected),
        "identity": {
            "separation": round(apart, 3),
            "threshold": MIXED_ABOVE,
            "two_people_likely": mixed,
            "second_group": int(second.sum()) if mixed else 0,
            "second_group_sources": examples[:10] if mixed else [],
        },
    }
