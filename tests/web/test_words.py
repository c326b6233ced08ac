from __future__ import annotations

import re
from pathlib import Path

import forensics.web
from forensics.policy.actions import ACTIONS
from forensics.report.reasons import REASONS
from forensics.web.words import explained, threshold_of, title_key, words

PAGE = Path(forensics.web.__file__).parent / "static"


def test_both_languages_have_the_same_texts() -> None:
    entry = re.compile(r'(?:"([^"]+)"|(\w[\w]*)): "')
    keys = {
        name: {a or b for a, b in entry.findall((PAGE / "js" / f"{name}.js").read_text("utf-8"))}
        for name in ("en", "zh")
    }
    assert keys["en"] - keys["zh"] == set()
    only_chinese = keys["zh"] - keys["en"]
    built = ("said_", "aigc_label_", "sign_", "ratio_", "coded_")
    assert all(key.startswith(built) for key in only_chinese)


def test_every_reason_code_has_words() -> None:
    for language in ("en", "zh"):
        assert [code for code in REASONS if f"reason_{code}" not in words(language)] == []
    assert all(en and zh for en, zh in ACTIONS.values())


def test_likelihood_ratios_in_words() -> None:
    def said(llr: float | None, language: str = "zh") -> str | None:
        fact = {"kind": "blend_boundary", "llr": llr, "values": {"crops": 9}}
        return explained(fact, 2.2, language)

    texts = [said(3.0) or "", said(1.0) or "", said(-1.0) or "", said(None) or ""]
    assert len(set(texts)) == 4 and all("9" in text and "{" not in text for text in texts)
    assert "20.1" in texts[0] and "2.7" in texts[1] and "2.7" in texts[2]
    assert said(3.0, "en") is None, "the report's own words are English"


def test_every_detector_has_words_in_chinese() -> None:
    kinds = ("blend_boundary", "frequency", "geometry", "occlusion_failure", "temporal")
    assert all(f"sign_{kind}" in words("zh") and f"kind_{kind}" in words("en") for kind in kinds)


def test_an_unknown_kind_keeps_the_reports_own_words() -> None:
    fact = {"kind": "flicker", "llr": None, "values": {}}
    assert explained(fact, None, "zh") is None
    odd = {"kind": "c2pa", "llr": None, "values": {}}
    assert explained(odd, None, "zh") is None, "a fact without its values has no sentence"


def test_provenance_in_chinese() -> None:
    values = {"integrity": "broken", "signer": "某公司", "signer_trust": "untrusted"}
    text = explained({"kind": "c2pa", "llr": None, "values": values}, None, "zh")
    assert text == "文件在签名之后被改动(签名者:某公司);签名者不在信任列表中。"
    label = {"site": "moov", "values": {"Label": "1"}, "problems": []}
    text = explained({"kind": "aigc", "llr": None, "values": label}, None, "zh")
    assert text is not None and "属于人工智能生成合成" in text


def test_a_weak_measurement_has_a_title_of_its_own() -> None:
    weak = {"label": "inconclusive", "probability": 0.8, "reasons": ["not_enough_evidence"]}
    none = {"label": "inconclusive", "probability": None, "reasons": ["no_face"]}
    doubted = {"label": "inconclusive", "probability": 0.92, "reasons": ["colour_alone"]}
    keys = [title_key(verdict) for verdict in (weak, none, doubted)]
    assert keys == ["title_weak", "title_inconclusive", "title_doubted"]


def test_nothing_on_the_page_comes_from_elsewhere() -> None:
    for file in PAGE.rglob("*"):
        if file.suffix in (".js", ".css", ".html"):
            text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://|//[a-z]+\.", text), file.name
    page = (PAGE / "index.html").read_text("utf-8")
    assert "<style" not in page and " style=" not in page and not re.search(r"\son\w+=", page)


def test_a_still_has_a_threshold_of_its_own() -> None:
    config = {"threshold_llr": 1.9, "still_threshold_llr": 3.2}
    report = {"file": {"kind": "video"}, "environment": {"config": config}}
    assert threshold_of(report) == 1.9
    assert threshold_of(report | {"file": {"kind": "image"}}) == 3.2
    older = {"file": {"kind": "image"}, "environment": {"config": {"threshold_llr": 1.9}}}
    assert threshold_of(older) == 1.9 and threshold_of({}) is None
