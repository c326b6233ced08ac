"""The page in a real browser, as a reviewer uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.browsing import started, visiting
from tests.web.running import Running, listening, settings_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def desk(browser: Browser, models: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with listening(settings_for(tmp_path_factory.mktemp("browser"), workers=2)) as running:
        yield running


@pytest.fixture(scope="module")
def case(browser: Browser, desk: Running, blended: Path) -> str:
    """Upload through the page, watch the scan, and return the case's id."""
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open("", "inbox")
        page.get_by_label("European Union").check()
        page.set_input_files("#files", str(blended))
        link = page.locator(".uploads a")
        link.wait_for()
        page.locator("table.inbox progress, table.inbox .badge").first.wait_for()
        found = (link.get_attribute("href") or "").split("/")[-1]
        link.click()
        visit.drawn("case")
        assert page.locator(".verdict h2").is_visible()
        page.goto(f"{desk.url}/#/inbox")
        visit.drawn("inbox")
        assert page.locator(".inbox .badge").count() == 1
    return found


def test_upload_progress_and_case(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open(f"#/case/{case}", "case")
        for heading in ("At a glance", "Score over time", "Evidence: what was measured", "Rules",
                        "Quality: could each face be judged?", "The file",
                        "Provenance: what the file says of itself"):  # fmt: skip
            assert page.get_by_role("heading", name=heading, exact=True).count() == 1
        page.locator(".overlay .box").first.wait_for()  # once the size of the clip is known
        assert page.locator(".overlay .box").count() == 1, "a face is shown from the start"
        assert page.locator("article.card").count() >= 2
        assert page.locator("table.rules").count() >= 1


def test_the_timeline_seeks(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open(f"#/case/{case}", "case")
        page.wait_for_selector("video")
        now = "document.querySelector('video').currentTime"
        lane = page.get_by_role("slider", name="Moment in the clip, face 0")
        box = lane.bounding_box()
        assert box is not None
        lane.click(position={"x": box["width"] * 0.5, "y": box["height"] / 3})
        page.locator('.seek[aria-valuenow^="1."]').wait_for()
        assert 1.2 < page.evaluate(now) < 1.8, "the middle of three seconds"
        lane.press("End")
        page.locator('.seek[aria-valuenow^="3.0"]').wait_for()
        page.wait_for_function("() => !document.querySelector('video').seeking")
        # Events of the seek before may come this late; the moment asked for stands all the same.
        page.evaluate("document.querySelector('video').dispatchEvent(new Event('timeupdate'))")
        assert (lane.get_attribute("aria-valuenow") or "").startswith("3.0")
        lane.press("Home")
        page.locator('.seek[aria-valuenow="0.00"]').wait_for()
        page.evaluate("document.querySelector('video').play()")
        page.locator('.seek:not([aria-valuenow^="0.0"])').wait_for()  # a clip that plays moves on
        page.evaluate("document.querySelector('video').pause()")
        lane.press("Home")
        page.locator('.seek[aria-valuenow="0.00"]').wait_for()
        for _ in range(2):
            lane.press("ArrowRight")
        assert "score" in (lane.get_attribute("aria-valuetext") or "")
        # The box is drawn anew at every picture: find and measure it in one go.
        box = page.wait_for_function(
            "() => document.querySelector('.overlay .box')?.getBoundingClientRect().toJSON()"
        ).json_value()
        video = page.locator("video").bounding_box()
        assert video is not None
        assert video["x"] < box["x"] and box["x"] + box["width"] < video["x"] + video["width"]
        page.get_by_role("button", name=re.compile("Go to the highest score")).click()
        page.wait_for_timeout(200)
        assert page.evaluate(now) > 0


def test_the_heat_map_fades(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open(f"#/case/{case}", "case")
        layer = page.locator(".layers .heat").first
        layer.scroll_into_view_if_needed()
        for value, shown in (("0", "0"), ("100", "1")):
            page.locator("#heat").fill(value)
            assert layer.evaluate("e => getComputedStyle(e).opacity") == shown
        assert layer.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0


def test_review_and_statement(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open(f"#/case/{case}/review", "case-review")
        for reader, stands in (("Li Wei", "second reader needed"), ("Wu Min", "confirmed")):
            page.get_by_label("Confirm").check()
            page.get_by_label("Note").fill(f"a seam at the jaw <b>{reader}</b>")
            page.get_by_label("Your name").fill(reader)
            page.get_by_role("button", name="Sign off").click()
            page.locator("#decision", has_text=stands).wait_for()
        notes = page.locator(".reviews .note").all_inner_texts()
        assert notes[0] == "a seam at the jaw <b>Li Wei</b>", "text, never markup"
        assert page.locator("table", has_text="Review: Li Wei").count() == 1, "the custody log"
        statement = page.locator("#statement")
        assert "2 persons decided" in statement.input_value()
        page.get_by_label("Language of the statement").select_option("zh")
        page.locator("#statement[lang=zh-CN]").wait_for()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as text").click()
        assert "处理决定理由说明" in saved.value.path().read_text("utf-8")


def test_export(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open(f"#/case/{case}/export", "case-export")
        starts = {
            "Signed report (JSON)": b"{", "Signed case (JWS)": b"ey", "Report (HTML)": b"<!",
            "Report (PDF)": b"%PDF-", "Get reviews (JSON Lines)": b"",
            "Public key of this desk": b"-----BEGIN",
        }  # fmt: skip
        for name, start in starts.items():
            with page.expect_download() as saved:
                page.get_by_role("link", name=name).click()
            content = saved.value.path().read_bytes()
            assert content.startswith(start), name
            if name == "Signed report (JSON)":
                assert json.loads(content)["custody"]["signature"]


def test_language_and_theme_are_kept(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open("", "inbox")
        page.get_by_role("button", name="中文").click()
        page.get_by_role("heading", name="收件箱").wait_for()
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        page.get_by_label("浅色或深色").select_option("dark")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        visit.open(f"#/case/{case}", "case")
        page.reload()
        visit.drawn("case")
        assert page.get_by_role("heading", name="来源:文件对自身的说明").count() == 1
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
        english = page.locator("article.card [lang=en]").all_inner_texts()
        assert english == [], "every sentence about this file exists in Chinese"
    with visiting(browser, desk.url, locale="zh-CN") as visit:
        visit.open("", "inbox")
        assert visit.page.get_by_role("heading", name="收件箱").count() == 1, "as the browser asks"


def test_two_uploads_at_once_and_one_that_cannot_be_read(
    browser: Browser, desk: Running, carphone: Path, tmp_path: Path
) -> None:
    junk = tmp_path / "<img src=x onerror=alert(1)>.mp4"
    junk.write_bytes(b"no video")
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open("", "inbox")
        page.set_input_files("#files", [str(carphone), str(junk)])
        page.locator(".uploads a").nth(1).wait_for()
        page.locator(".inbox tr", has_text="carphone").locator(".badge").wait_for()
        row = page.locator(".inbox tr", has_text="img srcx onerror").or_(
            page.locator(".inbox tr", has_text="img src=x")
        )
        row.locator(".badge").wait_for()
        row.locator("a").click()
        visit.drawn("case")
        assert "not a media file" in page.locator(".problem").inner_text()
        assert page.get_by_text("It is not a pass.").count() == 1
        assert page.locator("video").count() == 0


def test_filter_and_sort(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open("", "inbox")
        page.get_by_label("Search").fill("blended")
        page.locator("#count", has_text="1 of 1").wait_for()
        page.get_by_label("Search").fill("")
        page.locator("select[name=decision]").select_option("rejected")
        page.get_by_text("No case matches.").wait_for()
        page.locator("select[name=decision]").select_option("")
        page.locator("select[name=sort]").select_option("-probability")
        page.locator(".inbox tbody tr").first.get_by_role("link", name="blended.mp4").wait_for()


def test_a_token_is_asked_for_once(browser: Browser, tmp_path: Path) -> None:
    with (
        listening(settings_for(tmp_path, token="a-token-of-this-test")) as locked,
        visiting(browser, locked.url) as visit,
    ):
        page = visit.page
        page.goto(locked.url)
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("not the token").wait_for()
        page.get_by_label("Token").fill("a-token-of-this-test")
        page.get_by_role("button", name="Sign in").click()
        visit.drawn("inbox")
        visit.allow(401)


def test_the_api_page(browser: Browser, desk: Running) -> None:
    with visiting(browser, desk.url) as visit:
        visit.page.goto(f"{desk.url}/docs")
        visit.page.get_by_text("/v1/scans", exact=True).first.wait_for()


VIEWS = {
    "inbox": ("#/inbox", "inbox"),
    "case": ("#/case/{case}", "case"),
    "review": ("#/case/{case}/review", "case-review"),
    "export": ("#/case/{case}/export", "case-export"),
    "about": ("#/about", "about"),
}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop, light, English": {"viewport": {"width": 1280, "height": 900}},
    "phone, dark, Chinese": {
        "viewport": {"width": 375, "height": 740}, "color_scheme": "dark", "locale": "zh-CN",
    },
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_nobody_is_shut_out(browser: Browser, desk: Running, case: str, look: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with visiting(browser, desk.url, **LOOKS[look]) as visit:
        for name, (place, ready) in VIEWS.items():
            visit.open(place.format(case=case), ready)
            found = axe.run(visit.page).response["violations"]
            grave = [item["id"] for item in found if item["impact"] in ("serious", "critical")]
            assert grave == [], (name, found)
            wide = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is wider than the window"


def test_the_keyboard_reaches_everything(browser: Browser, desk: Running, case: str) -> None:
    with visiting(browser, desk.url) as visit:
        page = visit.page
        visit.open(f"#/case/{case}", "case")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(page.evaluate(
                "document.activeElement.getAttribute('role') || document.activeElement.tagName"
            ))  # fmt: skip
        assert {"A", "VIDEO", "slider", "INPUT", "SUMMARY", "BUTTON"} <= reached
