"""Look at every file of a set once: is it there, what is it, what does it look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from forensics.errors import ForensicsError, UnreadableInputError, printable
from forensics.evaluation.lint.findings import Finding, merged
from forensics.evaluation.lint.lookalikes import ClipHash, hash_file
from forensics.evaluation.manifest import Row
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.provenance.aigc import read_aigc
from forensics.types import Clip

Progress = Callable[[int, int], None]
Value = str | float
Features = dict[str, Value]

_FRAMES = 4
_KEPT = 10_000
_MASK_LEVEL = 8
"""Grey level from which a mask's pixel counts: lossy masks are not quite black."""


@dataclass(slots=True)
class Files:
    """What the files are, by line of the manifest.

    Attributes:
        digests: SHA-256 of the file.
        hashes: Perceptual hashes; files without structure are left out.
        codec: How the file is coded.
        size: How large it is, in pixels, bytes and seconds.
        findings: Missing and unreadable files, and labels that the files contradict.
    """

    digests: dict[int, str] = field(default_factory=dict)
    hashes: dict[int, ClipHash] = field(default_factory=dict)
    codec: dict[int, Features] = field(default_factory=dict)
    size: dict[int, Features] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def look_at_files(
    rows: Sequence[Row],
    unlabelled: frozenset[int],
    folder: Path,
    progress: Progress | None = None,
) -> Files:
    """Examine every file and mask.

    Args:
        rows: Rows of the manifest.
        unlabelled: Lines whose label says nothing.
        folder: That the manifest's paths are relative to.
        progress: Called with rows done and rows in all.
    """
    files = Files()
    by_path: dict[Path, list[Row]] = {}
    for row in rows:
        by_path.setdefault(row.resolved, []).append(row)
    done = 0
    for path, same in by_path.items():
        _look(path, same, unlabelled, folder, files)
        done += len(same)
        if progress is not None:
            progress(done, len(rows))
    files.findings += _copies(rows, unlabelled, files.digests)
    return files


def _look(
    path: Path, same: Sequence[Row], unlabelled: frozenset[int], folder: Path, files: Files
) -> None:
    lines = merged(row.line for row in same)

    def complain(code: str, message: str, at: Sequence[int] = lines) -> None:
        files.findings.append(
            Finding(code, severity="refused", message=message, lines=merged(at))
        )

    if not path.exists():
        complain("file_missing", f"{printable(same[0].path)}: no such file")
        return
    try:
        clip, hashes, declared = _facts(path, path.stat().st_mtime_ns)
    except UnreadableInputError as error:
        complain("file_unreadable", f"{printable(same[0].path)}: {error.cause}")
        return
    for row in same:
        files.digests[row.line] = clip.sha256
        files.codec[row.line] = codec_features(clip)
        files.size[row.line] = size_features(clip, row)
        if len(hashes):
            files.hashes[row.line] = hashes
        if row.line in unlabelled:
            continue
        if declared and row.label == "real":
            complain("label_wrong", "labelled real, but declares itself AI-generated", [row.line])
        if row.mask is not None:
            _check_mask(row, folder, complain)


@lru_cache(maxsize=_KEPT)
def _facts(path: Path, changed: int) -> tuple[Clip, ClipHash, bool]:
    """Return what a file is, looks like, and whether it declares itself AI-generated.

    Kept by the time of its last change: a set is often checked again after a row was mended.
    """
    declared = any(reading.label == "1" for reading in read_aigc(path))
    return open_clip(path), hash_file(path, frames=_FRAMES), declared


def _check_mask(row: Row, folder: Path, complain: Callable[..., None]) -> None:
    assert row.mask is not None
    mask = folder / row.mask
    if not mask.exists():
        complain("mask_missing", f"mask {printable(row.mask)}: no such file", [row.line])
        return
    try:
        painted = _painted(mask, mask.stat().st_mtime_ns)
    except UnreadableInputError as error:
        complain("mask_unreadable", f"mask {printable(row.mask)}: {error.cause}", [row.line])
        return
    if row.label == "fake" and not painted:
        complain("label_wrong", "labelled fake, but its mask is empty", [row.line])
    if row.label == "real" and painted:
        complain("label_wrong", "labelled real, but its mask is not empty", [row.line])


@lru_cache(maxsize=_KEPT)
def _painted(mask: Path, changed: int) -> bool:
    """Whether anything in a mask is painted; stops at the first picture that is."""
    with stream_frames(open_clip(mask), SamplingPlan(all=True)) as frames:
        return any(bool((np.asarray(f.image) >= _MASK_LEVEL).any()) for f in frames)


def _copies(
    rows: Sequence[Row], unlabelled: frozenset[int], digests: dict[int, str]
) -> list[Finding]:
    """Return files of the same bytes with different labels."""
    same: dict[str, list[Row]] = {}
    for row in rows:
        if row.line in digests and row.line not in unlabelled:
            same.setdefault(digests[row.line], []).append(row)
    return [
        Finding(
            "label_conflict",
            severity="refused",
            message="the same file under two names is labelled real and fake",
            lines=merged(row.line for row in members),
        )
        for members in same.values()
        if len({row.label for row in members}) > 1 and len({row.path for row in members}) > 1
    ]


def codec_features(clip: Clip) -> Features:
    """Return how a file is coded: nothing that depends on the label in an honest set."""
    pixels = clip.size[0] * clip.size[1] * max(clip.duration * clip.fps, 1.0)
    features: Features = {
        "codec": clip.codec,
        "container": clip.container,
        "sound": "yes" if clip.has_audio else "no",
        "bits per pixel": 8 * clip.bytes / pixels,
    }
    if clip.codec == "jpeg":
        features["JPEG table"] = _jpeg_table(clip.path)
    return features


def _jpeg_table(path: Path) -> float:
    """Return the mean of the luma quantisation table, which the encoder's quality sets."""
    from PIL import Image

    try:
        with Image.open(path, formats=("JPEG",)) as image:
            tables = getattr(image, "quantization", {})
            return float(np.mean(tables[0])) if 0 in tables else 0.0
    except (ForensicsError, OSError, ValueError):
        return 0.0


def size_features(clip: Clip, row: Row) -> Features:
    """Return how large a file is."""
    features: Features = {
        "width": float(clip.size[0]),
        "height": float(clip.size[1]),
        "bytes": float(clip.bytes),
        "seconds": clip.duration,
        "frame rate": clip.fps,
    }
    if row.width is not None:
        features["face width"] = row.width
    return features
