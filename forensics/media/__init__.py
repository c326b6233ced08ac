"""Reading and writing pictures: limits, sampling, shot cuts and decoding in a child process.

The names below are loaded on first use, so that importing this package costs nothing and never
loads a codec library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.media.limits import Limits
    from forensics.media.plan import SamplingPlan
    from forensics.media.reader import FrameStream, open_clip, stream_frames, warm_up
    from forensics.media.write import write_video

_HOMES = {
    "FrameStream": "forensics.media.reader",
    "Limits": "forensics.media.limits",
    "SamplingPlan": "forensics.media.plan",
    "open_clip": "forensics.media.reader",
    "stream_frames": "forensics.media.reader",
    "warm_up": "forensics.media.reader",
    "write_video": "forensics.media.write",
}

__all__ = [
    "FrameStream",
    "Limits",
    "SamplingPlan",
    "open_clip",
    "stream_frames",
    "warm_up",
    "write_video",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home module on first use."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'forensics.media' has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
