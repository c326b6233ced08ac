"""Write the marks of a clip, all but the signature; sound, times and rotation are kept."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import UsageError, printable
from forensics.media import SamplingPlan, stream_frames
from forensics.media.encode import CODECS, Colour, VideoEncoder, pixel_aspect
from forensics.media.remux import container_tags, remux
from forensics.media.rotation import set_rotation
from forensics.provenance.burn_in import SECONDS, VisibleLabel
from forensics.provenance.labelling.plan import LabelPlan
from forensics.provenance.payload import Payload
from forensics.provenance.watermark import Watermarker
from forensics.types import Clip

SUFFIXES = frozenset({".mp4", ".mov", ".m4v"})
"""Clips that can be written: those that can hold every mark."""

_CODEC_NAMES = {"hevc": "h265"}
_UNKNOWN = 2  # "unspecified" in H.273


def write_moving(
    clip: Clip,
    plain: Path,
    plan: LabelPlan,
    *,
    payload: Payload | None,
    visible: VisibleLabel | None,
    on_frame: Callable[[float], None] | None = None,
) -> tuple[str, ...]:
    """Write the clip with its marks.

    Args:
        clip: The clip to be labelled.
        plain: Where the result goes.
        plan: What to say.
        payload: Watermark to put in, or None.
        visible: Text to burn into the first seconds, or None.
        on_frame: Called with the time of each picture.

    Returns:
        What could not be kept, one line each.

    Raises:
        UsageError: The pictures would lose what makes them up (HDR), or a codec does not fit.
        UnreadableInputError: The clip cannot be decoded.
    """
    tags = container_tags(clip.path) | {"AIGC": plan.aigc(clip.sha256).to_json()}
    if payload is None and visible is None:
        return remux(clip.path, plain, tags)
    colour, notes = _survey(clip)
    width, height = clip.size
    encoder = VideoEncoder(
        plain,
        size=(height, width) if clip.rotation in (90, 270) else (width, height),
        codec=_codec(clip.codec),
        crf=plan.crf,
        preset="medium",
        rate=Fraction(clip.fps or 25).limit_denominator(60_000),
        metadata=tags,
        aspect=pixel_aspect(clip.path),
        audio_from=clip.path,
        audio_offset=None,
        colour=colour,
    )
    mark = Watermarker(payload) if payload is not None else None
    try:
        with stream_frames(clip, SamplingPlan(all=True)) as frames:
            for frame in frames:
                rgb = frame.image
                if visible is not None and frame.pts < SECONDS:
                    rgb = visible.draw(rgb)
                if mark is not None:
                    rgb = mark(np.ascontiguousarray(rgb))
                # Coded pictures are turned back; the header's rotation makes players undo it.
                encoder.write(np.rot90(rgb, k=clip.rotation // 90), frame.pts)
                if on_frame is not None:
                    on_frame(frame.pts)
            notes += frames.warnings
    except BaseException:
        encoder.abort()
        raise
    encoder.close()
    set_rotation(plain, clip.rotation)
    return tuple(notes)


def _codec(name: str) -> str:
    """Return the codec to encode with: the clip's own where there is an encoder for it."""
    own = _CODEC_NAMES.get(name, name)
    return own if own in CODECS else "h264"


def _survey(clip: Clip) -> tuple[Colour | None, list[str]]:
    """Return how the clip codes colours, and which of its streams an encoding cannot keep."""
    import av

    notes = []
    with av.open(str(clip.path), metadata_errors="replace") as container:
        context: Any = container.streams.video[0].codec_context
        seen = Colour(
            int(context.colorspace or _UNKNOWN),
            primaries=int(context.color_primaries or _UNKNOWN),
            transfer=int(context.color_trc or _UNKNOWN),
            range=int(context.color_range or 0),
        )
        sounds = len(container.streams.audio)
        if sounds > 1:
            notes.append(f"1 of {sounds} sound streams is kept")
        if others := len(container.streams) - sounds - 1:
            notes.append(f"{others} other streams are not kept")
    if seen.high_dynamic_range:
        raise UsageError(
            f"{printable(clip.path)}: high dynamic range would be lost in new pictures; label "
            "it with --no-visible --no-watermark"
        )
    # What is not said stays unsaid: decoding and encoding then guess alike.
    return (None if seen.matrix == _UNKNOWN else seen), notes
