"""``/v1``: reviews, reports, pictures, the upload itself, and what leaves the desk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse

from forensics.errors import UsageError
from forensics.report.model import records_to_json
from forensics.store import Case
from forensics.web.api import REFUSALS, Refused, TheCase, TheDesk
from forensics.web.desk import Desk
from forensics.web.exports import case_jws, review_manifest
from forensics.web.jobs import QueueFullError
from forensics.web.models import Language, Problem, ReviewIn
from forensics.web.playable import media_type

router = APIRouter(prefix="/v1", responses=REFUSALS)
_EARLY: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "Not done yet."}}


def _report(desk: Desk, case: Case) -> dict[str, Any]:
    """Return the latest report, unless the case is being scanned."""
    text = desk.store.report(case.id) if case.state == "done" else None
    if text is None:
        raise Refused(409, "not_done", "the scan is not done yet")
    report: dict[str, Any] = json.loads(text)
    return report


def _attached(content: str | bytes, kind: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(content, media_type=kind, headers=headers)


@router.get("/scans/{case}/report.json", responses=_EARLY)
def report_json(desk: TheDesk, found: TheCase) -> Response:
    """Return the report as it was sealed."""
    content = records_to_json([_report(desk, found)])
    return _attached(content, "application/json", f"{found.id}.json")


@router.get("/scans/{case}/report.html", responses=_EARLY)
def report_html(desk: TheDesk, found: TheCase) -> Response:
    """Return the report as a page to save; it is never shown in place."""
    _report(desk, found)
    path = desk.folder(found.id) / "report.html"
    if not path.is_file():
        raise Refused(404, "no_such_file", "there is no page: the file could not be examined")
    return _attached(path.read_bytes(), "text/html; charset=utf-8", f"{found.id}.html")


@router.get("/scans/{case}/report.pdf", responses=_EARLY)
def report_pdf(desk: TheDesk, found: TheCase, lang: Language = "en") -> Response:
    """Return the report and its reviews as a PDF."""
    from forensics.web.pdf import report_pdf as make

    folder = desk.folder(found.id) / "evidence"
    pictures = [
        (folder / f"{p['n']}.png", folder / f"{p['n']}-heat.png" if p["heat"] else None, p)
        for p in found.pictures
    ]
    reviews = [
        {"reviewer": r.reviewer, "opinion": r.opinion, "note": r.note,
         "time": r.time.isoformat(timespec="minutes")} for r in desk.store.reviews(found.id)
    ]  # fmt: skip
    content = make(
        _report(desk, found), case=found.id, decision=found.decision, reviews=reviews,
        pictures=pictures, language=lang,
    )  # fmt: skip
    return _attached(content, "application/pdf", f"{found.id}.pdf")


@router.get("/scans/{case}/case.jws", responses=_EARLY)
def jws(desk: TheDesk, found: TheCase) -> Response:
    """Return report and reviews under one signature (compact JWS, Ed25519)."""
    content = case_jws(desk, found, _report(desk, found))
    return _attached(content, "application/jose", f"{found.id}.jws")


@router.get("/scans/{case}/evidence", responses=_EARLY)
def evidence(desk: TheDesk, found: TheCase) -> JSONResponse:
    """List the evidence pictures."""
    _report(desk, found)
    return JSONResponse([
        dict(p) | {"url": f"/v1/scans/{found.id}/evidence/{p['n']}.png"} for p in found.pictures
    ])  # fmt: skip


@router.get("/scans/{case}/evidence/{number:int}.png")
def picture(desk: TheDesk, found: TheCase, number: int) -> Response:
    """Return a suspicious crop."""
    return _picture(desk, found, f"{number}.png")


@router.get("/scans/{case}/evidence/{number:int}-heat.png")
def heat(desk: TheDesk, found: TheCase, number: int) -> Response:
    """Return the heat map of a crop, see-through where nothing stood out."""
    return _picture(desk, found, f"{number}-heat.png")


def _picture(desk: Desk, case: Case, name: str) -> Response:
    return _shown(desk.folder(case.id) / "evidence" / name, "image/png")


def _shown(path: Path, kind: str) -> Response:
    if not path.is_file():
        raise Refused(404, "no_such_file", "no such file")
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})


@router.get("/scans/{case}/media")
def media(desk: TheDesk, found: TheCase) -> Response:
    """Return the upload: in place as picture or video, else as a nameless attachment."""
    path = desk.media(found)
    if path is None:
        raise Refused(404, "no_such_file", "the upload is gone")
    with path.open("rb") as stream:
        kind = media_type(stream.read(16))
    if kind is None:
        headers = {"Content-Disposition": 'attachment; filename="upload.bin"',
                   "Content-Security-Policy": "sandbox; default-src 'none'"}  # fmt: skip
        return FileResponse(path, media_type="application/octet-stream", headers=headers)
    return _shown(path, kind)


@router.post("/scans/{case}/preview", status_code=202, responses={503: {"model": Problem}})
def start_preview(desk: TheDesk, found: TheCase) -> JSONResponse:
    """Have a derived copy made that a browser can play."""
    try:
        desk.start_preview(found)
    except QueueFullError:
        raise Refused(503, "queue_full", "too many scans wait; try again later") from None
    return JSONResponse(desk.preview(found.id), status_code=202)


@router.get("/scans/{case}/preview")
def preview(desk: TheDesk, found: TheCase) -> dict[str, Any]:
    """Say how far the derived copy is."""
    return desk.preview(found.id)


@router.get("/scans/{case}/preview.mp4")
def preview_video(desk: TheDesk, found: TheCase) -> Response:
    """Return the derived copy of a clip."""
    return _shown(desk.folder(found.id) / "preview.mp4", "video/mp4")


@router.get("/scans/{case}/preview.png")
def preview_picture(desk: TheDesk, found: TheCase) -> Response:
    """Return the derived copy of a still picture."""
    return _shown(desk.folder(found.id) / "preview.png", "image/png")


@router.get("/scans/{case}/reviews")
def reviews(desk: TheDesk, found: TheCase) -> JSONResponse:
    """List the reviews of a case, oldest first."""
    return JSONResponse([
        {"reviewer": r.reviewer, "opinion": r.opinion, "note": r.note, "time": r.time.isoformat()}
        for r in desk.store.reviews(found.id)
    ])  # fmt: skip


@router.post("/scans/{case}/reviews", status_code=201, responses=_EARLY)
def add_review(desk: TheDesk, found: TheCase, body: ReviewIn) -> JSONResponse:
    """Enter a review into the custody log and the case."""
    _report(desk, found)
    desk.review(found, body.reviewer, body.opinion, body.note)
    after = desk.store.case(found.id)
    return JSONResponse({"decision": after.decision if after else "open"}, status_code=201)


@router.get("/scans/{case}/custody")
def custody(desk: TheDesk, found: TheCase) -> JSONResponse:
    """Return the lines of the custody log that belong to a case."""
    return JSONResponse({"lines": desk.custody(found)})


@router.get("/scans/{case}/statement", responses=_EARLY)
def statement(desk: TheDesk, found: TheCase, lang: Language = "en") -> Response:
    """Return a statement of reasons for the person concerned, with blanks to fill in."""
    from forensics.web.statement import statement as write

    readers = {" ".join(r.reviewer.split()).casefold() for r in desk.store.reviews(found.id)}
    return PlainTextResponse(
        write(
            _report(desk, found), case=found.id, decision=found.decision,
            readers=len(readers), language=lang,
        )
    )  # fmt: skip


@router.get("/reviews/export")
def export_reviews(
    desk: TheDesk, path: Annotated[bool, Query(description="Name stored files.")] = False
) -> Response:
    """Return every decided case as a line of a manifest (JSON Lines)."""
    return _attached(review_manifest(desk, stored=path), "application/jsonl", "reviews.jsonl")


@router.get("/key")
def key(desk: TheDesk) -> Response:
    """Return the public key that this desk signs with."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from forensics.report.custody.keys import load_public

    try:
        public = load_public(desk.key)
    except UsageError as error:
        raise Refused(404, "no_key", str(error)) from error
    content = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _attached(content, "application/x-pem-file", "report.pub.pem")
