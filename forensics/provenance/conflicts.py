"""Facts of one file that do not go together. Each is measured; what to make of it is a rule's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from forensics.container.texts import Carried
from forensics.provenance.aigc import AigcReading
from forensics.provenance.c2pa import AI_SOURCE_TYPES, C2paFacts

# No camera writes these; editors and converters do.
_SOFTWARE_ENCODERS = ("x264", "x265", "Lavc", "SVT-AV1")
_CONVERTERS = ("Lavf", "HandBrake", "ffmpeg")
_CAPTURE = frozenset({"digitalCapture", "computationalCapture"})
_OLDEST = dt.datetime(1995, 1, 1, tzinfo=dt.timezone.utc)
_SLACK = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two facts that contradict each other.

    Attributes:
        code: Stable name.
        explanation: One plain sentence.
    """

    code: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Material:
    """What conflicts are looked for in."""

    carried: Carried
    labels: Sequence[AigcReading]
    source_types: Sequence[str]
    c2pa: C2paFacts


Check = Callable[[Material], Iterator[Conflict]]


def find_conflicts(material: Material) -> tuple[Conflict, ...]:
    """Return every conflict that the checks know."""
    return tuple(conflict for check in _CHECKS for conflict in check(material))


def _several_labels(m: Material) -> Iterator[Conflict]:
    if len(m.labels) > 1:
        sites = ", ".join(label.site for label in m.labels)
        yield Conflict(
            "several_labels", f"The file carries {len(m.labels)} AIGC labels, not one: {sites}."
        )
    values = {tuple(sorted(label.values.items())) for label in m.labels if label.values}
    if len(values) > 1:
        yield Conflict(
            "labels_differ", "The AIGC labels of the file contradict each other."
        )


def _capture_and_synthesis(m: Material) -> Iterator[Conflict]:
    types = {*m.source_types, *m.c2pa.source_types}
    synthetic = bool(types & AI_SOURCE_TYPES) or any(label.label == "1" for label in m.labels)
    if synthetic and types & _CAPTURE:
        yield Conflict(
            "capture_and_synthesis",
            "One mark says that a camera took the pictures, another that a machine made them.",
        )


def _camera_and_encoder(m: Material) -> Iterator[Conflict]:
    history = m.carried.history
    encoders = [text for text in history.encoders if text.startswith(_SOFTWARE_ENCODERS)]
    converters = [text for text in history.writers if text.startswith(_CONVERTERS)]
    if history.cameras and (encoders or converters):
        by = (encoders or converters)[0].split(" - ")[0]
        yield Conflict(
            "camera_and_software",
            f"The tags claim a camera ({' '.join(history.cameras)[:80]}), but software wrote the "
            f"file ({by[:60]}): it was at least encoded or packed again.",
        )


def _times(m: Material) -> Iterator[Conflict]:
    now = dt.datetime.now(dt.timezone.utc)
    moments: dict[str, dt.datetime] = {}
    for place, text in m.carried.history.created:
        moment = moments[place] = dt.datetime.fromisoformat(text)
        if moment > now + _SLACK:
            yield Conflict("time_in_future", f"{place} lies in the future: {text}.")
        elif moment < _OLDEST:
            yield Conflict("time_too_old", f"{place} lies before digital video files: {text}.")
    for place, moment in moments.items():
        changed = moments.get(place.replace(" created", " modified"))
        if place.endswith(" created") and changed is not None and changed < moment:
            yield Conflict("modified_before_created", f"{place} lies after its modification.")


def _signed_before_created(m: Material) -> Iterator[Conflict]:
    made = [text for place, text in m.carried.history.created if place == "moov/mvhd[0] created"]
    try:
        signed = dt.datetime.fromisoformat(m.c2pa.signed_at.replace("Z", "+00:00"))
    except ValueError:
        return
    if signed.tzinfo is None:
        signed = signed.replace(tzinfo=dt.timezone.utc)
    if made and dt.datetime.fromisoformat(made[0]) > signed + _SLACK:
        yield Conflict(
            "signed_before_created",
            f"It was signed at {m.c2pa.signed_at}, before the time of its making: {made[0]}.",
        )


def _cut_by_edit_list(m: Material) -> Iterator[Conflict]:
    pieces = m.carried.history.pieces
    if pieces > 1:
        yield Conflict(
            "cut_by_edit_list",
            f"An edit list plays {pieces} separate parts of a track: players show another sequence "
            "than the one that is stored.",
        )


_CHECKS: tuple[Check, ...] = (
    _several_labels,
    _capture_and_synthesis,
    _camera_and_encoder,
    _times,
    _signed_before_created,
    _cut_by_edit_list,
)
