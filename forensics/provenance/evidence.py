"""Provenance facts as evidence items: what was measured, in a plain sentence and in values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from forensics.provenance.aigc import LABELS
from forensics.provenance.compression import LIMIT
from forensics.provenance.facts import ProvenanceFacts
from forensics.provenance.fingerprint import Fingerprint
from forensics.provenance.visible import VisibleLabel
from forensics.types import Evidence

SOURCE = "provenance"
_MAX_TEXT = 300


def facts_evidence(
    facts: ProvenanceFacts,
    visible: VisibleLabel | None = None,
    fingerprint: Fingerprint | None = None,
) -> list[Evidence]:
    """Return one item a fact; their ``kind`` is what findings refer to."""
    items: list[Evidence | None] = [_c2pa(facts), *_labels(facts), *_iptc(facts), _container(facts)]
    items.append(_compression(facts))
    items += [
        _item("conflict", {"code": c.code}, c.explanation) for c in facts.conflicts
    ]
    if facts.watermark is not None:
        items.append(_watermark(facts))
    if visible is not None:
        items.append(_visible(visible))
    if fingerprint is not None:
        items.append(_fingerprint(fingerprint))
    if facts.problems:
        items.append(_item(
            "problem", {"codes": list(facts.problems)},
            f"Reading met problems: {', '.join(facts.problems)}.",
        ))  # fmt: skip
    return [item for item in items if item is not None]


def positions(evidence: list[Evidence], offset: int = 0) -> dict[str, tuple[int, ...]]:
    """Return where each kind stands in a report's evidence list."""
    found: dict[str, tuple[int, ...]] = {}
    for index, item in enumerate(evidence, offset):
        found[item.kind] = (*found.get(item.kind, ()), index)
    return found


def _item(kind: str, values: dict[str, Any], explanation: str) -> Evidence:
    return Evidence(SOURCE, kind=kind, values=values, explanation=explanation)


def _c2pa(facts: ProvenanceFacts) -> Evidence | None:
    c = facts.c2pa
    if c.integrity == "unsigned" and not c.error:
        return None
    values = {
        k: list(v) if isinstance(v, tuple) else v for k, v in asdict(c).items() if v not in ("", ())
    }
    if facts.anchors_sha256:
        values["trust_anchors_sha256"] = facts.anchors_sha256
    if c.error:
        return _item("c2pa", values, f"A signed manifest is there but cannot be read: {c.error}")
    state = {
        "intact": "The file is as it was signed",
        "broken": "The file was changed after it was signed",
    }[c.integrity]
    trust = {
        "trusted": "the signer is among those you trust",
        "untrusted": "the signer is not among those you trust",
        "not_evaluated": "whether to trust the signer was not evaluated",
    }[c.signer_trust]
    if "signingCredential.expired" in c.codes:
        trust += ", and the signing certificate has expired"
    who = f" by {c.signer}" if c.signer else ""
    return _item("c2pa", values, f"{state}{who}; {trust}. Intact does not mean trusted.")


def _labels(facts: ProvenanceFacts) -> list[Evidence]:
    items = []
    for label in facts.labels:
        says = LABELS.get(label.label or "", "says nothing that the standard knows")
        text = f"AIGC label at {label.site}: the content {says}."
        if label.problems:
            text += f" It does not keep to the standard: {', '.join(label.problems)}."
        values = {
            "site": label.site,
            "values": {k: v[:_MAX_TEXT] for k, v in label.values.items()},
            "problems": list(label.problems),
        }
        items.append(_item("aigc", values, text))
    return items


def _iptc(facts: ProvenanceFacts) -> list[Evidence]:
    return [
        _item(
            "iptc",
            {"digital_source_type": term, "in_vocabulary": term not in facts.unknown_source_types},
            f"XMP says that the digital source type is {term}."
            + (" The vocabulary lacks this term." if term in facts.unknown_source_types else ""),
        )
        for term in facts.source_types
    ]


