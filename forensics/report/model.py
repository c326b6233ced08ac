"""The JSON form of a report, field by field as the published schema has it.

Two optional entries of ``report.environment`` fill places that the types do not hold:
``file`` (``sha256``, ``bytes``) for an input that could be hashed but not opened, and
``config_sha256``, which is computed from ``config`` when it is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from forensics.report.plain import number, plain, seconds, text
from forensics.types import (
    SCHEMA_VERSION,
    SCOPE,
    Declaration,
    Evidence,
    Finding,
    Report,
    TrackResult,
    Verdict,
)


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) that every report follows. Treat it as read-only."""
    loaded: dict[str, Any] = json.loads(
        Path(__file__).with_name("schema.json").read_text(encoding="utf-8")
    )
    return loaded


def config_digest(config: Mapping[str, Any]) -> str:
    """Return the SHA-256 hex digest of a configuration in canonical JSON.

    Canonical: keys sorted, no spaces, ASCII escapes, floats unrounded. The ``config`` printed in a
    report gives the same digest.
    """
    canonical = json.dumps(plain(config, digits=None), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def report_to_dict(report: Report) -> dict[str, Any]:
    """Return the report as plain JSON types in the contract's field order.

    Floats are rounded to 6 significant digits and times to the microsecond; a number that is NaN
    or infinite becomes None, which in ``scores`` marks an instant that was not judged.
    ``environment.config`` is not rounded, so that its digest can be checked.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "scope": SCOPE,
        "file": _file(report),
        "tracks": [_track(track) for track in report.tracks],
        "evidence": [_evidence(item) for item in report.evidence],
        "verdict": _verdict(report.verdict),
        "declaration": _declaration(report.declaration),
        "findings": [_finding(finding) for finding in report.findings],
        "actions": [text(action) for action in report.actions],
        "environment": _environment(report.environment),
        "error": None if report.error is None else text(report.error),
    }


def report_to_json(report: Report) -> str:
    """Return one report as indented JSON. ASCII only, so every terminal and pipe can carry it."""
    return _dumps(report_to_dict(report), indent=2) + "\n"


def reports_to_json(reports: Iterable[Report]) -> str:
    """Return one JSON object for one report, a JSON list for none or several."""
    return records_to_json([report_to_dict(report) for report in reports])


def reports_to_jsonl(reports: Iterable[Report]) -> str:
    """Return JSON Lines: one report per line."""
    return records_to_jsonl([report_to_dict(report) for report in reports])


def records_to_json(records: Sequence[Mapping[str, Any]]) -> str:
    """Return reports that are JSON-ready already as `reports_to_json` does."""
    return _dumps(records[0] if len(records) == 1 else list(records), indent=2) + "\n"


def records_to_jsonl(records: Sequence[Mapping[str, Any]]) -> str:
    """Return reports that are JSON-ready already as JSON Lines."""
    return "".join(_dumps(record, indent=None) + "\n" for record in records)


def _dumps(value: Any, *, indent: int | None) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=indent)


def _file(report: Report) -> dict[str, Any]:
    """Describe the input; what is not known of an unreadable one is None."""
    facts: dict[str, Any] = {"path": text(report.path)}
    if facts["path"] != str(report.path):
        facts["path_bytes_hex"] = os.fsencode(report.path).hex()
    clip = report.clip
    if clip is None:
        known = plain(report.environment.get("file", {}))
        known = known if isinstance(known, dict) else {}
        names = ("duration", "fps", "size", "codec", "container", "rotation", "kind", "streams")
        return (
            facts
            | {"sha256": known.get("sha256"), "bytes": known.get("bytes")}
            | dict.fromkeys((*names, "has_audio"))
        )
    return facts | {
        "sha256": clip.sha256,
        "bytes": int(clip.bytes),
        "duration": seconds(clip.duration),
        "fps": number(clip.fps),
        "size": [int(clip.size[0]), int(clip.size[1])],
        "codec": text(clip.codec),
        "container": text(clip.container),
        "rotation": int(clip.rotation),
        "kind": clip.kind,
        "streams": int(clip.streams),
        "has_audio": bool(clip.has_audio),
    }


def _track(track: TrackResult) -> dict[str, Any]:
    return {
        "id": int(track.id),
        "span": [seconds(track.span[0]), seconds(track.span[1])],
        "quality": plain(track.quality),
        "boxes": [
            {"pts": seconds(pts), "box": [round(float(edge), 1) for edge in box]}
            for pts, *box in track.boxes
        ],
        "scores": [{"pts": seconds(pts), "score": number(score)} for pts, score in track.scores],
        "llr": number(track.llr),
        "abstained": bool(track.abstained),
        "reasons": [text(code) for code in track.reasons],
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    return {
        "source": text(item.source),
        "kind": text(item.kind),
        "llr": number(item.llr),
        "span": [seconds(item.span[0]), seconds(item.span[1])],
        "track_id": None if item.track_id is None else int(item.track_id),
        "values": plain(item.values),
        "explanation": text(item.explanation),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    interval = None
    if verdict.interval is not None:
        ends = [number(verdict.interval[0]), number(verdict.interval[1])]
        interval = None if None in ends else ends
    return {
        "label": verdict.label,
        "probability": number(verdict.probability),
        "interval": interval,
        "llr": number(verdict.llr),
        "prior": number(verdict.prior),
        "reasons": [text(code) for code in verdict.reasons],
    }


def _declaration(declaration: Declaration) -> dict[str, Any]:
    return {
        "status": declaration.status,
        "by": [text(site) for site in declaration.by],
        "integrity": declaration.integrity,
        "signer_trust": declaration.signer_trust,
        "timestamp_trust": declaration.timestamp_trust,
        "codes": [text(code) for code in declaration.codes],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": text(finding.rule),
        "jurisdiction": text(finding.jurisdiction),
        "outcome": finding.outcome,
        "severity": text(finding.severity),
        "evidence": [int(position) for position in finding.evidence],
        "message": plain(finding.message),
    }


def _environment(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Put the five promised entries first, then whatever else was recorded, sorted."""
    config = environment.get("config") or {}
    weights = environment.get("weights_sha256") or {}
    first = {
        "versions": plain(environment.get("versions") or {}),
        "weights_sha256": plain({"weights": weights} if isinstance(weights, str) else weights),
        "config": plain(config, digits=None),
        "config_sha256": text(environment.get("config_sha256") or config_digest(config)),
        "sampling": plain(environment.get("sampling") or {}),
    }
    others: dict[str, Any] = plain(
        {key: environment[key] for key in environment if key not in first}
    )
    return first | others
