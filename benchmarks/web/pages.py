"""How much a first view transfers, and how long until a view can be used, in a real browser."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
VIEW = {"width": 1280, "height": 900}


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start the system's Chromium.

    Raises:
        FileNotFoundError: There is none.
    """
    from playwright.sync_api import sync_playwright

    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise FileNotFoundError("no chromium on this machine (apt-get install chromium)")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


@contextlib.contextmanager
def page_of(started: Browser, **options: Any) -> Iterator[Page]:
    """Open a page of a new profile: nothing is cached."""
    context = started.new_context(viewport=VIEW, locale="en-GB", **options)
    try:
        yield context.new_page()
    finally:
        context.close()


def ready(page: Page, name: str) -> None:
    """Wait until a view is drawn and its controls answer."""
    page.wait_for_selector(f'html[data-ready="{name}"]', state="attached")


def first_view(started: Browser, url: str) -> tuple[float, int, int]:
    """Open the inbox in a new profile.

    Returns:
        Seconds until it can be used, bytes that came over the wire, and number of requests.
    """
    with page_of(started) as page:
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        start = time.perf_counter()
        page.goto(url, wait_until="commit")
        ready(page, "inbox")
        seconds = time.perf_counter() - start
        page.wait_for_load_state("networkidle")
        return seconds, int(sum(sizes)), len(sizes)


def open_case(started: Browser, url: str, case: str) -> tuple[float, float]:
    """Open a case in a new profile.

    Returns:
        Seconds until it can be used, and until the clip shows a picture at the first moment.
    """
    with page_of(started) as page:
        start = time.perf_counter()
        page.goto(f"{url}/#/case/{case}", wait_until="commit")
        ready(page, "case")
        usable = time.perf_counter() - start
        page.evaluate(
            """() => new Promise((done) => {
                const video = document.querySelector("video");
                const shown = () => video.readyState > 1 && !video.seeking;
                const look = () => shown() ? done() : setTimeout(look, 5);
                look();
            })"""
        )
        return usable, time.perf_counter() - start
