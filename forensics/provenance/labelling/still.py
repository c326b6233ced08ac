"""Write the marks of a still picture, all but the signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError, UsageError, printable
from forensics.provenance.burn_in import VisibleLabel
from forensics.provenance.labelling.packet import add_to_xmp
from forensics.provenance.labelling.plan import LabelPlan
from forensics.provenance.labelling.segments import splice_jpeg, splice_png
from forensics.provenance.payload import Payload
from forensics.provenance.watermark import Watermarker
from forensics.types import Clip

FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
}
"""Suffixes that can be written, with the options of Pillow."""

_SPLICE = {"PNG": splice_png, "JPEG": splice_jpeg}
_ORIENTATION = 0x0112
_EIGHT_BIT = frozenset({"L", "LA", "P", "PA", "RGB", "RGBA", "1", "CMYK", "YCbCr"})


def write_still(
    clip: Clip,
    plain: Path,
    plan: LabelPlan,
    *,
    payload: Payload | None,
    visible: VisibleLabel | None,
) -> tuple[str, ...]:
    """Write the picture with its marks.

    Args:
        clip: The picture to be labelled.
        plain: Where the result goes; its suffix chooses the format.
        plan: What to say.
        payload: Watermark to put in, or None.
        visible: Text to burn in, or None.

    Returns:
        What could not be kept, one line each.

    Raises:
        UsageError: The picture cannot be written without a loss.
        UnreadableInputError: It cannot be decoded.
    """
    from PIL import Image, UnidentifiedImageError

    options = FORMATS[plain.suffix.lower()]
    aigc = plan.aigc(clip.sha256).to_json()
    try:
        with Image.open(clip.path) as image:
            image.load()
            old = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
            packet = add_to_xmp(_bytes(old), aigc, plan.source_uri)
            if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
                raise ValueError("is an animation")
            if payload is None and visible is None:
                if image.format != options["format"]:
                    raise ValueError(f"is {image.format}; without new pixels it has to stay so")
                plain.write_bytes(_SPLICE[options["format"]](clip.path.read_bytes(), packet))
                return ()
            return _redraw(image, plain, packet, options, payload, visible)
    except ValueError as error:
        raise UsageError(f"{printable(clip.path)}: cannot be labelled: {error}") from error
    except (UnidentifiedImageError, SyntaxError, EOFError) as error:
        raise UnreadableInputError(clip.path, f"cannot be decoded ({error})") from error


def _redraw(
    image: Any,
    plain: Path,
    packet: bytes,
    options: dict[str, Any],
    payload: Payload | None,
    visible: VisibleLabel | None,
) -> tuple[str, ...]:
    from PIL import Image, ImageOps

    if image.mode not in _EIGHT_BIT:
        raise ValueError(f"its pixels ({image.mode}) have more than 8 bits, which would be lost")
    notes = []
    upright = ImageOps.exif_transpose(image)
    exif = image.getexif()
    exif.pop(_ORIENTATION, None)  # the pixels are turned instead
    alpha = None
    if upright.mode in ("LA", "PA", "RGBA") or "transparency" in upright.info:
        alpha = np.asarray(upright.convert("RGBA"), np.uint8)[..., 3:]
    rgb: NDArray[np.uint8] = np.array(upright.convert("RGB"), np.uint8)
    if visible is not None:
        rgb = visible.draw(rgb)
    if payload is not None:
        rgb = Watermarker(payload)(np.ascontiguousarray(rgb))
    if alpha is not None and options["format"] == "PNG":
        rgb = np.concatenate([rgb, alpha], axis=2)
    elif alpha is not None:
        notes.append("transparency cannot be kept in a JPEG")
    extra: dict[str, Any] = {"exif": exif.tobytes()} if len(exif) else {}
    if upright.mode != "CMYK" and image.info.get("icc_profile"):
        extra["icc_profile"] = image.info["icc_profile"]
    Image.fromarray(rgb).save(plain, **options, **extra)
    plain.write_bytes(_SPLICE[options["format"]](plain.read_bytes(), packet))
    return tuple(notes)


def _bytes(packet: Any) -> bytes | None:
    return packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
