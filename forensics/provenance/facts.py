"""Everything a file says of its origin, read once and without concluding anything.

Five questions are kept apart and never folded into one number: does the file declare itself
synthetic; is the declaration authentic; is there a visible label; what traces does the container
carry; and (elsewhere, by rules) what has to be done.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.container.texts import Carried, read_carried
from forensics.errors import ForensicsError, UnreadableInputError, UsageError, printable
from forensics.provenance.aigc import AigcReading, aigc_of
from forensics.provenance.c2pa import (
    AI_SOURCE_TYPES,
    IPTC_SOURCE_TYPES,
    SOURCE_TYPES,
    C2paFacts,
    read_c2pa,
)
from forensics.provenance.compression import Compression, examine_packets
from forensics.provenance.conflicts import Conflict, Material, find_conflicts
from forensics.provenance.watermark import WatermarkReader, WatermarkResult
from forensics.provenance.xmp import is_readable, read_xmp_field
from forensics.types import Declaration

if TYPE_CHECKING:
    from forensics.media import Limits

_CAPTURE = frozenset({"digitalCapture", "computationalCapture"})
_MOVING = frozenset({"mp4", "matroska"})
_MAX_ANCHORS = 4 << 20
_WATERMARK_FRAMES = 75
"""Pictures that are searched for the watermark: about three seconds."""


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """Certificates that the user trusts.

    Attributes:
        pem: The certificates.
        sha256: Of the file, for the report.
    """

    pem: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceFacts:
    """What a file says of its origin.

    Attributes:
        declaration: The short form, as in every report.
        container: Kind of file, and how it was written.
        labels: AIGC labels, one a site.
        source_types: IPTC digital source types in XMP, without the vocabulary's prefix.
        unknown_source_types: Those among them that the vocabulary does not hold.
        c2pa: What the signed manifest says.
        conflicts: Facts that do not go together.
        compression: What packet sizes say of an earlier coding; None for what is no video.
        watermark: What a search of the pixels found; None when the pixels were not searched.
        problems: Codes of what was malformed or could not be read.
        anchors_sha256: Of the trust anchors that were used, or None.
    """

    declaration: Declaration
    container: Carried
    labels: tuple[AigcReading, ...] = ()
    source_types: tuple[str, ...] = ()
    unknown_source_types: tuple[str, ...] = ()
    c2pa: C2paFacts = field(default_factory=lambda: C2paFacts("unsigned"))
    conflicts: tuple[Conflict, ...] = ()
    compression: Compression | None = None
    watermark: WatermarkResult | None = None
    problems: tuple[str, ...] = ()
    anchors_sha256: str | None = None

    @property
    def declares_ai(self) -> bool:
        """Whether any mark says that a machine made the pictures, or part of them."""
        return (
            self.c2pa.declares_ai
            or any(label.label is not None for label in self.labels)
            or not AI_SOURCE_TYPES.isdisjoint(self.source_types)
            or (self.watermark is not None and self.watermark.kind == "synthetic")
        )


def read_anchors(path: Path) -> TrustAnchors:
    """Read a file of trusted certificates.

    Raises:
        UsageError: It cannot be read or holds no certificate.
    """
    try:
        raw = path.read_bytes()[: _MAX_ANCHORS + 1]
    except OSError as error:
        raise UsageError(f"--trust-anchors {printable(path)}: {error.strerror}") from error
    text = raw.decode("ascii", "replace")
    if len(raw) > _MAX_ANCHORS or "-----BEGIN CERTIFICATE-----" not in text:
        raise UsageError(f"--trust-anchors {printable(path)}: holds no PEM certificate")
    return TrustAnchors(text, hashlib.sha256(raw).hexdigest())


def read_facts(
    path: Path,
    *,
    trust_anchors: TrustAnchors | None = None,
    pixels: bool = False,
    limits: Limits | None = None,
) -> ProvenanceFacts:
    """Read what a file says of its origin, without any network access.

    Args:
        path: The file.
        trust_anchors: What the user trusts; None evaluates no trust.
        pixels: Also search the first pictures for the invisible watermark.
        limits: Caps on their decoding; the defaults when None.

    Returns:
        The facts. Never raises for a bad file: what cannot be read is among the problems.
    """
    problems: list[str] = []
    carried = Carried("unknown")
    labels: tuple[AigcReading, ...] = ()
    manifest = C2paFacts("unsigned", supported=False)
    try:
        carried = read_carried(path)
        labels = aigc_of(carried)
        pem = None if trust_anchors is None else trust_anchors.pem
        manifest = read_c2pa(path, trust_anchors=pem)
    except UnreadableInputError:
        problems.append("unreadable")
    problems += carried.problems
    if carried.kind == "unknown":
        problems.append("unsupported_container")
    if "reader.error" in manifest.codes:
        problems.append("c2pa_unreadable")
    if any(name == "xmp" and not is_readable(text) for _, name, text in carried.tags):
        problems.append("xmp_unreadable")
    problems += [f"aigc_{code}" for label in labels for code in label.problems]
    types = _source_types(carried)
    mark = None
    if pixels and "unreadable" not in problems:
        try:
            mark = search_watermark(path, limits=limits)
        except ForensicsError:
            problems.append("pixels_unreadable")
    return ProvenanceFacts(
        declaration=_declaration(manifest, labels, types, mark, "unreadable" in problems),
        container=carried,
        labels=labels,
        source_types=types,
        unknown_source_types=tuple(t for t in types if t not in IPTC_SOURCE_TYPES),
        c2pa=manifest,
        conflicts=find_conflicts(Material(carried, labels, types, manifest)),
        compression=examine_packets(carried.packets) if carried.kind in _MOVING else None,
        watermark=mark,
        problems=tuple(dict.fromkeys(problems)),
        anchors_sha256=None if trust_anchors is None else trust_anchors.sha256,
    )


def search_watermark(path: Path, *, limits: Limits | None = None) -> WatermarkResult:
    """Search the first pictures of a file for our invisible watermark.

    Raises:
        ForensicsError: The pictures cannot be decoded.
    """
    from forensics.media import Limits, SamplingPlan, open_clip, stream_frames

    caps = limits or Limits()
    reader = WatermarkReader()
    clip = open_clip(path, limits=caps)
    with stream_frames(clip, SamplingPlan(all=True), limits=caps) as frames:
        for number, frame in enumerate(frames, 1):
            reader.add(frame.image)
            if number == _WATERMARK_FRAMES:
                break
    return reader.result()


def _source_types(carried: Carried) -> tuple[str, ...]:
    found = []
    for _, name, text in carried.tags:
        value = read_xmp_field(text, "DigitalSourceType") if name == "xmp" else None
        if value:
            found.append(value.strip().removeprefix(SOURCE_TYPES)[:200])
    return tuple(dict.fromkeys(found))


def _declaration(
    manifest: C2paFacts,
    labels: tuple[AigcReading, ...],
    types: tuple[str, ...],
    mark: WatermarkResult | None,
    unreadable: bool,
) -> Declaration:
    """Fold what is declared, and by which mark, into the report's short form."""
    by = ["c2pa"] if manifest.declares_ai else []
    by += [f"aigc {item.site}" for item in labels if item.label]
    by += ["iptc xmp"] if not AI_SOURCE_TYPES.isdisjoint(types) else []
    # A control mark says only that a real clip belongs to a set; it declares nothing.
    by += ["watermark"] if mark is not None and mark.kind == "synthetic" else []
    captured = [name for name, terms in (("c2pa", manifest.source_types), ("iptc xmp", types))
                if not _CAPTURE.isdisjoint(terms)]
    unread = manifest.error or (labels and not any(item.label for item in labels))
    if unreadable:
        status = "unreadable"
    elif by and captured:
        status, by = "contradictory", by + captured
    elif by:
        status = "declared_synthetic"
    elif captured:
        status, by = "declared_capture", captured
    else:
        status = "unreadable" if unread else "none"
    return Declaration(
        status,
        by=tuple(by),
        integrity=manifest.integrity,
        signer_trust=manifest.signer_trust,
        timestamp_trust=manifest.timestamp_trust,
        codes=manifest.codes,
    )
