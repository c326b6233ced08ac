"""What a clip looks like, as one PDQ hash a second: to find it again after it was coded anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import ForensicsError

if TYPE_CHECKING:
    from forensics.media import Limits

STEP = 1.0
"""Seconds between two hashes."""
MOST = 60
"""Hashes of one file at most: its first minute."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes of one file.

    Attributes:
        hashes: (seconds, PDQ as 64 hex digits, quality 0..100), in order.
        reason: Why there are none, or empty.
    """

    hashes: tuple[tuple[float, str, int], ...] = ()
    reason: str = field(kw_only=True, default="")


def find_fingerprints(path: Path, *, limits: Limits | None = None) -> Fingerprint:
    """Hash a picture a second. Never raises for a bad file: the reason is in the result."""
    from forensics.media import Limits, SamplingPlan, open_clip, stream_frames
    from forensics.provenance.phash import pdq

    caps = limits or Limits()
    found: list[tuple[float, str, int]] = []
    try:
        clip = open_clip(path, limits=caps)
        with stream_frames(clip, SamplingPlan(every=STEP), limits=caps) as frames:
            for frame in frames:
                code, quality = pdq(frame.image)
                found.append((round(frame.pts, 3), code.hex(), quality))
                if len(found) == MOST:
                    break
    except ForensicsError as error:
        return Fingerprint(tuple(found), reason=error.reason)
    return Fingerprint(tuple(found))
