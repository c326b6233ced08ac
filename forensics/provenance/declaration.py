"""What a file says of itself, in one answer: who declares it, and how far that can be trusted."""

from __future__ import annotations

from pathlib import Path

from forensics.errors import UnreadableInputError
from forensics.provenance.aigc import AigcReading, read_aigc
from forensics.provenance.c2pa import C2paFacts, read_c2pa
from forensics.types import Declaration

_MARKS = (b"c2pa", b"AIGC")
_CHUNK = 1 << 20
_CAPTURE = frozenset({"digitalCapture", "computationalCapture"})


def carries_marks(path: Path) -> bool:
    """Tell whether any byte sequence of a C2PA store or an AIGC label occurs in the file.

    A cheap look that spares most files two native libraries. It may be wrong in one direction
    only: a hit may mean nothing, but a mark never lies in a file without one.

    Raises:
        OSError: The file cannot be read.
    """
    overlap = max(map(len, _MARKS)) - 1
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            window = tail + chunk
            if any(mark in window for mark in _MARKS):
                return True
            tail = window[-overlap:]
    return False


def read_declaration(path: Path, *, trust_anchors: str | None = None) -> Declaration:
    """Read what the file declares, without any network access.

    Compressed text (PNG zTXt) is not looked into by the first cheap look.

    Args:
        path: The file.
        trust_anchors: PEM certificates that the user trusts; None evaluates no trust.

    Returns:
        The declaration; ``unreadable`` when marks are there but cannot be read.
    """
    try:
        if not carries_marks(path):
            return Declaration()
        return _combine(read_c2pa(path, trust_anchors=trust_anchors), read_aigc(path))
    except (OSError, UnreadableInputError):
        return Declaration("unreadable")


def _combine(manifest: C2paFacts, labels: tuple[AigcReading, ...]) -> Declaration:
    by = [f"aigc {item.site}" for item in labels if item.label]
    if manifest.declares_ai:
        by.insert(0, "c2pa")
    captured = not _CAPTURE.isdisjoint(manifest.source_types)
    unread = manifest.error or (labels and not any(item.label for item in labels))
    if by and captured:
        status = "contradictory"
    elif by:
        status = "declared_synthetic"
    elif captured:
        status, by = "declared_capture", ["c2pa"]
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
