"""The report as a PDF that can be filed: selectable text, embedded Chinese glyphs, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from forensics.policy.actions import ACTIONS
from forensics.web.words import explained, threshold_of, title_key, words

MAX_EVIDENCE = 40
_FONT = "sc"
_MISSING = "\N{WHITE SQUARE}"


@cache
def font_path() -> Path:
    """Return the font with Latin and Chinese glyphs that the ``[serve]`` extra brings along."""
    import pylopdf_fonts_zh_cn

    return Path(pylopdf_fonts_zh_cn.__file__).with_name("NotoSansSC-Regular.otf")


@cache
def _glyphs() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(font_path(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def printable(text: object) -> str:
    """Return ``text`` with a square for every character that the font cannot draw."""
    known = _glyphs()
    return "".join(c if ord(c) in known or c == "\n" else _MISSING for c in str(text))


class _Page:
    """A document that is written from top to bottom."""

    def __init__(self, title: str) -> None:
        from fpdf import FPDF

        self.pdf = FPDF(format="A4")
        self.pdf.set_title(title)
        self.pdf.set_creator("deepfake-forensics")
        self.pdf.add_font(_FONT, fname=str(font_path()))
        self.pdf.set_auto_page_break(True, margin=18)
        self.pdf.set_margin(18)
        self.pdf.add_page()

    def text(self, text: object, size: float = 10, grey: bool = False) -> None:
        from fpdf.enums import WrapMode

        self.pdf.set_font(_FONT, size=size)
        self.pdf.set_text_color(*((85, 96, 109) if grey else (26, 32, 39)))
        wrap = WrapMode.CHAR if _breaks_anywhere(str(text)) else WrapMode.WORD
        self.pdf.multi_cell(
            0, size * 0.52, printable(text), align="L", new_x="LMARGIN", new_y="NEXT",
            wrapmode=wrap,
        )

    def heading(self, text: str) -> None:
        self.pdf.ln(3)
        self.text(text, 13)
        y = self.pdf.get_y() + 0.5
        self.pdf.set_draw_color(207, 214, 222)
        self.pdf.line(self.pdf.l_margin, y, self.pdf.w - self.pdf.r_margin, y)
        self.pdf.ln(2)

    def facts(self, rows: Iterable[tuple[str, object]]) -> None:
        for name, value in rows:
            self.text(f"{name}: {value}")

    def pictures(self, files: Sequence[tuple[Path, Path | None, str]]) -> None:
        """Place crops with their heat maps, four in a row."""
        side, gap = 40.0, 4.0
        for start in range(0, len(files), 4):
            row = files[start : start + 4]
            if self.pdf.get_y() + side + 12 > self.pdf.h - 18:
                self.pdf.add_page()
            top = self.pdf.get_y()
            for place, (crop, heat, words_) in enumerate(row):
                left = self.pdf.l_margin + place * (side + gap)
                self.pdf.image(_merged(crop, heat), x=left, y=top, w=side, h=side)
                self.pdf.set_xy(left, top + side + 0.5)
                self.pdf.set_font(_FONT, size=7)
                self.pdf.multi_cell(side, 3.4, printable(words_))
            self.pdf.set_xy(self.pdf.l_margin, top + side + 9)


def _breaks_anywhere(text: str) -> bool:
    """Tell whether lines end between any two characters: Chinese, and words that fit no line."""
    return any(ord(char) >= 0x2E80 for char in text) or any(len(w) > 60 for w in text.split())


def _merged(crop: Path, heat: Path | None) -> Any:
    from PIL import Image

    with Image.open(crop) as picture:
        base = picture.convert("RGBA")
    if heat is not None and heat.is_file():
        with Image.open(heat) as layer:
            faded = layer.convert("RGBA")
        faded.putalpha(faded.getchannel("A").point(lambda value: int(value * 0.5)))
        base.alpha_composite(faded)
    return base.convert("RGB")


def report_pdf(
    record: Mapping[str, Any],
    *,
    case: str,
    decision: str,
    reviews: Sequence[Mapping[str, Any]],
    pictures: Sequence[tuple[Path, Path | None, Mapping[str, Any]]],
    language: str,
) -> bytes:
    """Return the report and its reviews as a PDF.

    Args:
        record: The report as JSON data.
        case: Id of the case.
        decision: Where it stands.
        reviews: ``reviewer``, ``opinion``, ``note`` and ``time`` of each.
        pictures: Crop, heat map, and what the picture shows.
        language: ``en`` or ``zh``.
    """
    say = words(language)
    file, verdict = record["file"], record["verdict"]
    threshold = threshold_of(record)
    page = _Page(file["path"])
    page.text(file["path"], 15)
    page.text(f"{say['case']} {case}", 8, grey=True)
    page.heading(say["verdict"])
    page.text(say[title_key(verdict)], 13)
    page.text(_chance(say, verdict))
    for code in verdict["reasons"]:
        page.text("- " + say.get(f"reason_{code}", say["reason_other"].format(code=code)))
    if record["error"]:
        page.text(f"{say['cause']} {record['error']}")
    rates = record["environment"].get("error_rate")
    if isinstance(rates, dict) and "false_alarms" in rates:
        page.text(say["rate"].format(
            fa=rates["false_alarms"], real=rates["real_clips"], tp=rates["found"],
            fake=rates["fake_clips"],
        ), grey=True)  # fmt: skip
    page.text(f"{say['not_proven']} {say['limits_' + verdict['label']]}")
    page.heading(say["review"])
    page.text(f"{say['stands']} {say['decision_' + decision]}")
    for review in reviews:
        page.text(f"{review['reviewer']} · {say['said_' + review['opinion']]} · {review['time']}")
        if review["note"]:
            page.text(review["note"], grey=True)
    page.heading(say["evidence"])
    shown = [(crop, heat, _caption(say, facts)) for crop, heat, facts in pictures]
    page.pictures(shown)
    if shown:
        page.text(say["heat_note"], 8, grey=True)
    for item in record["evidence"][:MAX_EVIDENCE]:
        kind = say.get(f"kind_{item['kind']}", item["kind"].replace("_", " "))
        said = explained(item, threshold, language) or item["explanation"]
        page.text(f"- {kind} ({say['measured_by'].format(source=item['source'])}): {said}")
    page.heading(say["provenance"])
    declared = record["declaration"]
    page.text(say[f"status_{declared['status']}"])
    if declared["status"] != "none":
        page.facts([
            (say["prov_integrity"], say[f"integrity_{declared['integrity']}"]),
            (say["prov_signer"], say[f"trust_{declared['signer_trust']}"]),
            (say["prov_stamp"], say[f"trust_{declared['timestamp_trust']}"]),
        ])  # fmt: skip
    page.heading(say["rules"])
    if not record["findings"]:
        page.text(say["no_rules"])
    for item in record["findings"]:
        text = item["message"].get(language) or item["message"].get("en", "")
        page.text(f"- {item['rule']}: {say['outcome_' + item['outcome']]}. {text}")
    if record["actions"]:
        page.heading(say["actions"])
    for code in record["actions"]:
        en, zh = ACTIONS.get(code, (code.replace("_", " "), ""))
        page.text(f"- {zh if language == 'zh' and zh else en}")
    page.heading(say["the_file"])
    page.facts(_file(say, file))
    custody = record.get("custody", {})
    page.facts((say[name], custody[name]) for name in ("sealed_at", "key") if name in custody)
    page.heading(say["not_proven"])
    page.text(say["scope"])
    return bytes(page.pdf.output())


def _file(say: Mapping[str, str], file: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Return what is known of the file."""
    size, duration = file["size"], file["duration"]
    rows = {
        "sha256": file["sha256"],
        "size": file["bytes"],
        "pictures": f"{size[0]} × {size[1]}" if size else None,
        "duration": f"{duration:.1f} s" if duration and file["kind"] == "video" else None,
        "codec": file["codec"],
    }
    return [(say[f"fact_{name}"], value) for name, value in rows.items() if value is not None]


def _chance(say: Mapping[str, str], verdict: Mapping[str, Any]) -> str:
    if verdict["probability"] is None:
        return say["no_probability"]
    text = f"{say['probability']}: {_percent(say, verdict['probability'])}"
    if verdict["interval"]:
        low, high = (_percent(say, end) for end in verdict["interval"])
        text += f" ({say['interval'].format(low=low, high=high)})"
    return f"{text}. {say['prior'].format(prior=_percent(say, verdict['prior']))}"


def _percent(say: Mapping[str, str], share: float) -> str:
    if share < 0.01:
        return say["under_1"]
    return say["over_99"] if share > 0.99 else f"{100 * share:.0f} %"


def _caption(say: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    return say["picture_of"].format(
        n=facts["track_id"], time=f"{facts['pts']:.1f} s", score=f"{facts['score']:.2f}"
    )
