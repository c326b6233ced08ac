"""For tests, of this package and of plug-ins: made-up crops and clips, and rules for detectors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.detectors import Detector, create_detector
from forensics.media import write_video
from forensics.types import CropQuality, Evidence, FaceCrops

Image = NDArray[np.uint8]

_TOLERANCE = 1e-5  # of logits, absolute and relative, between ways of batching


def _noise(rng: np.random.Generator, height: int, width: int, cells: int = 6) -> Image:
    """A smooth coloured pattern without structure, (height, width, 3)."""
    coarse = rng.uniform(40, 200, (cells, cells, 3)).astype(np.float32)
    fine = rng.normal(0, 4, (height, width, 3))
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + fine, 0, 255).astype(np.uint8)


def make_crops(
    count: int = 6, *, size: int = 256, seed: int = 0, data: Image | None = None
) -> FaceCrops:
    """Make the crops of one track, with noise in place of a face.

    Args:
        count: Number of crops.
        size: Side in pixels.
        seed: Of the pictures.
        data: (count, size, size, 3) RGB ``uint8`` pictures to use instead of noise.

    Returns:
        Crops at 5 pictures a second that pass the quality gate. The mesh points spread over the
        face oval, but not in the order of the mesh model; the smallest crops have none (NaN).
    """
    rng = np.random.default_rng(seed)
    if data is None:
        pictures = [_noise(rng, size, size) for _ in range(count)]
        data = np.stack(pictures) if pictures else np.zeros((0, size, size, 3), np.uint8)
    angle, radius = rng.uniform(0, 2 * np.pi, 468), np.sqrt(rng.uniform(0, 1, 468))
    oval = np.stack([0.5 + 0.33 * radius * np.cos(angle), 0.5 + 0.4 * radius * np.sin(angle),
                     0.2 * radius**2], 1)  # fmt: skip
    mesh = np.full_like(oval, np.nan) if size < 32 else oval * size
    quality = CropQuality(64.0, sharpness=2.0, exposure=0.5, yaw=0.0, mesh_confidence=1.0)
    return FaceCrops(
        3,
        pts=np.arange(count) / 5.0,
        data=data,
        to_frame=np.repeat(np.eye(2, 3)[None], count, axis=0),
        mesh=np.repeat(mesh[None].astype(np.float32), count, axis=0),
        quality=(quality,) * count,
    )


def draw_frames(
    pictures: Sequence[Image] = (),
    *,
    count: int = 12,
    size: tuple[int, int] = (640, 360),
    cuts: int = 0,
    seed: int = 0,
) -> Iterator[Image]:
    """Draw frames in which pictures, such as portraits, drift side by side over a background.

    Args:
        pictures: RGB ``uint8`` pictures, each smaller than its share of the frame's width.
        count: Number of frames.
        size: Width and height in pixels (even).
        cuts: How many times the background changes, evenly spread.
        seed: Of backgrounds and movements.

    Yields:
        (height, width, 3) RGB ``uint8`` frames.

    Raises:
        ValueError: A picture does not fit.
    """
    width, height = size
    slot = width // max(len(pictures), 1)
    if any(p.shape[0] > height or p.shape[1] > slot for p in pictures):
        raise ValueError(f"{len(pictures)} pictures must fit side by side into {width}x{height}")
    rng = np.random.default_rng(seed)
    back, shot = _noise(rng, height, width), 0
    phases = rng.uniform(0, 2 * np.pi, (len(pictures), 2))
    for index in range(count):
        if index * (cuts + 1) // count != shot:
            # An inverted background is a cut by any measure.
            back, shot = 255 - back, shot + 1
        frame = back.copy()
        for number, picture in enumerate(pictures):
            h, w = picture.shape[:2]
            sway = 0.5 + 0.4 * np.sin(index / 5.0 + phases[number])
            left = number * slot + int(sway[0] * (slot - w))
            top = int(sway[1] * (height - h))
            frame[top : top + h, left : left + w] = picture
        yield frame


def make_clip(
    path: Path,
    pictures: Sequence[Image] = (),
    *,
    count: int = 12,
    fps: float = 10.0,
    size: tuple[int, int] = (640, 360),
    cuts: int = 0,
    seed: int = 0,
) -> Path:
    """Write the frames of `draw_frames` as an H.264 clip and return its path.

    Raises:
        ValueError: A picture does not fit.
        OutputError: The file cannot be written.
    """
    frames = draw_frames(pictures, count=count, size=size, cuts=cuts, seed=seed)
    write_video(path, frames, fps=fps)
    return path


def check_detector(detector: str | type[Detector], **parameters: Any) -> None:
    """Check that a detector of face crops, or of bursts, keeps the rules that a scan relies on.

    It must store its constructor parameters under their names as JSON-ready values, give the same
    scores again, also from a rebuilt instance and in other batches (to 1e-5), return an empty list
    for no crops, stay finite on flat, noisy and tiny crops, and return well-formed evidence.

    Args:
        detector: A registered name, or a class decorated with `register_detector`.
        parameters: For its constructor.

    Raises:
        AssertionError: A rule is broken; the message says which, and how.
        UsageError: No detector has this name.
        ModelMissingError: Its weights are missing.
    """
    kind = type(create_detector(detector, **parameters)) if isinstance(detector, str) else detector
    _check_class(kind)
    built = _build(kind, parameters)
    stored = _check_parameters(kind, built, parameters)
    crops = make_crops()
    whole = _logits(built, crops, "six crops")
    _same(whole, _logits(built, crops, "the same crops again"), 0.0, "is not deterministic")
    again = _logits(_build(kind, stored), crops, "six crops, after a rebuild")
    _same(whole, again, 0.0, "scores otherwise when rebuilt from its stored parameters")
    if kind.input == "face_crops":  # bursts come all at once
        parts = [
            _logits(built, crops.select(part), f"crops {part}")
            for part in ([0], [1, 2, 3], [4, 5])
        ]
        joined = {name: np.concatenate([p.get(name, np.zeros(0)) for p in parts]) for name in whole}
        _same(whole, joined, _TOLERANCE, "depends on how crops are batched")
    _need(_score(built, make_crops(0), "no crops") == [], kind, "must return [] for no crops")
    for text, hard in _hard_crops():
        _logits(built, hard, text)


def _need(holds: bool, kind: type[Detector], text: str) -> None:
    if not holds:
        raise AssertionError(f"detector {kind.__name__}: {text}")


def _check_class(kind: type[Detector]) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Detector)):
        raise AssertionError(f"{kind!r} is not a subclass of forensics.Detector")
    _need(kind.name == kind.__name__, kind, "is not registered; use @register_detector(version=..)")
    _need(
        kind.input in ("face_crops", "track"), kind,
        f"reads {kind.input}; only face_crops and track can be checked",
    )  # fmt: skip
    _need(bool(str(kind.version)), kind, "needs a version")
    _need(kind.cost in range(4), kind, f"cost must be 0 to 3, got {kind.cost!r}")
    _need(bool((kind.__doc__ or "").strip()), kind, "needs a docstring: its first line is shown")


def _build(kind: type[Detector], parameters: dict[str, Any]) -> Detector:
    built = kind(**parameters)
    built.load()
    return built


def _check_parameters(
    kind: type[Detector], built: Detector, given: dict[str, Any]
) -> dict[str, Any]:
    """Check that the constructor's parameters can be read back, and return them through JSON."""
    stored = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        _need(not variadic, kind, f"constructor must name its parameters, not take *{name}")
        _need(hasattr(built, name), kind, f"must store its parameter {name!r} as an attribute")
        stored[name] = getattr(built, name)
        meant = given.get(name, parameter.default)
        _need(stored[name] == meant, kind, f"changed its parameter {name!r} to {stored[name]!r}")
    try:
        text = json.dumps({"parameters": stored, "card": built.card()}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"detector {kind.__name__}: parameters and card must be JSON-ready ({error})"
        ) from error
    back: dict[str, Any] = json.loads(text)["parameters"]
    return back


