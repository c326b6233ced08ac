"""``/v1/cases``: the list, and one case with all that its page shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from forensics.store import Case, Filter
from forensics.web.api import REFUSALS, TheDesk, case_of, progress_of
from forensics.web.decisions import Said, second_needed
from forensics.web.desk import Desk
from forensics.web.models import (
    CaseId,
    DecisionName,
    Language,
    OutcomeName,
    Sort,
    StateName,
    Text,
    VerdictName,
)
from forensics.web.playable import playable
from forensics.web.words import explained, threshold_of

T = TypeVar("T")
router = APIRouter(prefix="/v1", responses=REFUSALS)


async def _ask(desk: Desk, work: Callable[[], T], *, brief: bool = True) -> T:
    """Look something up: at once where a local file answers in a millisecond, else in a thread.

    Handing such a small piece to a thread and back costs as much as the piece itself.
    """
    if brief and desk.local:
        return work()
    return await run_in_threadpool(work)


@router.get("/cases")
async def cases(
    desk: TheDesk,
    verdict: VerdictName | None = None,
    decision: DecisionName | None = None,
    state: StateName | None = None,
    outcome: OutcomeName | None = None,
    q: Annotated[Text, Query(max_length=200)] = "",
    sort: Sort = "-created",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSONResponse:
    """List cases, one page at a time."""

    def work() -> JSONResponse:
        return _page(desk, wanted, order, offset, limit)

    wanted = Filter(verdict=verdict, decision=decision, state=state, outcome=outcome, text=q)
    # Cases are numbered as they come in, and by number no database has to sort.
    order = sort.replace("created", "number")
    return await _ask(desk, work, brief=not q and outcome is None)


def _page(desk: Desk, wanted: Filter, order: str, offset: int, limit: int) -> JSONResponse:
    found = desk.store.find(wanted, sort=order, offset=offset, limit=limit)
    everything = sum(found.states.values())
    return JSONResponse({
        "items": [_row(desk, case) for case in found.cases],
        "total": found.total,
        "total_all": everything,
        "counts": found.states,
        "batch": {"total": desk.batch(), "waiting": desk.jobs.waiting},
    })  # fmt: skip


@router.get("/cases/{case}")
async def case_with_report(desk: TheDesk, case: CaseId, lang: Language = "en") -> Response:
    """Return everything about one case: its report, and each item of evidence in words."""
    return await _ask(desk, lambda: _case(desk, case, lang))


def _case(desk: Desk, case: str, lang: str) -> Response:
    found = case_of(desk, case)
    text = desk.store.report(found.id) if found.state == "done" else None
    report = json.loads(text or "{}")
    limit = threshold_of(report)
    reviews = desk.store.reviews(found.id)
    said = [Said(one.reviewer, one.opinion) for one in reviews]
    own = desk.upload(found.id)
    media = own or desk.media(found)
    expires = desk.expires(found) if own else None
    head = _row(desk, found) | {
        "pictures": list(found.pictures),
        "media": {"url": f"/v1/scans/{found.id}/media", "playable": playable(media, report)},
        "reviews": [
            {"reviewer": r.reviewer, "opinion": r.opinion, "note": r.note,
             "time": r.time.isoformat()} for r in reviews
        ],
        "second_needed": second_needed(found.verdict or "", said, desk.settings.second_reader),
        "expires": expires.isoformat() if expires else None,
        "sealed": found.record_sha256 is not None,
        "own": own is not None,
        "here": media is not None,
        "explanations": [explained(item, limit, lang) for item in report.get("evidence", ())],
    }  # fmt: skip
    body = json.dumps(head)[:-1] + f', "report": {text or "null"}}}'
    return Response(body, media_type="application/json")


def _row(desk: Desk, case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "name": case.name,
        "path": case.path,
        "bytes": case.bytes,
        "created": case.created.isoformat(),
        "finished": case.finished.isoformat() if case.finished else None,
        "state": case.state,
        "progress": progress_of(desk, case.id) if case.state != "done" else None,
        "verdict": case.verdict,
        "probability": case.probability,
        "declaration": case.declaration,
        "error": case.error,
        "same_as": case.same_as,
        "same_stream": case.same_stream,
        "near": case.near,
        "decision": case.decision,
        "review_count": case.reviews,
    }
