"""What a file says of itself, in one answer: who declares it, and how far that can be trusted."""

from __future__ import annotations

from pathlib import Path

from forensics.provenance.facts import TrustAnchors, read_facts
from forensics.types import Declaration


def read_declaration(path: Path, *, trust_anchors: TrustAnchors | None = None) -> Declaration:
    """Read what the file declares, without any network access and without looking at pixels.

    Args:
        path: The file.
        trust_anchors: What the user trusts; None evaluates no trust.

    Returns:
        The declaration; ``unreadable`` when marks are there but cannot be read.
    """
    return read_facts(path, trust_anchors=trust_anchors).declaration
