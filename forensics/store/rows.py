"""Turn reports into rows, and rows into what callers get."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from forensics.report.plain import text
from forensics.store.cases import Case

_CODED = ("options", "pictures")
_NAMES = tuple(item.name for item in fields(Case))
_PASSING = frozenset({"worker_crashed", "timeout", "internal", "lost"})


def clean(value: str) -> str:
    """Return a text that every database takes: no lone surrogate, no NUL."""
    return text(value).replace("\0", "\\x00")


def encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns of the cases table for fields of a `Case`."""
    columns: dict[str, Any] = {}
    for name, value in values.items():
        if name in _CODED:
            value = json.dumps(list(value) if name == "pictures" else dict(value), sort_keys=True)
        elif name == "reasons":
            value = _joined(value)
        columns[name] = clean(value) if isinstance(value, str) else value
    return columns


def case_row(case: Case) -> dict[str, Any]:
    """Return the columns of a new case."""
    return encoded({name: getattr(case, name) for name in _NAMES if name != "number"})


def case_from(row: Mapping[Any, Any]) -> Case:
    """Return the case that a row holds."""
    values = {name: row[name] for name in _NAMES}
    for name in _CODED:
        values[name] = _decoded(values[name])
    values["reasons"] = tuple(values["reasons"].split())
    return Case(**values)


@lru_cache(maxsize=256)
def _decoded(text: str) -> Any:
    """Return JSON data; most cases of a list share theirs. It is not to be changed."""
    return json.loads(text)


def current(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a case that follow from its latest report."""
    verdict, file = report["verdict"], report["file"]
    low, high = verdict["interval"] or (None, None)
    scores = [
        item["score"]
        for track in report["tracks"]
        for item in track["scores"]
        if item["score"] is not None
    ]
    return encoded({
        "sha256": file["sha256"], "verdict": verdict["label"],
        "probability": verdict["probability"], "low": low, "high": high, "llr": verdict["llr"],
        "score": max(scores, default=None), "reasons": verdict["reasons"],
        "error": report["error"], "declaration": report["declaration"]["status"],
    })  # fmt: skip


def weights_of(report: Mapping[str, Any]) -> str:
    """Return which detectors ran, with the start of their weights' digests."""
    found = report["environment"].get("weights_sha256") or {}
    return " ".join(f"{name}:{str(digest)[:12]}" for name, digest in sorted(found.items()))


def lasting(report: Mapping[str, Any]) -> bool:
    """Tell whether the same bytes would give this report again."""
    reasons = set(report["verdict"]["reasons"])
    return report["file"]["sha256"] is not None and not reasons & _PASSING


def file_row(report: Mapping[str, Any], looks: str | None) -> dict[str, Any] | None:
    """Return the facts about a content, or None where it could not be hashed."""
    file = report["file"]
    if file["sha256"] is None:
        return None
    width, height = file.get("size") or (None, None)
    row = {name: file.get(name) for name in ("sha256", "bytes", "kind", "duration", "fps",
                                             "codec", "container")}  # fmt: skip
    packets = [item["values"].get("packets_sha256") for item in report["evidence"]
               if item["kind"] == "compression"]  # fmt: skip
    return row | {"width": width, "height": height, "looks": looks,
                  "packets": next(iter(packets), None)}  # fmt: skip


def evidence_rows(scan: int, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a fact."""
    return [
        {
            "scan": scan, "position": position, "source": clean(item["source"]),
            "kind": clean(item["kind"]), "llr": item["llr"], "start": item["span"][0],
            "stop": item["span"][1], "track": item["track_id"],
            "content": json.dumps(item["values"]), "explanation": clean(item["explanation"]),
        }
        for position, item in enumerate(report["evidence"])
    ]  # fmt: skip


def finding_rows(scan: int, case: str, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a finding."""
    return [
        {
            "scan": scan, "position": position, "case": case, "rule": clean(item["rule"])[:64],
            "jurisdiction": clean(item["jurisdiction"])[:16], "outcome": item["outcome"],
            "severity": clean(item["severity"])[:16],
        }
        for position, item in enumerate(report["findings"])
    ]  # fmt: skip


def _joined(codes: Any) -> str:
    """Join codes so that `` code `` finds a whole one."""
    return f" {' '.join(codes)} " if codes else ""
