"""What a rule may look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.provenance.facts import ProvenanceFacts
from forensics.provenance.visible import NOT_EXAMINED, VisibleLabel
from forensics.types import Verdict

_DAMAGE = frozenset(
    {"truncated", "bad_size", "too_many", "too_deep", "too_long", "bad_compression"}
    | {"c2pa_unreadable", "xmp_unreadable"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file before the rules.

    Attributes:
        facts: What it says of its origin.
        verdict: What the detectors say, or None when they did not look.
        declared: What the uploader says: ``yes``, ``no`` or ``unknown``.
        visible: What a look for a visible label found.
        error_rate: The detectors' stated error rate, in words.
        unreadable: Whether the file could not be examined.
    """

    facts: ProvenanceFacts
    verdict: Verdict | None = None
    declared: str = "unknown"
    visible: VisibleLabel = field(default=NOT_EXAMINED)
    error_rate: str = ""
    unreadable: bool = False

    @property
    def said_synthetic(self) -> bool:
        """Whether a mark or the uploader says that a machine made the pictures."""
        return self.facts.declares_ai or self.declared == "yes"

    @property
    def suspected(self) -> bool:
        """Whether the detectors call the pictures suspect."""
        return self.verdict is not None and self.verdict.label == "suspect"

    @property
    def undecided(self) -> bool:
        """Whether nobody can say: no mark, no statement, and no clear look at the pictures."""
        if self.unreadable or "unreadable" in self.facts.problems:
            return True
        looked = self.verdict is not None and self.verdict.label == "no_evidence"
        return not self.said_synthetic and not self.suspected and not looked

    @property
    def doubt(self) -> tuple[str, str]:
        """Why the marks cannot be relied on, in English and Chinese; empty when they can."""
        if self.unreadable or "unreadable" in self.facts.problems:
            return ("the file could not be examined.", "文件无法检查。")
        if self.facts.c2pa.error:
            return ("its signed manifest cannot be read.", "其签名清单无法读取。")
        if self.facts.c2pa.integrity == "broken":
            return ("the file was changed after it was signed.", "文件在签名后被改动。")
        if self.facts.declaration.status == "contradictory" or any(
            c.code in ("labels_differ", "capture_and_synthesis") for c in self.facts.conflicts
        ):
            return ("its marks contradict each other.", "其标识相互矛盾。")
        if _DAMAGE & set(self.facts.problems):
            return ("its container is damaged.", "其容器已损坏。")
        return ("", "")

    @property
    def doubtful(self) -> bool:
        """Whether there is a doubt."""
        return bool(self.doubt[0])

    @property
    def unsupported(self) -> bool:
        """Whether marks could not be looked for, since no parser knows the container."""
        return "unsupported_container" in self.facts.problems
