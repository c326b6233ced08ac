"""Control clips: real clips of a training set that carry the watermark with another payload.

Were only the fakes of a set marked, a detector would learn the mark. The payload's kind says
``control``, so no reader takes the clip for synthetic. This takes a file and not frames, and
refuses files that carry a synthetic mark: it is no way to write a swap without its marks.
"""

from __future__ import annotations

import shutil
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from forensics.errors import UnreadableInputError, UsageError, printable
from forensics.provenance.aigc import read_aigc
from forensics.provenance.c2pa import read_c2pa, sign_c2pa
from forensics.provenance.keys import SigningIdentity, signing_identity
from forensics.provenance.payload import Payload
from forensics.provenance.watermark import Watermarker, WatermarkReader
from generator._encoder import CODECS, VideoEncoder, pixel_aspect
from generator._stamp import INGREDIENT, PRODUCER, sha256_file
from generator.mark import _output_errors


def write_control_clip(
    source: Path,
    path: Path,
    *,
    size: tuple[int, int] | None = None,
    codec: str = "h264",
    crf: int = 18,
    preset: str = "veryfast",
    identity: SigningIdentity | None = None,
) -> None:
    """Re-encode a real clip exactly as swaps are encoded, with a control watermark.

    Args:
        source: Real clip.
        path: ``.mp4`` to write.
        size: (width, height) to scale to; the clip's own when None.
        codec: A key of `generator.mark.CODECS`.
        crf: Constant rate factor.
        preset: Encoder preset.
        identity: Signing key; the local one when None.

    Raises:
        UsageError: The source carries a synthetic mark, or the output format cannot be written.
        UnreadableInputError: The source cannot be decoded.
        OutputError: The output cannot be written.
    """
    import cv2

    from forensics.media import SamplingPlan, open_clip, stream_frames

    if path.suffix.lower() != ".mp4":
        raise UsageError(f"{printable(path)}: a control clip has to be .mp4")
    if codec not in CODECS:
        raise UsageError(f"codec {codec!r} is unknown; there are: {', '.join(CODECS)}")
    clip = open_clip(source)
    _refuse_declared(source)
    wanted = size if size is not None else clip.size
    mark = Watermarker(Payload("control", id=int(clip.sha256[:8], 16)))
    seen = WatermarkReader()
    with _output_errors(path):
        folder = Path(tempfile.mkdtemp(prefix=".control-", dir=path.parent))
        try:
            encoder = VideoEncoder(
                folder / "v.mp4",
                size=wanted,
                codec=codec,
                crf=crf,
                preset=preset,
                rate=Fraction(clip.fps).limit_denominator(60_000),
                metadata={},
                aspect=pixel_aspect(source),
                audio_from=source,
                audio_offset=None,
            )
            try:
                for frame in stream_frames(clip, SamplingPlan(all=True)):
                    seen.add(frame.image)
                    image: Any = frame.image
                    if wanted != clip.size:
                        image = cv2.resize(image, wanted, interpolation=cv2.INTER_AREA)
                    encoder.write(mark(image), frame.pts)
            except BaseException:
                encoder.abort()
                raise
            encoder.close()
            if seen.result().kind == "synthetic":
                raise UsageError(f"{printable(source)}: carries a synthetic watermark; not real")
            sign_c2pa(
                folder / "v.mp4",
                folder / "s.mp4",
                _manifest(path.name, source),
                identity=identity if identity is not None else signing_identity(),
                ingredient=source,
                ingredient_id=INGREDIENT,
            )
            (folder / "s.mp4").replace(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _refuse_declared(source: Path) -> None:
    """Refuse a file that says of itself that it is synthetic."""
    try:
        labels = read_aigc(source)
    except UnreadableInputError:
        labels = ()
    if labels or read_c2pa(source).declares_ai:
        raise UsageError(f"{printable(source)}: declares itself AI-generated; not a real clip")


def _manifest(title: str, source: Path) -> dict[str, object]:
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": [INGREDIENT]}},
        {"action": "c2pa.transcoded"},
    ]
    return {
        "claim_generator_info": [{"name": f"{PRODUCER}-generator"}],
        "title": title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {
                "label": "org.deepfake-forensics.control",
                "data": {"watermark_kind": "control", "source_sha256": sha256_file(source)},
            },
        ],
    }
