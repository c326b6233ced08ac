"""Make one pair of a set: the same footage as a marked real clip and as a labelled fake.

Both go through one chain: cut, scaled, an occluder put before the face if the plan says so, then
watermarked and encoded alike. Only the face differs, so nothing else can tell them apart.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError
from forensics.media import SamplingPlan, open_clip, stream_frames, write_video
from forensics.types import Clip
from generator._encoder import MaskEncoder
from generator._stamp import sha256_file
from generator.consent import load_consent
from generator.faces_of import source_faces
from generator.mark import masks_path
from generator.mark_control import write_control_clip
from generator.methods import create_method, get_method
from generator.occlude import OccluderCompositor, draw_occluder
from generator.scene import look
from generator.sets.plan import Pair
from generator.sets.spec import SetSpec
from generator.swap import SwapConfig, swap

_LOSSLESS = 0

Row = dict[str, Any]


def make_pair(spec: SetSpec, pair: Pair, out: Path) -> list[Row]:
    """Write both clips of a pair below ``out`` and return their manifest rows, real first.

    Args:
        spec: The set.
        pair: What to make.
        out: The set's folder; holds ``real/`` and ``fake/``.

    Raises:
        UnreadableInputError: The footage cannot be decoded or shows no usable face.
        OutputError: A file cannot be written.
    """
    source = open_clip(pair.target.clips[pair.clip])
    real, fake = out / "real" / f"{pair.stem}.mp4", out / "fake" / f"{pair.stem}.mp4"
    with tempfile.TemporaryDirectory(prefix=".pair-", dir=out) as name:
        work = Path(name)
        plain = work / f"{pair.stem}.mp4"
        fps = source.fps or 25.0
        write_video(plain, _segment(source, pair, spec.seconds), fps=fps, crf=_LOSSLESS)
        if pair.occluder is not None:
            covered = work / f"{pair.stem}-covered.mp4"
            _cover(plain, covered, pair, spec.seed, fps, out / "occluders" / f"{pair.stem}.mkv")
            plain = covered
        made = _swap(spec, pair, plain, fake)
        write_control_clip(plain, real, codec=pair.encoding.codec, crf=pair.encoding.crf)
    width = float(open_clip(real).size[0])
    common: Row = {
        "group": f"{pair.target.name}/{pair.clip}",
        "split": pair.split,
        "source": pair.target.source or pair.target.licence,
        "licence": pair.target.licence,
        "pair": pair.number,
        "start": pair.start,
        "codec": pair.encoding.codec,
        "crf": pair.encoding.crf,
        "frame_width": width,
        **({} if pair.occluder is None else {
            "occluder": pair.occluder, "occluder_mask": f"occluders/{pair.stem}.mkv",
        }),
    }  # fmt: skip
    people = sorted({pair.target.name, pair.paints})
    return [
        {"path": f"real/{real.name}", "label": "real", **common, **_frames(real),
         "identity": [pair.target.name]},
        {"path": f"fake/{fake.name}", "label": "fake", **common, **_frames(fake),
         "identity": people, "target": pair.target.name, "paints": pair.paints, **made,
         "mask": f"fake/{masks_path(fake).name}", "segments": [list(pair.span)]},
    ]  # fmt: skip


def _segment(clip: Clip, pair: Pair, seconds: float) -> Iterator[NDArray[np.uint8]]:
    """Yield the pair's pictures, scaled; never enlarged."""
    width, height = clip.size
    wanted = min(pair.encoding.height or height, height)
    size = (2 * round(width * wanted / height / 2), 2 * (wanted // 2))
    end = math.inf
    with stream_frames(clip, SamplingPlan(all=True)) as frames:
        for frame in frames:
            if frame.pts < pair.start - 1e-6:
                continue
            if end == math.inf:  # counted from the first picture, so that all last as long
                end = frame.pts + seconds - 0.5 / (clip.fps or 25.0)
            if frame.pts >= end:
                return
            image = np.asarray(frame.image)
            if size != clip.size:
                image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            yield image


def _cover(plain: Path, covered: Path, pair: Pair, seed: int, fps: float, masks: Path) -> None:
    """Put the pair's occluder before the most prominent face and keep its mask."""
    clip = open_clip(plain)
    tracks = look(clip).of(0)
    if not tracks:
        raise UnreadableInputError(plain, "shows no face to cover")
    compositor = OccluderCompositor(draw_occluder(pair.occluder or "", seed=seed + pair.number))
    masks.parent.mkdir(parents=True, exist_ok=True)
    encoder = MaskEncoder(masks, size=clip.size, rate=Fraction(fps).limit_denominator(60_000))

    def pictures() -> Iterator[NDArray[np.uint8]]:
        with stream_frames(clip, SamplingPlan(all=True)) as frames:
            for frame in frames:
                image, mask = np.asarray(frame.image), None
                for track in tracks:
                    i = track.trajectory.at(frame.pts)
                    if i is not None and np.isfinite(track.trajectory.mesh[i]).all():
                        image, alpha = compositor.apply(image, track.trajectory.mesh[i])
                        mask = (alpha * 255 + 0.5).astype(np.uint8)
                        break
                encoder.write(None, mask, frame.pts)
                yield image

    try:
        write_video(covered, pictures(), fps=fps, crf=_LOSSLESS)
    except BaseException:
        encoder.abort()
        raise
    encoder.close()


def _swap(spec: SetSpec, pair: Pair, plain: Path, fake: Path) -> Row:
    """Write the fake and return what it says of its making."""
    cls = get_method(pair.method.name)
    options = {} if pair.letter is None else {"person": pair.letter}
    # One way for a whole clip, another for the next.
    method = create_method(
        pair.method.name, model=pair.method.model, seed=spec.seed + pair.number, options=options
    )
    people = {person.name: person for person in spec.people}
    painted = people[pair.paints]
    faces = []
    if cls.needs_source:
        for clip in painted.clips:
            faces += source_faces(clip)
    whole = pair.span == (0.0, spec.seconds)
    result = swap(
        plain,
        fake,
        method,
        source=[entry.face for entry in faces],
        source_sha256=sorted({entry.source_sha256 for entry in faces}),
        consent=[load_consent(painted.consent)],
        config=SwapConfig(
            visible_label=False,
            span=None if whole else pair.span,
            codec=pair.encoding.codec,
            crf=pair.encoding.crf,
        ),
    )
    if not result.swapped:
        raise UnreadableInputError(plain, "no frame could be swapped")
    facts = method.describe()
    kept = {k: facts[k] for k in ("model", "model_sha256") if facts.get(k)}
    return {"method": pair.method.name, "swapped_frames": result.swapped, **kept}


def _frames(path: Path) -> Row:
    """Describe a finished clip by its pictures: signatures differ from run to run by nature."""
    digest, count = hashlib.sha256(), 0
    with stream_frames(open_clip(path), SamplingPlan(all=True)) as frames:
        for frame in frames:
            digest.update(np.ascontiguousarray(frame.image).tobytes())
            count += 1
    return {"frames": count, "frames_sha256": digest.hexdigest()}


def content(value: Any) -> Any:
    """Return a specification's value with every path replaced by the content's digest.

    Args:
        value: JSON-ready data that may hold paths of files or folders.

    Raises:
        UnreadableInputError: A path cannot be read.
    """
    if isinstance(value, Path):
        return _digest(value)
    if isinstance(value, dict):
        return {key: content(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [content(item) for item in value]
    return value


def _digest(path: Path) -> str:
    try:
        if path.is_dir():
            # The optimiser's state takes no part in a swap.
            files = sorted(p for p in path.glob("*.safetensors") if p.name[:5] != "state")
            if not files:
                raise UnreadableInputError(path, "holds no weights")
            return " ".join(sha256_file(file) for file in files)
        return sha256_file(path)
    except OSError as error:
        raise UnreadableInputError(path, f"cannot be read: {error.strerror}") from error
