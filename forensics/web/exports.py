"""What leaves the desk: a signed case, and reviews as calibration data."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forensics.report.custody import jws
from forensics.report.custody.canonical import canonical
from forensics.report.custody.keys import encode, load_private
from forensics.store import Filter
from forensics.web.decisions import training_label

if TYPE_CHECKING:
    from forensics.store import Case
    from forensics.web.desk import Desk

CASE_TYPE = "forensics-case+json"
_DECIDED = ("confirmed", "rejected")


def case_jws(desk: Desk, case: Case, report: Mapping[str, Any]) -> str:
    """Return report and reviews as one compact JWS (RFC 7515) with its content inside."""
    content = canonical({
        "case": case.id,
        "decision": case.decision,
        "exported_at": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "report": report,
        "report_sha256": desk.digest(case),
        "reviews": [
            {"reviewer": r.reviewer, "opinion": r.opinion, "note": r.note,
             "time": r.time.isoformat(timespec="seconds")} for r in desk.store.reviews(case.id)
        ],
    })  # fmt: skip
    detached = jws.sign(content, load_private(desk.key), typ=CASE_TYPE)
    head, _, signature = detached.partition("..")
    return f"{head}.{encode(content)}.{signature}"


def review_manifest(desk: Desk, *, stored: bool) -> str:
    """Return decided cases as manifest lines for ``forensics evaluate``.

    Args:
        desk: Whose cases.
        stored: Name the files as they lie on this machine; else as they were given.
    """
    lines = []
    decided = (c for name in _DECIDED for c in desk.store.each(Filter(decision=name)))
    for case in decided:
        report: dict[str, Any] = json.loads(desk.store.report(case.id) or "{}")
        media = desk.media(case) if stored else None
        place = str(media.absolute()) if media else case.path
        line = {
            "path": place,
            "label": training_label(case.decision),
            "group": report["file"]["sha256"] or case.id,
            "source": "review",
            "readers": case.reviews,
            "verdict": case.verdict,
            "llr": report["verdict"]["llr"],
            "weights_sha256": report["environment"]["weights_sha256"],
        }
        lines.append(json.dumps(line, ensure_ascii=False))
    return "".join(line + "\n" for line in lines)
