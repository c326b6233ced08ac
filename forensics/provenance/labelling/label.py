"""Label one file. Order: pixels, encoding, AIGC metadata, and the signature over all of it last."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import OutputError, UsageError, printable
from forensics.media import open_clip
from forensics.models.cache import file_sha256
from forensics.provenance.aigc import AigcLabel, read_aigc
from forensics.provenance.burn_in import VisibleLabel, names_ai_synthesis
from forensics.provenance.c2pa import read_c2pa, sign_c2pa
from forensics.provenance.keys import SigningIdentity, signing_identity
from forensics.provenance.labelling.moving import SUFFIXES, write_moving
from forensics.provenance.labelling.plan import INGREDIENT, LabelPlan
from forensics.provenance.labelling.readback import faults, read_watermark
from forensics.provenance.labelling.still import FORMATS, write_still
from forensics.provenance.payload import Payload
from forensics.types import Clip

MIN_SIDE = 64
"""Smallest side, in pixels, of pictures that can be marked."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What was written, and read back.

    Attributes:
        path: The labelled file.
        sha256: Its hash.
        source_sha256: Hash of the file that was labelled.
        aigc: The AIGC label.
        watermark: Payload in its pictures, or None.
        visible: Text burned into its first seconds, or None.
        notes: What could not be kept, or should be known, one line each.
    """

    path: Path
    sha256: str = field(kw_only=True)
    source_sha256: str = field(kw_only=True)
    aigc: AigcLabel = field(kw_only=True)
    watermark: Payload | None = field(kw_only=True)
    visible: str | None = field(kw_only=True)
    notes: tuple[str, ...] = field(kw_only=True, default=())


def label_file(
    source: Path | str,
    out: Path | str,
    plan: LabelPlan | None = None,
    *,
    identity: SigningIdentity | None = None,
    tsa: str | None = None,
    on_frame: Callable[[float], None] | None = None,
) -> Labelled:
    """Write a labelled copy of a clip or picture and read it back before it gets its name.

    Args:
        source: The file; it is only read.
        out: Where the copy goes: a clip ``.mp4``, ``.mov`` or ``.m4v``, a picture ``.png``,
            ``.jpg`` or ``.jpeg``.
        plan: What to say; the defaults when None.
        identity: Signing key; the local one, made on first use, when None.
        tsa: Address of a time-stamping authority for the signature; uses the network.
        on_frame: Called with the time of each picture of a clip.

    Returns:
        What was written.

    Raises:
        UsageError: The output exists, the file is labelled already or its signature is broken,
            or a mark cannot be made as asked.
        UnreadableInputError: The file cannot be read.
        OutputError: The copy cannot be written, or did not read back as it should.
    """
    source, out = Path(source), Path(out)
    plan = plan or LabelPlan()
    if os.path.lexists(out):
        raise UsageError(f"{printable(out)}: is there already; nothing is overwritten")
    clip = open_clip(source)
    _check_kind(clip, out)
    _refuse_labelled(source)
    visible = VisibleLabel(clip.size, plan.visible_text(), font=plan.font) if plan.visible else None
    payload, old = _watermark(clip, plan)
    key = identity if identity is not None else signing_identity()
    try:
        folder = Path(tempfile.mkdtemp(prefix=".label-", dir=out.parent))
    except OSError as error:
        raise _cannot(out, error) from error
    pictures = 0

    def count(pts: float) -> None:
        nonlocal pictures
        pictures += 1
        if on_frame is not None:
            on_frame(pts)

    try:
        plain, signed = (folder / f"{name}{out.suffix.lower()}" for name in ("plain", "signed"))
        if clip.kind == "image":
            notes = write_still(clip, plain, plan, payload=payload, visible=visible)
        else:
            notes = write_moving(
                clip, plain, plan, payload=payload, visible=visible, on_frame=count
            )
        text = visible.text if visible is not None else None
        mark = payload or old
        manifest = plan.manifest(
            out.name, watermark=f"{mark.id:08x}" if mark is not None else None, text=text
        )
        sign_c2pa(
            plain,
            signed,
            manifest,
            identity=key,
            ingredient=source,
            ingredient_id=INGREDIENT,
            tsa=tsa,
        )
        aigc = plan.aigc(clip.sha256)
        wrong = list(
            faults(
                signed,
                clip,
                aigc=aigc,
                identity=key,
                payload=mark,
                visible=visible,
                pictures=pictures,
            )
        )
        if old is not None and visible is not None and any("watermark" in line for line in wrong):
            raise UsageError(
                f"{printable(source)}: carries a watermark that a visible label would destroy; "
                "label it with --no-visible"
            )
        if wrong:
            raise OutputError(f"{printable(out)}: not written: {'; '.join(wrong)}")
        if file_sha256(source) != clip.sha256:
            raise UsageError(f"{printable(source)}: changed while it was being labelled")
        digest = file_sha256(signed)
        _publish(signed, out)
    except OSError as error:
        raise _cannot(out, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Labelled(
        out,
        sha256=digest,
        source_sha256=clip.sha256,
        aigc=aigc,
        watermark=mark,
        visible=text,
        notes=(*notes, *_remarks(clip, plan, text, old)),
    )


def _check_kind(clip: Clip, out: Path) -> None:
    known = FORMATS.keys() if clip.kind == "image" else SUFFIXES
    if out.suffix.lower() not in known:
        what = "picture" if clip.kind == "image" else "clip"
        raise UsageError(
            f"{printable(out)}: a labelled {what} has to be one of {', '.join(sorted(known))}"
        )


def _refuse_labelled(source: Path) -> None:
    """Refuse a file whose marks a label would contradict, double or bury."""
    name = printable(source)
    found = read_aigc(source)
    if found:
        sites = ", ".join(reading.site for reading in found)
        raise UsageError(f"{name}: carries an AIGC label already ({sites}); no mark is altered")
    facts = read_c2pa(source)
    if facts.integrity == "broken":
        raise UsageError(f"{name}: its C2PA signature does not hold; a label would bury that")


def _watermark(clip: Clip, plan: LabelPlan) -> tuple[Payload | None, Payload | None]:
    """Return the watermark to put in, and the one that is there already; at most one of them."""
    if not plan.marks_pixels:
        return None, None
    if min(clip.size) < MIN_SIDE:
        raise UsageError(
            f"{printable(clip.path)}: {clip.size[0]}x{clip.size[1]} px is too small to mark; "
            "label it with --no-visible --no-watermark"
        )
    old = read_watermark(clip)
    if old is not None and old.kind == "control":
        raise UsageError(
            f"{printable(clip.path)}: carries the mark of a real clip of a training set"
        )
    if old is not None:
        return None, old  # a second mark in the same place would destroy it
    return (plan.payload(clip.sha256) if plan.watermark and plan.certain else None), None


def _remarks(clip: Clip, plan: LabelPlan, text: str | None, old: Payload | None) -> list[str]:
    remarks = []
    if text is not None and not names_ai_synthesis(text):
        remarks.append("the visible label lacks 生成 or 合成, which GB 45438-2025 asks for")
    if text is not None and clip.kind == "video" and 0 < clip.duration < 2.0:
        remarks.append("the clip is shorter than two seconds: all of it is labelled")
    if old is not None:
        remarks.append("the watermark that was there is kept")
    if plan.watermark and not plan.certain:
        remarks.append("no watermark: it could only say that the file is synthetic")
    return remarks


def _publish(signed: Path, out: Path) -> None:
    """Give the file its name, and fail where another program took that name meanwhile."""
    signed.chmod(0o666 & ~_umask())
    try:
        os.link(signed, out)
    except FileExistsError:
        raise UsageError(f"{printable(out)}: is there already; nothing is overwritten") from None
    except OSError:  # a file system without hard links
        signed.rename(out)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot(out: Path, error: OSError) -> OutputError:
    return OutputError(f"{printable(out)}: cannot be written: {error.strerror or error}")
