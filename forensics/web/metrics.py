"""Prometheus metrics, counted in this process alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

if TYPE_CHECKING:
    from forensics.web.desk import Desk


class Metrics:
    """Counters of requests and gauges of cases.

    Args:
        desk: Whose cases.
    """

    media_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "forensics_requests", "Requests answered.", ("method", "route", "status"),
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "forensics_request_seconds", "Time to answer.", ("route",), registry=self._registry
        )
        self._cases = Gauge(
            "forensics_cases", "Cases by state.", ("state",), registry=self._registry
        )
        self._waiting = Gauge(
            "forensics_waiting", "Scans and previews that wait or run.", registry=self._registry
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answer."""
        known = method if method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS") else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return every metric in the text format."""
        states = self._desk.store.find(limit=1).states
        for state in ("queued", "running", "done"):
            self._cases.labels(state).set(states.get(state, 0))
        self._waiting.set(self._desk.jobs.waiting)
        return generate_latest(self._registry)
