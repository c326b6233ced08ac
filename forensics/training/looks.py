"""Look at labelled clips once as a scan does, and keep the crops, so that detectors can change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors import Detector
from forensics.engines.ledger import Face, Ledger
from forensics.errors import UnreadableInputError
from forensics.faces import FaceFinder, FaceFollower, FaceMesh
from forensics.faces.track import join_crops
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.types import CropQuality, FaceCrops
from forensics.verdict.calibration import Context

_QUALITY = (
    "inter_ocular", "sharpness", "exposure", "yaw", "mesh_confidence", "occlusion", "grain",
)
Models = tuple[FaceFinder, FaceMesh]


@dataclass(frozen=True, slots=True)
class Look:
    """The most visible face of one clip.

    Attributes:
        crops: Its usable crops.
        bursts: Its bursts, one after the other, or None.
    """

    crops: FaceCrops
    bursts: FaceCrops | None


def look(path: Path, models: Models, *, frames: int = 32, bursts: int = 4) -> Look | None:
    """Follow the faces of a clip and return the one with most usable crops, None without any.

    Raises:
        UnreadableInputError: The file cannot be read.
    """
    usable: dict[int, list[FaceCrops]] = {}
    moving: dict[int, list[FaceCrops]] = {}

    def take(crops: FaceCrops) -> None:
        chosen = crops.select([q.usable for q in crops.quality])
        if len(chosen):
            usable.setdefault(crops.track_id, []).append(chosen)

    def take_burst(crops: FaceCrops) -> None:
        moving.setdefault(crops.track_id, []).append(crops)

    follower = FaceFollower(take, finder=models[0], mesh=models[1], bursts=take_burst)
    with stream_frames(open_clip(path), SamplingPlan(frames=frames, bursts=bursts)) as stream:
        for frame in stream:
            follower.push(frame)
    follower.close()
    if not usable:
        return None
    best = max(usable, key=lambda track: sum(map(len, usable[track])))
    parts = moving.get(best)
    return Look(join_crops(usable[best]), join_crops(parts) if parts else None)


def stored_look(
    path: Path, models: Models, store: Path, *, frames: int, bursts: int
) -> Look | None:
    """Return the look at a clip from ``store``, looking at it first where it is missing.

    An unreadable clip counts as one without a usable face.
    """
    kept = _place(path, store, frames, bursts)
    if kept.exists():
        with np.load(kept) as arrays:
            return _unpack(dict(arrays))
    try:
        found = look(path, models, frames=frames, bursts=bursts)
    except UnreadableInputError:
        found = None
    part = kept.with_suffix(".part.npz")
    packed: dict[str, Any] = {} if found is None else _pack(found)
    np.savez(part, **packed)
    part.replace(kept)
    return found


def _place(path: Path, store: Path, frames: int, bursts: int) -> Path:
    key = hashlib.sha256(f"{path.name} {path.stat().st_size} {frames} {bursts}".encode())
    return store / f"{path.stem[:60]}-{key.hexdigest()[:12]}.npz"


def stored_measure(
    path: Path, models: Models, store: Path, detectors: Sequence[Detector], *, frames: int,
    bursts: int,
) -> tuple[dict[str, NDArray[np.float64]], Context] | None:
    """Return what `measure` says of a clip, from ``store`` where these detectors said it before.

    A detector's scores are kept by its version and weights, so that new weights are measured
    anew and nothing else is.
    """
    place = _place(path, store, frames, bursts)
    if place.exists() and place.stat().st_size < _EMPTY:
        return None
    logits: dict[str, NDArray[np.float64]] = {}
    missing = []
    for detector in detectors:
        kept = place.with_suffix(f".{_mark(detector)}.npy")
        if kept.exists():
            logits[detector.name] = np.load(kept)
        else:
            missing.append(detector)
    context_at = place.with_suffix(".context.npy")
    if missing or not context_at.exists():
        found = stored_look(path, models, store, frames=frames, bursts=bursts)
        if found is None:
            return None
        new, context = measure(found, missing)
        np.save(context_at, np.array([context.grain]))
        for detector in missing:
            values = new.get(detector.name, np.zeros(0))
            np.save(place.with_suffix(f".{_mark(detector)}.npy"), values)
            logits[detector.name] = values
    ordered = {d.name: logits[d.name] for d in detectors if len(logits[d.name])}
    return ordered, Context(float(np.load(context_at)[0]))


def stills_of(found: Look, detector: Detector) -> NDArray[np.float64]:
    """Return the logits of single pictures of a look, three apart, measured as stills are."""
    count = len(found.crops)
    chosen = {int(place) for place in np.linspace(0, count - 1, 3)}
    one = found.crops.select([place in chosen for place in range(count)])
    parts = [
        np.asarray(item.artifacts["logits"], np.float64)
        for item in detector.score_still(one) if len(item.artifacts.get("logits", ()))
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def stored_stills(
    path: Path, models: Models, store: Path, detector: Detector, *, frames: int, bursts: int
) -> NDArray[np.float64]:
    """Return `stills_of` a clip that has a usable face, from ``store`` where it was measured."""
    kept = _place(path, store, frames, bursts).with_suffix(f".still-{_mark(detector)}.npy")
    if not kept.exists():
        found = stored_look(path, models, store, frames=frames, bursts=bursts)
        np.save(kept, np.zeros(0) if found is None else stills_of(found, detector))
    return np.asarray(np.load(kept), np.float64)


_EMPTY = 100  # bytes of an archive that holds nothing, and a little more


def _mark(detector: Detector) -> str:
    return f"{detector.name}-{detector.version}-{str(detector.card().get('sha256', ''))[:8]}"


def _pack(found: Look) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, crops in (("crops", found.crops), ("bursts", found.bursts)):
        if crops is None:
            continue
        quality = np.array([[getattr(q, key) for key in _QUALITY] for q in crops.quality])
        arrays |= {
            f"{name}_pts": crops.pts, f"{name}_data": crops.data, f"{name}_mesh": crops.mesh,
            f"{name}_to_frame": crops.to_frame, f"{name}_quality": quality,
        }  # fmt: skip
    return arrays


def _unpack(arrays: dict[str, NDArray[Any]]) -> Look | None:
    made: dict[str, FaceCrops] = {}
    for name in ("crops", "bursts"):
        if f"{name}_pts" not in arrays:
            continue
        quality = tuple(
            _quality(row) for row in np.asarray(arrays[f"{name}_quality"], np.float64)
        )
        made[name] = FaceCrops(
            0,
            pts=np.asarray(arrays[f"{name}_pts"], np.float64),
            data=np.asarray(arrays[f"{name}_data"], np.uint8),
            to_frame=np.asarray(arrays[f"{name}_to_frame"], np.float64),
            mesh=np.asarray(arrays[f"{name}_mesh"], np.float32),
            quality=quality,
        )
    return Look(made["crops"], made.get("bursts")) if "crops" in made else None


def _quality(row: NDArray[np.float64]) -> CropQuality:
    values: dict[str, Any] = dict(zip(_QUALITY, map(float, row), strict=True))
    return CropQuality(**values)


def measure(
    found: Look, detectors: Sequence[Detector]
) -> tuple[dict[str, NDArray[np.float64]], Context]:
    """Return the logits of each detector on a look, and its picture quality."""
    ledger = Ledger(detectors, whole=True)
    ledger.take(found.crops)
    if found.bursts is not None:
        ledger.take_burst(
            FaceCrops(
                found.crops.track_id, pts=found.bursts.pts, data=found.bursts.data,
                to_frame=found.bursts.to_frame, mesh=found.bursts.mesh,
                quality=found.bursts.quality,
            )
        )
    ledger.finish()
    face: Face = ledger.faces[found.crops.track_id]
    return face.measured(), face.context()
