"""Marked photos and previews; the rules are those of :mod:`generator.mark`."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OutputError, UsageError, printable
from forensics.provenance.burn_in import VisibleLabel, draw_caption
from forensics.provenance.keys import SigningIdentity, signing_identity
from forensics.provenance.watermark import Watermarker
from generator._stamp import DESCRIPTION, Stamp, make_stamp, sha256_file
from generator.mark import _common, _mask, _output_errors, _sign, sidecar_path

_FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
}


def mask_path(output: Path) -> Path:
    """Return where the mask of a marked photo lies."""
    return output.with_name(f"{output.stem}.mask.png")


def occluder_path(output: Path) -> Path:
    """Return where the mask of what covers the face in a marked photo lies."""
    return output.with_name(f"{output.stem}.occluder.png")


def write_marked_image(
    path: Path | str,
    rgb: NDArray[np.uint8],
    *,
    sidecar: Mapping[str, Any],
    source: Path | None = None,
    swap_mask: NDArray[Any] | None = None,
    occluder_mask: NDArray[Any] | None = None,
    visible_label: bool = True,
    identity: SigningIdentity | None = None,
) -> None:
    """Write one generated photo with all marks, its sidecar, and its mask as PNG.

    Args:
        path: ``.png``, ``.jpg`` or ``.jpeg``.
        rgb: (h, w, 3) ``uint8``, at least 16 px a side.
        sidecar: As for `generator.mark.MarkedWriter`.
        source: The photo that was edited.
        swap_mask: (h, w) where pixels were replaced.
        occluder_mask: (h, w) where something covers the face.
        visible_label: Whether a label is burned into a corner.
        identity: Signing key; the local one when None.

    Raises:
        UsageError: Another suffix.
        ValueError: A wrong shape or type.
        OutputError: The files cannot be written.
    """
    output = Path(path)
    if output.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise UsageError(f"{printable(output)}: a marked picture has to be one of {known}")
    _check(rgb)
    masks = {
        "mask": (mask_path(output), _mask(swap_mask, rgb.shape[:2])),
        "occluder_mask": (occluder_path(output), _mask(occluder_mask, rgb.shape[:2])),
    }
    stamp = make_stamp(sidecar, output.name)
    key = identity if identity is not None else signing_identity()
    label = VisibleLabel((rgb.shape[1], rgb.shape[0])) if visible_label else None
    shown = label.draw(rgb) if label is not None else rgb
    marked = Watermarker(stamp.payload)(np.ascontiguousarray(shown))
    with _output_errors(output):
        folder = Path(tempfile.mkdtemp(prefix=".swap-", dir=output.parent))
        try:
            plain, signed = (folder / f"{n}{output.suffix}" for n in ("plain", "signed"))
            _save(plain, marked, stamp)
            _sign(plain, signed, stamp, output.name, source, key)
            facts = {
                **_common(sidecar, stamp, output, signed, source, label),
                "size": [rgb.shape[1], rgb.shape[0]],
            }
            for name, (place, mask) in masks.items():
                if mask is None:
                    continue
                _save_mask(folder / f"{name}.png", mask)
                facts[name] = {
                    "path": place.name,
                    "sha256": sha256_file(folder / f"{name}.png"),
                }
                (folder / f"{name}.png").replace(place)
            text = folder / "s.json"
            text.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
            text.replace(sidecar_path(output))
            signed.replace(output)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def write_marked_preview(path: Path | str, rgb: NDArray[np.uint8], *, caption: str) -> None:
    """Write a training preview: a PNG with a caption strip below, watermark and metadata.

    Args:
        path: ``.png`` file.
        rgb: (h, w, 3) ``uint8``.
        caption: What the grid shows; the words "AI generated" are put before it.

    Raises:
        UsageError: Another suffix.
        OutputError: The file cannot be written.
    """
    output = Path(path)
    if output.suffix.lower() != ".png":
        raise UsageError(f"{printable(output)}: a preview has to be a .png")
    _check(rgb)
    stamp = make_stamp({"preview": caption}, output.name)
    marked = Watermarker(stamp.payload)(draw_caption(rgb, caption))
    part = output.with_name(f".{output.stem}.part.png")
    with _output_errors(output):
        try:
            _save(part, marked, stamp)
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)


def _save(path: Path, rgb: NDArray[np.uint8], stamp: Stamp) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    options = dict(_FORMATS[path.suffix.lower()])
    if options["format"] == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", stamp.xmp.decode("utf-8"))
        text.add_text("Description", DESCRIPTION)
        options["pnginfo"] = text
    else:
        options["xmp"] = stamp.xmp
    Image.fromarray(rgb).save(path, **options)


def _save_mask(path: Path, mask: NDArray[np.uint8]) -> None:
    from PIL import Image

    Image.fromarray(mask).save(path)


def _check(rgb: NDArray[np.uint8]) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"picture must be (h, w, 3) uint8, got {rgb.shape} {rgb.dtype}")
    if min(rgb.shape[:2]) < 16:
        raise OutputError(f"a picture of {rgb.shape[1]}x{rgb.shape[0]} px is too small to mark")
