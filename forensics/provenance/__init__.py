"""What a file says of its own origin: invisible watermark, AIGC label and C2PA manifest.

Every reader reports facts and concludes nothing. The names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.provenance.aigc import AigcLabel, AigcReading, read_aigc
    from forensics.provenance.c2pa import C2paFacts, read_c2pa, sign_c2pa
    from forensics.provenance.keys import SigningIdentity, signing_identity
    from forensics.provenance.payload import Payload
    from forensics.provenance.watermark import WatermarkReader, WatermarkResult, detect, embed

_HOMES = {
    "AigcLabel": "forensics.provenance.aigc",
    "AigcReading": "forensics.provenance.aigc",
    "C2paFacts": "forensics.provenance.c2pa",
    "SigningIdentity": "forensics.provenance.keys",
    "read_aigc": "forensics.provenance.aigc",
    "read_c2pa": "forensics.provenance.c2pa",
    "sign_c2pa": "forensics.provenance.c2pa",
    "signing_identity": "forensics.provenance.keys",
    "Payload": "forensics.provenance.payload",
    "WatermarkReader": "forensics.provenance.watermark",
    "WatermarkResult": "forensics.provenance.watermark",
    "detect": "forensics.provenance.watermark",
    "embed": "forensics.provenance.watermark",
}

__all__ = [
    "AigcLabel",
    "AigcReading",
    "C2paFacts",
    "Payload",
    "SigningIdentity",
    "WatermarkReader",
    "WatermarkResult",
    "detect",
    "embed",
    "read_aigc",
    "read_c2pa",
    "sign_c2pa",
    "signing_identity",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics.provenance' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
