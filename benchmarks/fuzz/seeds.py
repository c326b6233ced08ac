"""Small files of every kind that the auditor's parsers know, with every mark they can carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from PIL import Image

from forensics.media import write_video
from forensics.provenance.aigc import AigcLabel
from forensics.provenance.c2pa import SOURCE_TYPES
from forensics.provenance.keys import SigningIdentity
from forensics.provenance.labelling import LabelPlan, label_file
from forensics.provenance.xmp import make_xmp
from forensics.testing import draw_frames

KINDS = ("mp4", "mkv", "avi", "jpg", "png", "webp")
_LABEL = AigcLabel("1", producer="Svc", produce_id="42").to_json()


def write_seeds(folder: Path, identity: SigningIdentity) -> dict[str, bytes]:
    """Write one file of each kind and return their bytes."""
    frames = list(draw_frames(count=8, size=(96, 64), seed=3))
    plain = LabelPlan(visible=False, watermark=False)
    write_video(folder / "plain.mp4", frames, fps=8)
    label_file(folder / "plain.mp4", folder / "seed.mp4", plain, identity=identity)
    _encode(frames, folder / "seed.mkv")
    _encode(frames, folder / "seed.avi")
    _add_info(folder / "seed.avi")
    still = Image.fromarray(frames[0])
    for kind in ("jpg", "png"):
        still.save(folder / f"plain.{kind}")
        label_file(folder / f"plain.{kind}", folder / f"seed.{kind}", plain, identity=identity)
    xmp = make_xmp(_LABEL, SOURCE_TYPES + "trainedAlgorithmicMedia", "seed")
    exif = still.getexif()
    exif[0x010F] = "Camera"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + _LABEL.encode()
    still.save(folder / "seed.webp", xmp=xmp, exif=exif)
    return {kind: (folder / f"seed.{kind}").read_bytes() for kind in KINDS}


def _encode(frames: list[Any], target: Path) -> None:
    with av.open(str(target), "w") as out:
        out.metadata["AIGC"] = _LABEL
        stream: Any = out.add_stream("mpeg4", rate=8)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


def _add_info(path: Path) -> None:
    """Add ``LIST INFO`` with the label: FFmpeg writes no chunk that it does not know."""
    text = _LABEL.encode() + b"\0" * (len(_LABEL) % 2)
    chunk = b"AIGC" + len(_LABEL).to_bytes(4, "little") + text
    raw = path.read_bytes() + b"LIST" + (len(chunk) + 4).to_bytes(4, "little") + b"INFO" + chunk
    path.write_bytes(raw[:4] + (len(raw) - 8).to_bytes(4, "little") + raw[8:])
