"""Faces of the source person, best first, from photos, a clip, or a face set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forensics.errors import UnreadableInputError
from generator.extract import ExtractConfig, find_faces
from generator.faceset import FaceEntry, read_faceset


def source_faces(path: Path, *, most: int = 32) -> list[FaceEntry]:
    """Return the usable faces at ``path``, the most frontal and sharp ones first.

    Args:
        path: Photo, clip, folder of them, or face set.
        most: At most so many.

    Raises:
        UnreadableInputError: Nothing there can be read or shows a usable face.
    """
    if (path / "index.json").exists():
        entries: Sequence[FaceEntry] = read_faceset(path).faces
    else:
        entries, _ = find_faces([path], ExtractConfig(frames=2 * most, min_eyes=16.0))
    if not entries:
        raise UnreadableInputError(path, "shows no usable face")
    return sorted(entries, key=_unfit)[:most]


def _unfit(entry: FaceEntry) -> float:
    """Small for a frontal, sharp, large face."""
    quality = entry.quality
    return (
        abs(quality.get("yaw", 0.0)) / 15.0
        - quality.get("sharpness", 0.0)
        - float(np.log2(max(quality.get("inter_ocular", 1.0), 1.0))) / 2.0
    )
