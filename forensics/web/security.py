"""What every request passes first: host, rate, origin and token; and what every answer carries."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from forensics.web.settings import ServeSettings

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
COOKIE = "forensics_session"
SESSION_SECONDS = 12 * 3600.0
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = ("/", "/v1/health", "/v1/session", "/favicon.ico")
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_MAX_ADDRESSES = 10_000
_BURST = 10.0  # seconds' worth of requests that may come at once
_TRIES = 10 / 60.0  # wrong tokens a second from one address


class Buckets:
    """Token buckets by address; the least recently seen address is forgotten first."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, cost: float = 1.0) -> float:
        """Take ``cost`` and return 0, or the seconds to wait when there is not enough."""
        now = time.monotonic()
        left, before = self._seen.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - before) * self._rate)
        waits = 0.0 if left >= cost else (cost - left) / self._rate
        self._seen[address] = (left if waits else left - cost, now)
        if len(self._seen) > _MAX_ADDRESSES:
            self._seen.popitem(last=False)
        return waits


class Sessions:
    """Random session ids that stand for the token, for a browser's cookie."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}

    def open(self) -> str:
        """Return a new id."""
        now = time.monotonic()
        self._ends = {name: end for name, end in self._ends.items() if end > now}
        name = secrets.token_urlsafe(32)
        self._ends[name] = now + SESSION_SECONDS
        return name

    def holds(self, name: str) -> bool:
        """Tell whether the id was given out and has not ended."""
        return self._ends.get(name, 0.0) > time.monotonic()

    def close(self, name: str) -> None:
        """Forget the id."""
        self._ends.pop(name, None)


class Guard:
    """ASGI middleware that refuses before anything of the request is looked at.

    Args:
        app: What answers the requests that pass.
        settings: Host, token and rates.
        sessions: Session ids given out.
        count: Called with method, route and status of every answer, and its seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServeSettings,
        sessions: Sessions,
        count: Callable[[str, str, int, float], None],
    ) -> None:
        self._app, self._settings, self._sessions = app, settings, sessions
        self._count = count
        self._reads = Buckets(settings.reads, settings.reads * _BURST)
        self._writes = Buckets(settings.writes, settings.writes * _BURST)
        self._tries = Buckets(_TRIES, 10.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a refusal."""
        if scope["type"] != "http":
            if scope["type"] != "lifespan":
                return
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                own = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in HEADERS if name not in own]
                if scope["path"].startswith("/v1/") and b"cache-control" not in own:
                    headers.append((b"cache-control", b"no-store"))
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is None:
                await self._app(scope, receive, answer)
            else:
                await _refuse(answer, *refusal)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._count(scope["method"], route, status, time.perf_counter() - start)

    def _refusal(self, scope: Scope) -> tuple[int, str, str, float] | None:
        headers = _headers(scope)
        host = headers.get("host", "")
        if self._settings.loopback and _name_of(host) not in _LOCAL:
            # A page elsewhere that re-binds its name to this machine must not reach it.
            return 421, "wrong_host", "this server answers to localhost only", 0.0
        safe = scope["method"] in _SAFE
        address = (scope.get("client") or ("unknown",))[0]
        wait = (self._reads if safe else self._writes).take(address)
        if wait:
            return 429, "too_many_requests", "too many requests; try again later", wait
        if not safe:
            foreign = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
            # The scheme is left out: a proxy in front may speak TLS where this server does not.
            if foreign or headers.get("origin", f"//{host}").partition("//")[2] != host:
                return 403, "cross_origin", "a change may only come from this server's page", 0.0
        path = scope["path"]
        if self._settings.token is None or path in _OPEN or path.startswith("/static/"):
            return None
        if self._known(headers):
            return None
        if "authorization" in headers and (wait := self._tries.take(address)):
            return 429, "too_many_requests", "too many wrong tokens; try again later", wait
        return 401, "not_signed_in", "a valid token is needed", 0.0

    def _known(self, headers: dict[str, str]) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.right_token(token.strip()):
            return True
        return self._sessions.holds(session_of(headers.get("cookie", "")))

    def right_token(self, token: str) -> bool:
        """Compare in constant time."""
        expected = self._settings.token or ""
        return bool(expected) and hmac.compare_digest(token.encode(), expected.encode())


def session_of(cookie: str) -> str:
    """Return the session id in a Cookie header, or an empty text."""
    try:
        found = SimpleCookie(cookie).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _headers(scope: Scope) -> dict[str, str]:
    return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}


def _name_of(host: str) -> str:
    """Return the host without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def _refuse(
    send: Callable[[Any], Any], status: int, code: str, detail: str, wait: float = 0.0
) -> None:
    body = json.dumps({"code": code, "detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if wait:
        headers.append((b"retry-after", b"%d" % max(1, round(wait))))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
