"""The catalogue: every rule as a row of data. Ids are frozen and never given to another rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Literal

from forensics.errors import UsageError

Severity = Literal["info", "warning", "error"]
GROUP = "forensics.policies"
"""Entry-point group: each entry names a tuple of rules in a module that registers their judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One duty that a file can be held against.

    Attributes:
        id: Frozen name.
        jurisdiction: ``cn`` or ``eu``.
        article: Where the duty stands.
        severity: How grave a breach is.
        authority: ``law``, ``standard`` or ``code`` (voluntary).
        title: What it asks for, by language (``en``, ``zh``).
        source: The act, in its own words.
        verified: Whether somebody compared the wording with the source. An unverified rule can
            inform, never fail a file.
    """

    id: str
    jurisdiction: str
    article: str
    severity: Severity
    authority: str
    title: tuple[tuple[str, str], ...]
    source: str
    verified: bool

    def __post_init__(self) -> None:
        if not self.verified and self.severity == "error":
            raise ValueError(f"rule {self.id}: its wording is not verified, it cannot be an error")
        if {language for language, _ in self.title} != {"en", "zh"}:
            raise ValueError(f"rule {self.id}: needs a title in English and Chinese")


_AV = "网络音视频信息服务管理规定 (in force 2020-01-01)"
_DS = "互联网信息服务深度合成管理规定 (in force 2023-01-10)"
_LABEL = "人工智能生成合成内容标识办法 (in force 2025-09-01)"
_GB = "GB 45438-2025"
_ACT = (
    "Regulation (EU) 2024/1689, art. 50 (applies 2026-08-02; art. 50(2) for systems already on "
    "the market: 2026-12-02)"
)
_COP = "Code of Practice on Transparency of AI-Generated Content (2026-06-10, voluntary)"


def _rule(
    id: str, article: str, severity: Severity, authority: str, source: str, verified: bool,
    en: str, zh: str,
) -> Rule:
    return Rule(
        id=id, jurisdiction=id.split("-")[0].lower(), article=article, severity=severity,
        authority=authority, title=(("en", en), ("zh", zh)), source=source, verified=verified,
    )  # fmt: skip


_CATALOGUE: tuple[Rule, ...] = (
    _rule("CN-AV-10", "art. 10", "info", "law", _AV, False,
          "Safety assessment before such a service is launched; a report can be attached to it",
          "上线具有媒体属性的新技术功能前开展安全评估;报告可作为评估附件"),
    _rule("CN-AV-11", "art. 11", "error", "law", _AV, True,
          "Audio and video that are not real carry a conspicuous mark",
          "非真实音视频信息应当以显著方式予以标识"),
    _rule("CN-AV-12", "art. 12", "warning", "law", _AV, False,
          "Unmarked audio and video that are not real: stop transmission until they are marked",
          "发现未标识的非真实音视频信息应当立即停止传输,显著标识后方可继续传输"),
    _rule("CN-AV-13", "art. 13", "info", "law", _AV, True,
          "Rumours are refuted; a report can serve as the basis",
          "建立健全辟谣机制;报告可作为辟谣依据"),
    _rule("CN-DS-14", "art. 14", "warning", "law", _DS, False,
          "The person whose face was edited was told and gave separate consent",
          "编辑人脸等生物识别信息的,应当告知被编辑的个人并取得其单独同意"),
    _rule("CN-DS-16", "art. 16", "error", "law", _DS, True,
          "Synthetic content carries a mark that does not impair its use",
          "深度合成内容应当添加不影响使用的标识"),
    _rule("CN-DS-17", "art. 17", "error", "law", _DS, True,
          "A generated or replaced face that may mislead is marked conspicuously",
          "人脸生成、人脸替换等可能导致公众混淆或者误认的,应当进行显著标识"),
    _rule("CN-DS-18", "art. 18", "error", "law", _DS, True,
          "Nobody deletes, alters or hides such marks",
          "不得采用技术手段删除、篡改、隐匿深度合成标识"),
    _rule("CN-LABEL-4", "art. 4", "error", "law", _LABEL, True,
          "AI-generated video shows an explicit label on its opening frames",
          "视频起始画面应当添加显式标识"),
    _rule("CN-LABEL-5", "art. 5", "error", "law", _LABEL, True,
          "The file's metadata carry an implicit label with producer and content number",
          "文件元数据中应当添加隐式标识,包含属性信息、服务提供者名称或编码、内容编号"),
    _rule("CN-LABEL-6", "art. 6", "error", "law", _LABEL, True,
          "A platform shows 属于, 可能为 or 疑似 and writes its propagation elements",
          "传播平台应当核验并标注属于、可能为或疑似生成合成内容,并添加传播要素信息"),
    _rule("CN-LABEL-9", "art. 9", "info", "law", _LABEL, True,
          "Delivery without a label only by agreement with the user; logs are kept for six months",
          "应用户申请提供无显式标识内容的,应当留存日志不少于六个月"),
    _rule("CN-LABEL-10", "art. 10", "error", "law", _LABEL, True,
          "Nobody maliciously deletes, alters, forges or hides labels",
          "任何组织和个人不得恶意删除、篡改、伪造、隐匿生成合成内容标识"),
    _rule("CN-GB-5.4", "5.4", "error", "standard", _GB, True,
          "Visible label: AI and synthesis element, 5 % of the short side or more, 2 s or longer",
          "视频显式标识:含人工智能与生成合成要素,文字高度不低于短边的5%,持续不少于2秒"),
    _rule("CN-GB-6.1", "6.1", "error", "standard", _GB, True,
          "Exactly one implicit label, in the standard's form",
          "文件元数据隐式标识应当有且仅有一个,格式符合标准"),
    _rule("EU-50-2", "art. 50(2)", "error", "law", _ACT, True,
          "AI output is marked in a machine-readable format and detectable as such",
          "人工智能输出应当以机器可读方式标识"),
    _rule("EU-50-4", "art. 50(4)", "error", "law", _ACT, True,
          "A deep fake is disclosed to the people who see it, at the latest at first exposure",
          "深度伪造内容最迟应在首次接触时向受众披露"),
    _rule("EU-COP-111a", "1.1.1", "warning", "code", _COP, True,
          "The mark stands in digitally signed metadata",
          "标识应位于经数字签名的元数据中"),
    _rule("EU-COP-111b", "1.1.1", "warning", "code", _COP, True,
          "The signed metadata carry a time stamp",
          "经签名的元数据应带有时间戳"),
    _rule("EU-COP-112", "1.1.2", "warning", "code", _COP, True,
          "The content carries an imperceptible watermark",
          "内容应含有不可感知的水印"),
    _rule("EU-COP-12", "1.2", "warning", "code", _COP, True,
          "Existing marks are kept",
          "已有标识应当保留"),
)  # fmt: skip


@lru_cache(maxsize=1)
def _all() -> dict[str, Rule]:
    rules = {rule.id: rule for rule in _CATALOGUE}
    for entry in entry_points(group=GROUP):
        for rule in entry.load():
            if rule.id in rules:
                raise ValueError(f"rule {rule.id!r} of {entry.name!r} exists already")
            rules[rule.id] = rule
    return rules


def list_rules(jurisdictions: tuple[str, ...] | None = None) -> list[Rule]:
    """Return the rules of some jurisdictions, of all when None, in the catalogue's order.

    Raises:
        UsageError: A jurisdiction has no rules.
    """
    known = list_jurisdictions()
    for name in jurisdictions or ():
        if name not in known:
            raise UsageError(f"no rules for {name!r}; there are: {', '.join(known)}")
    return [r for r in _all().values() if jurisdictions is None or r.jurisdiction in jurisdictions]


def list_jurisdictions() -> list[str]:
    """Return the names of the jurisdictions that have rules, sorted."""
    return sorted({rule.jurisdiction for rule in _all().values()})


def find_rule(id: str) -> Rule | None:
    """Return the rule with an id, or None."""
    return _all().get(id)
