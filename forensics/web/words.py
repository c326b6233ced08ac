"""The page's own dictionaries, and evidence in plain words of a language, built from its values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from forensics.report.words import DOUBTS

_STATIC = Path(__file__).parent / "static" / "js"
_ENTRY = re.compile(r'(?:"([^"]+)"|(\w[\w]*)): ("(?:[^"\\]|\\.)*"),')
_MOST = 6

Values = Mapping[str, Any]


@cache
def words(language: str) -> Mapping[str, str]:
    """Return the page's texts in a language, English where it has none.

    Raises:
        ValueError: The file is not the flat dictionary that it should be.
    """
    found: dict[str, str] = {}
    for name in ("en", language):
        text = (_STATIC / f"{name}.js").read_text(encoding="utf-8")
        for quoted, bare, value in _ENTRY.findall(text):
            found[quoted or bare] = json.loads(value)
    if "title" not in found:
        raise ValueError("the dictionary cannot be read")
    return found


def title_key(verdict: Mapping[str, Any]) -> str:
    """Return the key of a verdict's sentence: weak, doubted and missing measurements differ."""
    if verdict["label"] != "inconclusive":
        return f"title_{verdict['label']}"
    if not DOUBTS.isdisjoint(verdict["reasons"]):
        return "title_doubted"
    if verdict["probability"] is not None:
        return "title_weak"
    return "title_audited" if "not_examined" in verdict["reasons"] else "title_inconclusive"


def explained(fact: Mapping[str, Any], threshold: float | None, language: str) -> str | None:
    """Return what an item of evidence says, in a language other than the report's own.

    Args:
        fact: The item as the report has it.
        threshold: Log likelihood ratio above which a face is called suspect.
        language: ``en`` or ``zh``.

    Returns:
        A sentence, or None where there is only the report's own, which is English.
    """
    say = words(language)
    if f"sign_{fact['kind']}" in say:
        return _ratio(fact, threshold, say)
    sentence = _SENTENCES.get(fact["kind"])
    if sentence is None:
        return None
    variant, filled = sentence(fact["values"], say)
    text = say.get(f"said_{fact['kind']}_{variant}")
    return None if text is None else text.format_map(_Blank(filled))


def threshold_of(report: Mapping[str, Any]) -> float | None:
    """Return the log ratio from which a report's file was called suspect; a still has its own."""
    config = report.get("environment", {}).get("config", {})
    still = report.get("file", {}).get("kind") == "image"
    own: float | None = config.get("still_threshold_llr") if still else None
    # Older reports knew one threshold.
    return config.get("threshold_llr") if own is None else own


class _Blank(dict[str, Any]):
    """A value that is not there leaves nothing behind."""

    def __missing__(self, key: str) -> str:
        return ""


def _ratio(fact: Mapping[str, Any], threshold: float | None, say: Mapping[str, str]) -> str:
    """Say how strongly a measurement speaks for what its detector looks for."""
    llr, values = fact["llr"], fact["values"]
    filled = {"sign": say[f"sign_{fact['kind']}"], "crops": values.get("crops", "")}
    if llr is None:
        return say["ratio_open"].format(**filled)
    strong = threshold is not None and llr >= threshold
    key = "ratio_strong" if strong else "ratio_weak" if llr > 0 else "ratio_none"
    return say[key].format(times=f"{math.exp(min(abs(llr), 50.0)):.1f}", **filled)


def _joined(items: Any) -> str:
    return "、".join(str(item)[:80] for item in (items or [])[:_MOST])


def _c2pa(v: Values, say: Mapping[str, str]) -> tuple[str, Values]:
    trust = say.get(f"trust_{v.get('signer_trust')}", "")
    return "error" if v.get("error") else str(v.get("integrity")), {**v, "trust": trust}


def _aigc(v: Values, say: Mapping[str, str]) -> tuple[str, Values]:
    label = (v.get("values") or {}).get("Label")
    said = say.get(f"aigc_label_{label}", say.get("aigc_label_other", ""))
    variant = "faulty" if v.get("problems") else "is"
    return variant, {"site": v.get("site"), "label": said, "problems": _joined(v.get("problems"))}


def _container(v: Values, say: Mapping[str, str]) -> tuple[str, Values]:
    by = [str(one).split(" - ")[0] for one in [*v.get("writers", ()), *v.get("encoders", ())]]
    return "by" if by else "silent", {"by": _joined(by)}


def _visible(v: Values, say: Mapping[str, str]) -> tuple[str, Values]:
    height, seconds = v.get("height") or 0.0, v.get("seconds") or 0.0
    shown = {"height": f"{100 * height:.1f}", "seconds": f"{seconds:.1f}"}
    return str(v.get("status")), {**v, **shown}


def _compression(v: Values, say: Mapping[str, str]) -> tuple[str, Values]:
    status = str(v.get("status"))
    variant = status if status in ("abstained", "none") else "found"
    return variant, {**v, "why": say.get(f"coded_{v.get('reason')}", v.get("reason", ""))}


def _timeline(v: Values, say: Mapping[str, str]) -> tuple[str, Values]:
    parts = [f"{one['start']:.1f}–{one['end']:.1f}" for one in v.get("stretches", ())]
    return "some" if parts else "none", {"parts": _joined(parts)}


_SENTENCES: dict[str, Callable[[Values, Mapping[str, str]], tuple[str, Values]]] = {
    "c2pa": _c2pa,
    "aigc": _aigc,
    "iptc": lambda v, _: ("is", {"term": v.get("digital_source_type")}),
    "container": _container,
    "compression": _compression,
    "timeline": _timeline,
    "fingerprint": lambda v, _: (
        "part" if v.get("reason") else "is", {"n": len(v.get("hashes", ()))}
    ),
    "watermark": lambda v, _: (str(v.get("kind") or "none"), {}),
    "visible": _visible,
    "problem": lambda v, _: ("is", {"codes": _joined(v.get("codes"))}),
    "conflict": lambda v, _: (str(v.get("code")), {}),
}
"""For each kind of fact: which of its sentences holds, and what goes into it."""
