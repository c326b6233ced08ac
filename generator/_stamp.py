"""The texts of the marks: AIGC label, XMP packet, C2PA manifest and watermark payload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.provenance.aigc import AigcLabel
from forensics.provenance.c2pa import SOURCE_TYPES
from forensics.provenance.payload import Payload
from forensics.provenance.xmp import make_xmp

PRODUCER = "deepfake-forensics"
SOURCE_TYPE = SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
DESCRIPTION = "AI-generated: a face in this work was made by a machine."
INGREDIENT = "source"

_STATED = ("method", "model", "model_sha256", "consent_sha256", "label")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Everything that marks one output, made from what its sidecar says.

    Attributes:
        payload: Watermark payload.
        label: AIGC label.
        facts: The sidecar's facts that also go into the manifest.
    """

    payload: Payload
    label: AigcLabel = field(kw_only=True)
    facts: Mapping[str, Any] = field(kw_only=True, default_factory=dict)

    @property
    def aigc(self) -> str:
        """The AIGC label's JSON text."""
        return self.label.to_json()

    @property
    def xmp(self) -> bytes:
        """XMP packet with AIGC label and IPTC source type."""
        return make_xmp(self.aigc, SOURCE_TYPE, DESCRIPTION)

    def manifest(self, title: str, *, opened: bool) -> dict[str, Any]:
        """Return the C2PA manifest definition.

        Args:
            title: Name of the work.
            opened: Whether there is an ingredient that the work was made from.
        """
        edited = {"action": "c2pa.edited", "digitalSourceType": SOURCE_TYPE}
        first: dict[str, Any] = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
        if opened:
            first = {"action": "c2pa.opened", "parameters": {"ingredientIds": [INGREDIENT]}}
        return {
            "claim_generator_info": [{"name": f"{PRODUCER}-generator", "version": __version__}],
            "title": title,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [first, edited]}},
                {
                    "label": "org.deepfake-forensics.generator",
                    "data": {"watermark_id": f"{self.payload.id:08x}", **self.facts},
                },
            ],
        }


def make_stamp(sidecar: Mapping[str, Any], name: str) -> Stamp:
    """Derive the marks from a sidecar; the same sidecar and name give the same marks."""
    digest = hashlib.sha256(f"{canonical(sidecar)}\n{name}".encode()).hexdigest()
    return Stamp(
        Payload("synthetic", id=int(digest[:8], 16)),
        label=AigcLabel("1", producer=PRODUCER, produce_id=digest[:32]),
        facts={k: sidecar[k] for k in _STATED if isinstance(sidecar.get(k), str)},
    )


def canonical(value: Any) -> str:
    """Return one JSON text for equal content."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def sha256_file(path: Path) -> str:
    """Return the hex digest of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_bytes(content: bytes) -> str:
    """Return the hex digest of ``content``."""
    return hashlib.sha256(content).hexdigest()