def _hard_crops() -> Iterator[tuple[str, FaceCrops]]:
    rng = np.random.default_rng(1)
    for size in (256, 8):
        shape = (3, size, size, 3)
        for text, data in (
            ("black", np.zeros(shape, np.uint8)),
            ("white", np.full(shape, 255, np.uint8)),
            ("random", rng.integers(0, 256, shape, dtype=np.uint8)),
        ):
            yield f"{text} crops of {size} px", make_crops(3, size=size, data=data)


def _score(detector: Detector, crops: FaceCrops, text: str) -> list[Evidence]:
    kind = type(detector)
    try:
        with np.errstate(invalid="ignore", divide="ignore"):
            found = detector.score(crops)
    except Exception as error:
        raise AssertionError(f"detector {kind.__name__}: fails on {text}: {error!r}") from error
    _need(isinstance(found, list), kind, f"must return a list, got {type(found).__name__}")
    for item in found:
        _need(isinstance(item, Evidence), kind, f"must return Evidence, got {type(item).__name__}")
        _check_evidence(kind, item, crops, text)
    return found


def _check_evidence(kind: type[Detector], item: Evidence, crops: FaceCrops, text: str) -> None:
    _need(item.source == kind.name, kind, f"evidence.source must be its name, got {item.source!r}")
    _need(bool(item.kind), kind, "evidence.kind must say what was measured")
    _need(item.llr is None, kind, "must leave evidence.llr to the calibration")
    _need(item.track_id == crops.track_id, kind, f"evidence.track_id must be {crops.track_id}")
    low, high = item.span
    inside = crops.pts[0] <= low <= high <= crops.pts[-1] if len(crops) else True
    _need(inside, kind, f"evidence.span {item.span} reaches beyond the crops (on {text})")
    try:
        json.dumps(dict(item.values), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"detector {kind.__name__}: evidence.values must be JSON-ready ({error}; on {text})"
        ) from error
    if "logits" not in item.artifacts:
        return
    logits = np.asarray(item.artifacts["logits"])
    pts = np.asarray(item.artifacts.get("pts", ()))
    _need(logits.ndim == 1, kind, f"logits must be (n,), got {logits.shape} (on {text})")
    _need(bool(np.isfinite(logits).all()), kind, f"logits are not finite on {text}")
    _need(
        pts.shape == logits.shape and bool(np.isin(pts, crops.pts).all()),
        kind, f"artifacts['pts'] must give the time of the crop of each logit (on {text})",
    )  # fmt: skip
    if "region" in item.artifacts:
        region = np.asarray(item.artifacts["region"])
        fits = region.ndim == 3 and len(region) == len(logits)
        _need(fits, kind, f"region must be (n, h, w), got {region.shape} (on {text})")
        sane = bool(np.isfinite(region).all() and (region >= 0).all() and (region <= 1).all())
        _need(sane, kind, f"region must lie within 0..1 (on {text})")


def _logits(detector: Detector, crops: FaceCrops, text: str) -> dict[str, NDArray[np.float64]]:
    """Score, check the evidence, and return its logits by kind."""
    parts: dict[str, list[NDArray[Any]]] = {}
    for item in _score(detector, crops, text):
        if "logits" in item.artifacts:
            parts.setdefault(f"{type(detector).__name__}.{item.kind}", []).append(
                np.asarray(item.artifacts["logits"], np.float64)
            )
    return {name: np.concatenate(values) for name, values in parts.items()}


def _same(
    first: dict[str, NDArray[np.float64]],
    second: dict[str, NDArray[np.float64]],
    tolerance: float,
    text: str,
) -> None:
    if first.keys() != second.keys():
        raise AssertionError(f"kinds of evidence differ, {sorted(first)} and {sorted(second)}")
    for name, values in first.items():
        other = second[name]
        if values.shape != other.shape:
            raise AssertionError(f"{name} {text}: {values.shape} and {other.shape} logits")
        if not np.allclose(values, other, rtol=tolerance, atol=tolerance):
            gap = float(np.abs(values - other).max())
            raise AssertionError(f"{name} {text}: logits differ by up to {gap:.3g}")
