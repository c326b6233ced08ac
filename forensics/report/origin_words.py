"""Where a file comes from, as rows of names and sentences that terminal and HTML share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.report.plain import plain, text
from forensics.report.words import INTEGRITY, TRUST
from forensics.types import Evidence, Report

_MOST = 8
_TRACES = ("conflict", "compression")
_LABEL_VALUES = {"1": "is (属于)", "2": "may be (可能)", "3": "is suspected to be (疑似)"}
_TIMES = ("moov/mvhd[0] created", "moov/mvhd[0] modified")

Row = tuple[str, str]


def origin_rows(report: Report) -> list[Row]:
    """Return what is known of the file's origin: signer, trust, time, edits, labels, container."""
    kinds: dict[str, list[Evidence]] = {}
    for item in report.evidence:
        kinds.setdefault(item.kind, []).append(item)
    rows = _signature(report, _first(kinds.get("c2pa", ())))
    rows += [("AIGC label", _label(item)) for item in kinds.get("aigc", ())[:_MOST]]
    rows += [("IPTC source type", item.explanation) for item in kinds.get("iptc", ())[:_MOST]]
    for kind, name in (("watermark", "Watermark"), ("visible", "Visible label"),
                       ("fingerprint", "Fingerprint")):  # fmt: skip
        rows += [(name, item.explanation) for item in kinds.get(kind, ())[:1]]
    rows += _container(_first(kinds.get("container", ())))
    for kind in _TRACES:
        rows += [(kind.capitalize(), item.explanation) for item in kinds.get(kind, ())[:_MOST]]
    rows += [("Problems", item.explanation) for item in kinds.get("problem", ())[:1]]
    return rows


def trace_sentences(report: Report) -> list[str]:
    """Return what the container tells of re-encoding and of tags that do not go together."""
    return [item.explanation for item in report.evidence if item.kind in _TRACES]


def sentence_of(report: Report, kind: str) -> str:
    """Return the sentence of the first fact of a kind, or an empty text."""
    return next((item.explanation for item in report.evidence if item.kind == kind), "")


def _first(items: Sequence[Evidence]) -> Mapping[str, Any]:
    values: Mapping[str, Any] = plain(items[0].values) if items else {}
    return values


def _signature(report: Report, c2pa: Mapping[str, Any]) -> list[Row]:
    said = report.declaration
    if said.integrity == "unsigned" and not c2pa:
        return []
    rows = [("Integrity", INTEGRITY.get(said.integrity, text(said.integrity)))]
    signer = str(c2pa.get("signer") or "no name in the certificate")
    if issuer := c2pa.get("issuer"):
        signer += f", certified for {issuer}"
    rows.append(("Signer", f"{signer}; {TRUST.get(said.signer_trust, text(said.signer_trust))}"))
    rows.append(("Time stamp", _time(said.timestamp_trust, said.codes, c2pa)))
    for name, key in (
        ("Signing program", "generator"), ("Edits", "actions"), ("Made from", "ingredients"),
        ("Source type", "source_types"), ("Trust anchors", "trust_anchors_sha256"),
        ("Cannot be read", "error"),
    ):  # fmt: skip
        if value := c2pa.get(key):
            rows.append((name, _joined(value)))
    return rows


def _time(trust: str, codes: Sequence[str], c2pa: Mapping[str, Any]) -> str:
    """Say what is known of the time; a time without a stamp is only the signer's word."""
    when = c2pa.get("signed_at")
    if any(code.startswith("timeStamp.") for code in codes):
        return f"{when or 'without a time'}; {TRUST.get(trust, text(trust))}"
    return f"none; the signer says {when}" if when else "none"


def _label(item: Evidence) -> str:
    values = plain(item.values)
    members = values.get("values") or {}
    says = _LABEL_VALUES.get(str(members.get("Label")), "says nothing known of whether it is")
    line = f"{says} AI-generated, at {values.get('site')}"
    for name, key in (("producer", "ContentProducer"), ("number", "ProduceID"),
                      ("spread by", "ContentPropagator")):  # fmt: skip
        if members.get(key):
            line += f"; {name} {members[key]}"
    if values.get("problems"):
        line += f"; not as the standard wants: {_joined(values['problems'])}"
    return line


def _container(values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for name, key in (
        ("Container", "kind"), ("Brands", "brands"), ("Written by", "writers"),
        ("Encoders", "encoders"), ("Handlers", "handlers"), ("Claims the camera", "cameras"),
    ):  # fmt: skip
        if value := values.get(key):
            rows.append((name, _joined(value)))
    created = values.get("created") or {}
    times = [f"{place.rsplit(' ', 1)[-1]} {created[place]}" for place in _TIMES if place in created]
    if times:
        rows.append(("Times in the tags", "; ".join(times)))
    for name in ("camera", "software", "taken"):
        if value := values.get(name):
            rows.append((f"EXIF {name}", _joined(value)))
    return rows


def _joined(value: Any) -> str:
    if not isinstance(value, list):
        return _short(value)
    more = f" and {len(value) - _MOST} more" if len(value) > _MOST else ""
    return ", ".join(_short(item) for item in value[:_MOST]) + more


def _short(value: Any) -> str:
    line = " ".join(str(value).split())
    return line if len(line) <= 120 else line[:117] + "..."
