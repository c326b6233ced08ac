"""Stretches of real footage, cut out square around the face: recordings to set beside portraits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces import FaceFinder, FaceMesh
from forensics.faces.align import similarity, template
from forensics.faces.mesh import five_points, mesh_in_crop
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.media.write import write_video
from forensics.training.portraits import ROOM, SIDE, Portrait

LICENCE = "CC BY 4.0, GRID corpus"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive frames of one person.

    Attributes:
        identity: Set and person.
        licence: Licence of the recording.
        fps: Frames per second.
        frames: (384, 384, 3) pictures with their (468, 3) meshes, cut out by one fixed matrix.
    """

    identity: str
    licence: str
    fps: float
    frames: list[tuple[NDArray[np.uint8], NDArray[np.float32]]]


def read_stretches(paths: Sequence[Path], *, count: int, length: int) -> list[Stretch]:
    """Cut ``count`` stretches of ``length`` frames out of each clip.

    A stretch in which a face is lost is left out.
    """
    finder, mesher = FaceFinder(), FaceMesh()
    found: list[Stretch] = []
    for path in paths:
        clip = open_clip(path)
        with stream_frames(clip, SamplingPlan(all=True)) as stream:
            pictures = [np.asarray(frame.image) for frame in stream]
        starts = np.linspace(0, max(len(pictures) - length, 0), count).astype(int)
        for start in dict.fromkeys(int(s) for s in starts):
            part = pictures[start : start + length]
            frames: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
            forward: NDArray[np.float64] | None = None
            for picture in part:
                faces = finder.detect(picture, thorough=False)
                if not faces:
                    break
                mesh, presence = mesher.points(picture, faces[0])
                if presence < 0.8:
                    break
                if forward is None:
                    forward = similarity(five_points(mesh), template(SIDE, ROOM))
                crop = cv2.warpAffine(
                    picture, forward, (SIDE, SIDE), flags=cv2.INTER_CUBIC,
                    borderMode=cv2.BORDER_REFLECT_101,
                )
                back = np.asarray(cv2.invertAffineTransform(forward), np.float64)
                frames.append((np.asarray(crop, np.uint8), mesh_in_crop(mesh, back)))
            if len(frames) == len(part) == length:
                found.append(Stretch(f"grid/{path.stem}", LICENCE, clip.fps or 25.0, frames))
    return found


_COUNT, _LENGTH = 5, 15  # stretches of a clip of the corpus, which together are all of its frames


def read_faces(paths: Sequence[Path]) -> list[Portrait]:
    """Return the frames of clips as portraits to train on.

    A stretch in which a face is lost is left out.
    """
    return [
        Portrait(
            f"{part.identity}/{place}/{number}", part.identity, part.licence, "train", image, mesh
        )
        for place, part in enumerate(read_stretches(paths, count=_COUNT, length=_LENGTH))
        for number, (image, mesh) in enumerate(part.frames)
    ]


_CODINGS = (10, 22, 30, 38)  # CRF: as good as the recording, and as sites code it


def film_again(paths: Sequence[Path], out: Path) -> Path:
    """Code recordings of the corpus as sites would, and return the manifest of the copies.

    Copies that are there already are left alone.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for path in paths:
        clip = open_clip(path)
        copies = {crf: out / f"{path.stem}_{crf}.mp4" for crf in _CODINGS}
        missing = {crf: copy for crf, copy in copies.items() if not copy.exists()}
        if missing:
            with stream_frames(clip, SamplingPlan(all=True)) as stream:
                pictures = [np.asarray(frame.image) for frame in stream]
            for crf, copy in missing.items():
                write_video(copy, pictures, fps=clip.fps or 25.0, crf=crf)
        rows += [
            {"path": copy.name, "label": "real", "group": f"grid/{path.stem}", "source": LICENCE}
            for copy in copies.values()
        ]
    manifest = out / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest
