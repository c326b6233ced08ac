"""``/v1``: scans, cases and what is known of this server."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from forensics import __version__
from forensics.store import Case
from forensics.types import SCOPE
from forensics.web.desk import Desk, policies
from forensics.web.models import (
    Accepted,
    CaseId,
    Problem,
    SessionIn,
    Text,
)
from forensics.web.security import COOKIE, SESSION_SECONDS, session_of
from forensics.web.uploads import RESERVE, UploadRefusedError, receive

REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in (
        (400, "Malformed or not allowed."),
        (401, "No valid token."),
        (403, "Asked for by another site's page."),
        (404, "No such case or file."),
        (429, "Too many requests."),
    )
}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "declared": {"type": "string", "enum": ["yes", "no", "unknown"]},
                        "policy": {"type": "string", "description": "For example cn,eu"},
                        "level": {"type": "string", "enum": ["fast", "full"]},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            }
        },
    }
}
router = APIRouter(prefix="/v1", responses=REFUSALS)


async def desk_of(request: Request) -> Desk:
    """Return the desk that this application serves."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]


class Refused(Exception):
    """A request that ends with a status, a code and a line."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(detail)


def case_of(desk: TheDesk, case: CaseId) -> Case:
    """Return the case that the path names.

    Raises:
        Refused: 404.
    """
    found = desk.store.case(case)
    if found is None:
        raise Refused(404, "no_such_case", "no such case")
    return found


TheCase = Annotated[Case, Depends(case_of)]


@router.get("/health")
def health(desk: TheDesk) -> dict[str, Any]:
    """Say that the server runs, and how much waits."""
    return {"status": "ok", "version": __version__, "waiting": desk.jobs.waiting}


@router.post(
    "/scans",
    status_code=202,
    response_model=Accepted,
    openapi_extra=_FORM,
    responses={
        code: {"model": Problem} for code in (408, 413, 415, 503, 507)
    },
)  # fmt: skip
async def submit(request: Request, desk: TheDesk, response: Response) -> dict[str, str]:
    """Take one file and queue its scan. The other fields come before the file."""
    import asyncio

    settings = desk.settings
    length = int(text) if (text := request.headers.get("content-length", "")).isdigit() else 0
    if length > settings.max_upload + 65536:
        detail = f"the file is larger than the limit of {settings.max_upload} bytes"
        raise Refused(413, "too_large", detail)
    if desk.jobs.full:
        raise Refused(503, "queue_full", "too many scans wait; try again later")
    if shutil.disk_usage(settings.cases).free < length + RESERVE:
        raise Refused(507, "disk_full", "the server's disk is full")
    case, folder = desk.begin()
    try:
        upload = await receive(
            request.stream(), request.headers.get("content-type", ""), folder,
            max_bytes=settings.max_upload, timeout=settings.upload_timeout,
            stall=settings.upload_stall,
        )  # fmt: skip
        options = desk.with_fields(upload.fields)
        await asyncio.to_thread(desk.submit, case, upload, options)
    except UploadRefusedError as error:
        desk.discard(case)
        raise Refused(error.status, error.code, error.detail) from error
    except BaseException:
        desk.discard(case)
        raise
    response.headers["Location"] = f"/v1/scans/{case}"
    return {"id": case, "state": "queued", "name": upload.name}


@router.get("/scans/{case}")
def scan(desk: TheDesk, case: CaseId) -> Response:
    """Return the state of a scan and, once it is done, its report."""
    import json

    found = case_of(desk, case)  # not as a dependency: that would be a second change of threads
    head = {"id": found.id, "state": found.state, "name": found.name,
            "progress": progress_of(desk, found.id)}  # fmt: skip
    # The report goes out as it was kept: taking it apart would cost more than the rest.
    body = json.dumps(head)[:-1] + f', "report": {desk.store.report(found.id) or "null"}}}'
    return Response(body, media_type="application/json")


@router.post(
    "/scans/{case}/rescan",
    status_code=202,
    response_model=Accepted,
    responses={503: {"model": Problem}},
)
def rescan(desk: TheDesk, found: TheCase) -> dict[str, str]:
    """Scan a case again: with today's weights, or one that a batch scanned without pictures."""
    from forensics.web.jobs import QueueFullError

    try:
        desk.rescan(found)
    except QueueFullError:
        raise Refused(503, "queue_full", "too many scans wait; try again later") from None
    return {"id": found.id, "state": "queued", "name": found.name}


@router.delete("/scans/{case}", status_code=204)
def delete(
    desk: TheDesk, found: TheCase, by: Annotated[Text, Query(max_length=100)] = ""
) -> Response:
    """Delete a case; the custody log keeps its lines and says so."""
    desk.delete(found, by)
    return Response(status_code=204)


@router.get("/detectors")
def detectors() -> list[dict[str, Any]]:
    """List the detectors and what each stands on."""
    return _detectors()


@router.get("/policies")
def policy_list() -> dict[str, Any]:
    """List the rules that can be applied, and the words for what they ask for."""
    from forensics.policy import list_rules
    from forensics.policy.actions import ACTIONS

    rules = [asdict(rule) | {"title": dict(rule.title)} for rule in list_rules()]
    actions = {code: {"en": en, "zh": zh} for code, (en, zh) in ACTIONS.items()}
    return {"jurisdictions": list(policies()), "rules": rules, "actions": actions}


@router.get("/about")
def about(desk: TheDesk) -> dict[str, Any]:
    """Say what the loaded weights can do, and how this server is set."""
    settings = desk.settings
    return {
        "version": __version__,
        "scope": SCOPE,
        "error_rate": _error_rate(),
        "detectors": _detectors(),
        "policies": list(policies()),
        "second_reader": settings.second_reader,
        "retention_days": settings.retention_days,
        "limits": {
            "max_upload": settings.max_upload,
            "max_duration": settings.options.limits.max_duration,
            "queue": settings.queue,
        },
    }


@router.get("/session")
def session(request: Request, desk: TheDesk) -> dict[str, bool]:
    """Say whether a token is needed and whether this browser has a session."""
    known = request.app.state.sessions.holds(session_of(request.headers.get("cookie", "")))
    return {"needed": desk.settings.token is not None, "open": known}


@router.post("/session", status_code=204)
def sign_in(request: Request, body: SessionIn) -> Response:
    """Trade the token for a cookie that scripts cannot read."""
    import hmac

    token = request.app.state.desk.settings.token
    address = request.client.host if request.client else "unknown"
    if token is None:
        return Response(status_code=204)
    if request.app.state.tries.take(address):
        raise Refused(429, "too_many_requests", "too many wrong tokens; try again later")
    if not hmac.compare_digest(body.token.encode("utf-8", "replace"), token.encode()):
        raise Refused(401, "wrong_token", "this is not the token of this server")
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE, request.app.state.sessions.open(), max_age=int(SESSION_SECONDS), httponly=True,
        samesite="strict", secure=request.url.scheme == "https", path="/",
    )  # fmt: skip
    return response


@router.delete("/session", status_code=204)
def sign_out(request: Request) -> Response:
    """End the browser session."""
    request.app.state.sessions.close(session_of(request.headers.get("cookie", "")))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


def progress_of(desk: Desk, case: str) -> list[int | None] | None:
    """Return how many pictures of a scan were seen and are planned, while it runs."""
    task = desk.jobs.find(case)
    return list(task.progress) if task is not None and task.progress is not None else None


def _detectors() -> list[dict[str, Any]]:
    from forensics.detectors import detector_info, list_detectors

    infos = [detector_info(name) for name in list_detectors()]
    return [
        {"name": i.name, "version": i.version, "summary": i.summary, "input": i.input,
         "default": i.default, "sha256": i.card.get("sha256") if i.card else None}
        for i in infos
    ]  # fmt: skip


def _error_rate() -> Any:
    from forensics.verdict.calibration import read_calibration

    return read_calibration().error_rates


__all__ = ["REFUSALS", "Refused", "TheCase", "TheDesk", "router"]
