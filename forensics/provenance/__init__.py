"""What a file says of its own origin: invisible watermark, AIGC label and C2PA manifest.

Every reader reports facts and concludes nothing. The names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.provenance.payload import Payload
    from forensics.provenance.watermark import WatermarkReader, WatermarkResult, detect, embed

_HOMES = {
    "Payload": "forensics.provenance.payload",
    "WatermarkReader": "forensics.provenance.watermark",
    "WatermarkResult": "forensics.provenance.watermark",
    "detect": "forensics.provenance.watermark",
    "embed": "forensics.provenance.watermark",
}

__all__ = ["Payload", "WatermarkReader", "WatermarkResult", "detect", "embed"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.provenance' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