def _container(facts: ProvenanceFacts) -> Evidence | None:
    history, exif = facts.container.history, facts.container.exif
    values: dict[str, Any] = {"kind": facts.container.kind}
    for name in ("brands", "handlers", "writers", "cameras", "encoders", "order"):
        found = [text[:_MAX_TEXT] for text in getattr(history, name)]
        if found:
            values[name] = found
    if history.created:
        values["created"] = dict(history.created)
    if history.edits:
        values["edits"] = [list(edit) for edit in history.edits]
    values |= {k: v[:_MAX_TEXT] for k, v in asdict(exif).items() if v and k != "comment"}
    if len(values) == 1:
        return None
    by = [text.split(" - ")[0][:60] for text in (*history.writers, *history.encoders)]
    text = f"Written by {', '.join(by)}." if by else "The container does not say what wrote it."
    if history.cameras or exif.camera:
        text += f" It claims a camera: {' '.join(history.cameras) or exif.camera}."
    return _item("container", values, text)


def _compression(facts: ProvenanceFacts) -> Evidence | None:
    found = facts.compression
    if found is None:
        return None
    values = {k: v for k, v in asdict(found).items() if v not in ("", 0)}
    if facts.container.packets.sha256 is not None:
        values["packets_sha256"] = facts.container.packets.sha256
    if found.status == "abstained":
        text = f"Whether the pictures were coded before cannot be told: {_ABSTAINED[found.reason]}."
    elif found.status == "none":
        text = "Packet sizes show no earlier coding; one of the same period would not show."
    else:
        values["nfa"] = f"{found.nfa:.1e}"
        text = (
            f"Packet sizes show an earlier coding with a key picture every {found.period} "
            f"pictures ({LIMIT:g} such finds are expected in a file coded once). "
            "Every platform codes again what it is given."
        )
    return _item("compression", values, text)


_ABSTAINED = {
    "no_table": "the container has no table of packet sizes that is read here",
    "few_packets": "there are too few pictures",
    "all_key": "most pictures are coded alone",
    "reordered": "B-frames hide it",
    "scene_cuts": "key pictures stand at cuts",
    "layers": "the encoder codes in layers",
}


def _watermark(facts: ProvenanceFacts) -> Evidence:
    mark = facts.watermark
    assert mark is not None
    values: dict[str, Any] = {
        "kind": mark.kind, "p_value": mark.p_value, "bit_errors": mark.bit_errors,
        "known_bits": mark.known_bits, "pictures": mark.frames,
    }  # fmt: skip
    if mark.payload is not None:
        values["id"] = f"{mark.payload.id:08x}"
    text = {
        None: "No invisible watermark of this project was found; that proves nothing.",
        "synthetic": "The invisible watermark says that the pictures are synthetic.",
        "control": "The invisible watermark says: a real clip of a test set, not a synthetic one.",
    }[mark.kind]
    return _item("watermark", values, text)


def _fingerprint(found: Fingerprint) -> Evidence:
    hashes = [{"pts": pts, "pdq": code, "quality": quality} for pts, code, quality in found.hashes]
    values: dict[str, Any] = {"method": "PDQ, 256 bits", "hashes": hashes}
    text = f"{len(hashes)} perceptual hashes, one a second, to find the pictures again elsewhere."
    if found.reason:
        text = f"Perceptual hashes could not all be taken ({found.reason}): {len(hashes)} are here."
    return _item("fingerprint", values, text)


def _visible(label: VisibleLabel) -> Evidence:
    values = {k: v for k, v in asdict(label).items() if v not in ("", 0.0)}
    text = {
        "found": f"The opening seconds show “{label.text}”, {label.height:.1%} of the short side "
        f"high, for {label.seconds:.1f} s.",
        "absent": "The opening seconds show no label that says AI-generated.",
        "unsure": f"The opening seconds may show a label; a person has to look ({label.reason}).",
        "not_examined": f"The opening seconds were not examined for a visible label "
        f"({label.reason}).",
    }[label.status]
    return _item("visible", values, text)
