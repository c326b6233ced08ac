"""What to say in the marks of one file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.errors import UsageError
from forensics.provenance.aigc import LABELS, AigcLabel
from forensics.provenance.burn_in import CJK, LATIN, find_pen, label_text
from forensics.provenance.c2pa import AI_SOURCE_TYPES, SOURCE_TYPES
from forensics.provenance.payload import Payload

PRODUCER = "deepfake-forensics"
INGREDIENT = "source"

_WEAKER = {"2": ("may be ", "可能为"), "3": ("suspected ", "疑似")}


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What to say, and in which marks.

    Attributes:
        label: ``1`` is, ``2`` may be, ``3`` is suspected to be AI-generated.
        producer: Name or code of the service that made the content.
        produce_id: Its number for the content; from the file's hash when None.
        propagator: Name or code of the service that spreads it; the producer when empty.
        propagate_id: That service's number.
        visible: Whether a text is burned into the first seconds.
        text: The text; one that fits the label when None.
        font: Font file for it.
        watermark: Whether the invisible mark is put in; only with label ``1``, as it can say
            nothing weaker than "synthetic".
        source_type: IPTC term of what the machine did; only written with label ``1``.
        crf: Constant rate factor where pictures have to be encoded again.

    Raises:
        UsageError: A value is out of range.
    """

    label: str = "1"
    producer: str = field(kw_only=True, default=PRODUCER)
    produce_id: str | None = field(kw_only=True, default=None)
    propagator: str = field(kw_only=True, default="")
    propagate_id: str = field(kw_only=True, default="")
    visible: bool = field(kw_only=True, default=True)
    text: str | None = field(kw_only=True, default=None)
    font: Path | None = field(kw_only=True, default=None)
    watermark: bool = field(kw_only=True, default=True)
    source_type: str = field(kw_only=True, default="compositeWithTrainedAlgorithmicMedia")
    crf: int = field(kw_only=True, default=18)

    def __post_init__(self) -> None:
        if self.label not in LABELS:
            raise UsageError(f"label must be one of {', '.join(LABELS)}, got {self.label!r}")
        if self.source_type not in AI_SOURCE_TYPES:
            known = ", ".join(sorted(AI_SOURCE_TYPES))
            raise UsageError(f"source type must be one of {known}, got {self.source_type!r}")
        if not 0 <= self.crf <= 51:
            raise UsageError(f"crf must be 0 to 51, got {self.crf}")
        self.aigc("0" * 64)

    @property
    def certain(self) -> bool:
        """Whether the label says that the content is synthetic, not only that it may be."""
        return self.label == "1"

    @property
    def marks_pixels(self) -> bool:
        """Whether pictures change, so that they have to be encoded again."""
        return self.visible or (self.watermark and self.certain)

    def aigc(self, sha256: str) -> AigcLabel:
        """Return the AIGC label of the file with that hash.

        Raises:
            UsageError: A value holds what the standard does not allow.
        """
        try:
            return AigcLabel(
                self.label,
                producer=self.producer,
                produce_id=self.produce_id if self.produce_id is not None else sha256[:32],
                propagator=self.propagator,
                propagate_id=self.propagate_id,
            )
        except ValueError as error:
            raise UsageError(str(error)) from error

    def payload(self, sha256: str) -> Payload:
        """Return the watermark's payload for the file with that hash."""
        key = f"{sha256}\n{self.aigc(sha256).to_json()}".encode()
        return Payload("synthetic", id=int(hashlib.sha256(key).hexdigest()[:8], 16))

    def visible_text(self) -> str:
        """Return what the visible label says."""
        if self.text is not None:
            return self.text
        if self.certain:
            return label_text()
        latin, cjk = (a + b for a, b in zip(_WEAKER[self.label], (LATIN, CJK), strict=True))
        return f"{latin} / {cjk}" if find_pen(cjk) is not None else latin

    @property
    def source_uri(self) -> str | None:
        """The IPTC term as URI, or None where the label does not claim so much."""
        return SOURCE_TYPES + self.source_type if self.certain else None

    def manifest(self, title: str, *, watermark: str | None, text: str | None) -> dict[str, Any]:
        """Return the C2PA manifest definition; the labelled file is its ingredient."""
        edited: dict[str, Any] = {"action": "c2pa.edited.metadata"}
        if self.source_uri is not None:
            edited = {"action": "c2pa.edited", "digitalSourceType": self.source_uri}
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [INGREDIENT]}}
        said = {"aigc_label": self.label, "producer": self.producer}
        marks = {"watermark_id": watermark, "visible_label": text}
        return {
            "claim_generator_info": [{"name": PRODUCER, "version": __version__}],
            "title": title,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [opened, edited]}},
                {
                    "label": "org.deepfake-forensics.label",
                    "data": said | {k: v for k, v in marks.items() if v is not None},
                },
            ],
        }
