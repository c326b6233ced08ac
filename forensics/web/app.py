"""Put the server together: routes, page, guard, metrics and the clean end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from forensics import __version__
from forensics.errors import ForensicsError, UsageError
from forensics.web import api, api_cases, api_files
from forensics.web.desk import Desk
from forensics.web.metrics import Metrics
from forensics.web.security import Buckets, Guard, Sessions

if TYPE_CHECKING:
    from starlette.types import Scope

    from forensics.web.settings import ServeSettings

STATIC = Path(__file__).parent / "static"
_HOUSEKEEPING = 3600.0
_THREADS = 8
_DOCS = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/swagger/swagger-ui.css"></head>
<body><main id="api"></main><script src="/static/swagger/swagger-ui-bundle.js"></script>
<script src="/static/js/docs.js"></script></body></html>
"""


class _Static(StaticFiles):
    """Files of the page: a browser asks again each time and gets 304 for what it has."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _App(FastAPI):
    """The application; the guard wraps even what answers to errors."""

    guard: Guard | None = None

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request."""
        inner = super().__call__
        if scope["type"] == "lifespan" or self.guard is None:
            await inner(scope, receive, send)
        else:
            await self.guard(scope, receive, send)

    async def unguarded(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a request that has passed the guard."""
        await super().__call__(scope, receive, send)


def create_app(settings: ServeSettings) -> FastAPI:
    """Build the application.

    Args:
        settings: How to serve.

    Raises:
        OutputError: Folder, key, log or store cannot be used.
    """
    desk = Desk(settings)
    metrics = Metrics(desk)
    sessions = Sessions()

    @contextlib.asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        # More threads than this only wait for each other: what they do is mostly Python.
        current_default_thread_limiter().total_tokens = _THREADS
        keeper = asyncio.create_task(_keep_house(desk))
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.to_thread(desk.close)

    app = _App(
        title="deepfake-forensics", version=__version__, lifespan=life, docs_url=None,
        redoc_url=None, summary="Scans, cases, reviews and signed reports. Nothing leaves it.",
    )  # fmt: skip
    app.state.desk, app.state.sessions = desk, sessions
    app.state.tries = Buckets(10 / 60, 10.0)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=3)
    app.include_router(api.router)
    app.include_router(api_cases.router)
    app.include_router(api_files.router)
    _pages(app, metrics)
    _failures(app)
    app.guard = Guard(app.unguarded, settings=settings, sessions=sessions, count=metrics.count)
    return app


def _pages(app: FastAPI, metrics: Metrics) -> None:
    app.mount("/static/swagger", _Static(directory=_swagger()), name="swagger")
    app.mount("/static", _Static(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(_DOCS)

    @app.get("/metrics", include_in_schema=False)
    def numbers() -> Response:
        return Response(metrics.text(), media_type=metrics.media_type)


def _swagger() -> Path:
    """Return the folder with Swagger UI that the ``[serve]`` extra brings along."""
    import fastapi_offline

    return Path(fastapi_offline.__file__).parent / "static"


def _failures(app: FastAPI) -> None:
    """Answer every failure with a code and one line, never with a traceback."""

    def answer(status: int, code: str, detail: str) -> JSONResponse:
        return JSONResponse({"code": code, "detail": detail}, status_code=status)

    @app.exception_handler(api.Refused)
    def refused(_request: Request, error: api.Refused) -> JSONResponse:
        return answer(error.status, error.code, error.detail)

    @app.exception_handler(UsageError)
    def usage(_request: Request, error: UsageError) -> JSONResponse:
        return answer(400, error.reason, str(error))

    @app.exception_handler(ForensicsError)
    def failed(_request: Request, error: ForensicsError) -> JSONResponse:
        return answer(500, error.reason, str(error))

    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> JSONResponse:
        response = answer(error.status_code, "http", str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return answer(422, "invalid", f"{place}: {first['msg']}")


async def _keep_house(desk: Desk) -> None:
    """Delete what has outlived its retention, at the start and then every hour."""
    while True:
        with contextlib.suppress(ForensicsError):
            await asyncio.to_thread(desk.expire)
        await asyncio.sleep(_HOUSEKEEPING)
