"""The HTML report is one safe, well-formed file that never vouches for a file."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.report.html import report_to_html, reports_to_html
from forensics.report.html_faces import score_threshold
from forensics.report.pictures import colour_map, overlay
from forensics.report.plot import segments, ticks
from forensics.types import SCOPE, Evidence, Report

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Collects tags, attributes and text; fails on unbalanced tags."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.stack:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_every_situation_is_well_formed_and_complete(any_report: Report) -> None:
    page = Page(report_to_html(any_report))
    assert page.all("html")[0]["lang"] == "en"
    assert "does not prove" in page.text
    assert SCOPE in page.text
    assert len(page.all("h1")) == 1
    assert all("alt" in image for image in page.all("img"))
    assert len(page.all("caption")) == len(page.all("table"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_nothing_is_requested_and_nothing_runs(any_report: Report) -> None:
    html = report_to_html(any_report)
    page = Page(html)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "form"}
    assert "http://" not in html and "https://" not in html
    assert "url(" not in html and "@import" not in html
    for _, attributes in page.tags:
        assert not [key for key in attributes if key.startswith("on") or key == "style"]
        assert (attributes.get("src") or "data:").startswith("data:")
        assert (attributes.get("href") or "#").startswith("#")


def test_the_policy_allows_this_style_only(factories: Any) -> None:
    html = report_to_html(factories["suspect"]())
    css = html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = Page(html).all("meta")[1]["content"] or ""
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_no_report_vouches_for_a_file(any_report: Report) -> None:
    text = Page(report_to_html(any_report)).text.replace(SCOPE, "").lower()
    assert not re.search(r"\b(real|authentic|genuine)\b", text)
    assert "\u2713" not in text and "\u2714" not in text


def test_the_first_section_holds_probability_interval_and_prior(factories: Any) -> None:
    text = Page(report_to_html(factories["suspect"]())).text
    first = text[: text.index("Five questions")]
    for part in ("Signs of face manipulation", "94 %", "81 % to 98 %", "prior of 50 %"):
        assert part in first


def test_pixels_and_declaration_stay_apart(factories: Any) -> None:
    text = Page(report_to_html(factories["several"]())).text
    assert "captured by a device" in text
    assert "not on the trust list" in text
    assert "This did not influence the verdict" in text


@pytest.mark.parametrize(
    "name",
    ['"><script>alert(1)</script>.mp4', "x' onload='y.mp4", "a\udcff.mp4", "b\u202e\x00\x1b.mp4"],
)
def test_hostile_texts_are_inert(factories: Any, name: str) -> None:
    report = factories["suspect"](name)
    evil = Evidence(name, kind=name, values={name: name}, explanation=name)
    finding = replace(report.findings[0], rule=name, message={name: name})
    page = Page(
        report_to_html(
            replace(
                report,
                evidence=(evil,),
                findings=(finding,),
                actions=(name,),
                error=name,
                environment={name: name},
            )
        )
    )
    assert "script" not in {tag for tag, _ in page.tags}
    assert all("onload" not in attributes for _, attributes in page.tags)
    page.text.encode("utf-8")
    assert not re.search("[\u202e\x00\x1b]", page.text)


def test_chinese_shows(factories: Any) -> None:
    html = report_to_html(factories["suspect"]("采访视频.mp4"))
    assert "采访视频.mp4" in html
    assert "未发现显式标识" in html
    assert {"zh", "en"} <= {attributes.get("lang") for _, attributes in Page(html).tags}


def test_codes_are_put_into_words(factories: Any) -> None:
    assert "No face was found" in Page(report_to_html(factories["no_face"]())).text
    text = Page(report_to_html(factories["several"]())).text
    assert "too small" in text and "face_too_small" not in text


def test_the_plot_breaks_where_nothing_was_judged(factories: Any) -> None:
    html = report_to_html(factories["suspect"]())
    assert html.count("<polyline") == 2
    assert 'class="gap"' in html and 'class="limit"' in html
    assert not re.search(r'(points|cx|cy|x|y|width)="[^"]*nan', html)


def test_segments_and_ticks() -> None:
    assert segments([(0, 0.1), (1, float("nan")), (2, 2.0)]) == [[(0, 0.1)], [(2, 1.0)]]
    assert [len(run) for run in segments([(0, 0), (1, 0), (2, 0), (9, 0), (10, 0)])] == [3, 2]
    assert ticks(0.0, 12.2) == [0, 2, 4, 6, 8, 10, 12]
    assert ticks(5.0, 5.0) == [5.0]


def test_the_colour_map_gets_evenly_lighter() -> None:
    colours = colour_map(64).astype(float)
    steps = np.diff(colours @ [0.2126, 0.7152, 0.0722])
    assert colours.shape == (64, 3)
    assert (steps > 0).all()


def test_overlay_keeps_the_size_and_shows_heat() -> None:
    crop = np.full((32, 48, 3), 90, dtype=np.uint8)
    heat = np.zeros((8, 12), dtype=np.float32)
    heat[:, 6:] = np.nan
    heat[:, :3] = 5.0
    mixed = overlay(crop, heat)
    assert mixed.shape == crop.shape
    assert mixed[:, :8].mean() > mixed[:, 30:].mean() + 30


def test_pictures_are_valid_jpeg_of_bounded_size(factories: Any) -> None:
    report = factories["suspect"]()
    big = replace(report.illustrations[0], crop=np.zeros((900, 600, 3), np.uint8), heat=None)
    page = Page(report_to_html(replace(report, illustrations=(big,))))
    source = next(i["src"] for i in page.all("img") if "jpeg" in (i["src"] or ""))
    assert source is not None
    with Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) as picture:
        assert picture.format == "JPEG" and max(picture.size) <= 256


def test_threshold_is_taken_only_when_it_is_a_score() -> None:
    assert score_threshold({"threshold": 0.4, "score_threshold": 0.6}) == 0.6
    assert score_threshold({"threshold": 3.1}) is None
    assert score_threshold("x") is None


def test_several_reports_share_one_page(factories: Any) -> None:
    reports = [factories[name]() for name in sorted(factories)]
    page = Page(reports_to_html(reports))
    assert len(page.all("article")) == len(reports)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
