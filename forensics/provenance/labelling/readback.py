"""Read a labelled file back as a stranger would, before anyone else gets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.provenance.aigc import AigcLabel, read_aigc
from forensics.provenance.burn_in import VisibleLabel
from forensics.provenance.c2pa import read_c2pa
from forensics.provenance.keys import SigningIdentity
from forensics.provenance.payload import Payload
from forensics.provenance.watermark import WatermarkReader
from forensics.types import Clip

SHOWN_SECONDS = 2.0
"""How long the standard wants the visible label."""
LIKENESS = 0.6
"""Least correlation of a frame with the label it should show; unlabelled frames give about 0."""

_FRAMES = 48


def faults(
    path: Path,
    source: Clip,
    *,
    aigc: AigcLabel,
    identity: SigningIdentity,
    payload: Payload | None,
    visible: VisibleLabel | None,
    pictures: int,
) -> Iterator[str]:
    """Yield what is not as it should be; nothing for a good file.

    Args:
        path: The labelled file.
        source: What it was made from.
        aigc: The label it should carry.
        identity: Who should have signed it.
        payload: The watermark it should carry, or None.
        visible: The text it should show, or None.
        pictures: Number of pictures that were encoded; 0 where packets were copied.
    """
    found = read_aigc(path)
    if len(found) != 1 or found[0].problems or found[0].raw != aigc.to_json():
        yield f"its AIGC label does not read back ({len(found)} found)"
    facts = read_c2pa(path, trust_anchors=identity.root_pem or None)
    if facts.integrity != "intact" or facts.signer_trust == "untrusted":
        yield f"its C2PA signature does not hold ({facts.error or ', '.join(facts.codes)})"
    if facts.declares_ai != (aigc.label == "1"):
        yield "its C2PA manifest declares something else than its AIGC label"
    made = open_clip(path)
    yield from _timeline(made, source, pictures)
    if payload is not None and not carries(made, payload):
        yield "its watermark cannot be read; the pictures may be too plain or too small"
    if visible is not None and not _shows(made, visible):
        yield "its visible label cannot be seen for two seconds"


def carries(clip: Clip, payload: Payload) -> bool:
    """Tell whether the clip's pictures carry the watermark."""
    return read_watermark(clip) == payload


def read_watermark(clip: Clip) -> Payload | None:
    """Return the payload that the clip's pictures carry, or None."""
    reader = WatermarkReader()
    with stream_frames(clip, SamplingPlan(frames=_FRAMES)) as frames:
        for frame in frames:
            reader.add(frame.image)
    return reader.result().payload


def _timeline(made: Clip, source: Clip, pictures: int) -> Iterator[str]:
    if made.size != source.size:
        yield f"its pictures are shown at {made.size}, not {source.size}"
    if made.rotation != source.rotation and made.kind == "video":
        yield f"it is turned by {made.rotation} degrees, not {source.rotation}"
    if made.has_audio != source.has_audio:
        yield "its sound is not that of the source"
    if made.kind == "video":
        wanted, found = pictures or _packets(source.path), _packets(made.path)
        if wanted != found:
            yield f"it has {found} pictures, not {wanted}"
        # Some containers (AVI) tell the times of reordered pictures only roughly.
        slack = 4 / (source.fps or 25)
        if source.duration and abs(made.duration - source.duration) > slack:
            yield f"it lasts {made.duration:.3f} s, not {source.duration:.3f} s"


def _packets(path: Path) -> int:
    import av

    with av.open(str(path), metadata_errors="replace") as clip:
        return sum(1 for packet in clip.demux(video=0) if packet.size)


def _shows(clip: Clip, visible: VisibleLabel) -> bool:
    with stream_frames(clip, SamplingPlan(all=True)) as frames:
        for frame in frames:
            if frame.pts > SHOWN_SECONDS:
                break
            if visible.likeness(frame.image) < LIKENESS:
                return False
    return True
