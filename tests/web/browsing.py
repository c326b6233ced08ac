"""A real browser that notices every console error and every request to elsewhere."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 60_000.0


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """Start the system's Chromium, or skip with the reason."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One page, and what it did that it should not have.

    Attributes:
        page: The page.
        faults: Console errors, script errors, requests to elsewhere.
    """

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def open(self, place: str, ready: str) -> None:
        """Open a view and wait until it is drawn."""
        self.page.goto(f"{self.url}/{place}")
        self.drawn(ready)

    def drawn(self, ready: str) -> None:
        """Wait until a view is drawn."""
        self.page.wait_for_selector(f'html[data-ready="{ready}"]', state="attached")

    def allow(self, status: int) -> None:
        """Forget that the browser logged an answer which the test provoked."""
        self.faults = [fault for fault in self.faults if f"status of {status}" not in fault]


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """Open a fresh browser context; its faults fail the test."""
    context = browser.new_context(**({"locale": "en-GB"} | options))
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    visit = Visit(page, url)
    page.on(
        "console",
        lambda said: visit.faults.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: visit.faults.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((f"{url}/", "blob:", "data:"))
            else visit.faults.append(f"external request: {asked.url}")
        ),
    )
    try:
        yield visit
    finally:
        context.close()
    assert visit.faults == []
