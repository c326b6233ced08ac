"""One judge a rule: a function of the case, registered under the rule's id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from forensics.policy.case import Case
from forensics.types import Outcome


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge says.

    Attributes:
        outcome: One of the four rule outcomes.
        en: One sentence, English.
        zh: The same, Chinese.
        action: Code of what is asked for, or empty.
        rests_on: Kinds of facts.
    """

    outcome: Outcome
    en: str
    zh: str
    action: str = ""
    rests_on: tuple[str, ...] = field(default=("declaration",))


Judge = Callable[[Case], Judgement]
JUDGES: dict[str, Judge] = {}

# The standard asks for 5 %; measuring letters in a picture errs by about half a per cent.
_SURELY_HIGH = 0.055
_MARKS = ("aigc", "c2pa", "iptc", "watermark")


def judge(*ids: str) -> Callable[[Judge], Judge]:
    """Register a judge for rules.

    Raises:
        ValueError: A rule has a judge already.
    """

    def keep(function: Judge) -> Judge:
        for id in ids:
            if id in JUDGES:
                raise ValueError(f"rule {id!r} has two judges")
            JUDGES[id] = function
        return function

    return keep


def nobody_knows(case: Case) -> Judgement | None:
    """Return the judgement of a file of which nobody can say whether it is synthetic."""
    if not case.undecided:
        return None
    if case.unreadable or "unreadable" in case.facts.problems:
        return Judgement("inconclusive", "The file cannot be examined.", "文件无法检查。",
                         "review_by_person")  # fmt: skip
    if case.unsupported:
        return Judgement(
            "inconclusive",
            "Marks in this kind of container cannot be read, and the pictures give no answer.",
            "无法读取该容器中的标识,画面亦无定论。",
            "review_by_person",
        )
    if case.verdict is None:
        return Judgement(
            "not_found",
            "No mark says that the file is AI-made; its pictures were not examined.",
            "未发现人工智能生成标识;未检测画面。",
            rests_on=_MARKS,
        )
    return Judgement(
        "inconclusive",
        "No mark says that the file is AI-made, and its pictures could not be judged.",
        "未发现人工智能生成标识,画面无法判定。",
        "review_by_person",
        (*_MARKS, "verdict"),
    )


def not_synthetic(case: Case) -> Judgement | None:
    """Return the judgement of a file of which nothing says that it is synthetic."""
    if case.said_synthetic or case.suspected:
        return None
    return Judgement(
        "not_found",
        "Nothing found says that the file is AI-made; that does not prove it authentic.",
        "未发现表明其为人工智能生成的内容;这并不证明其真实。",
        rests_on=(*_MARKS, "verdict"),
    )


def only_suspected(case: Case, action: str = "review_by_person") -> Judgement | None:
    """Return the judgement of a file that only the detectors suspect: they can err."""
    if case.said_synthetic or not case.suspected:
        return None
    rate = f" ({case.error_rate})" if case.error_rate else ""
    return Judgement(
        "inconclusive",
        f"The detectors call the pictures suspect{rate}, and no mark says that they are AI-made.",
        "检测结果可疑,且无任何标识。",
        action,
        (*_MARKS, "verdict"),
    )


def open_question(case: Case, action: str = "review_by_person") -> Judgement | None:
    """Return the first of the three judgements above that applies, or None."""
    return nobody_knows(case) or not_synthetic(case) or only_suspected(case, action)


@judge("CN-AV-10", "CN-AV-13", "CN-LABEL-9")
def _nothing_in_a_file(case: Case) -> Judgement:
    return Judgement(
        "not_found", "This duty leaves nothing in a file that could be checked.",
        "该义务无法从文件中核查。", rests_on=(),
    )  # fmt: skip


@judge("CN-AV-11", "CN-DS-17", "CN-LABEL-4", "EU-50-4")
def _visible_mark(case: Case) -> Judgement:
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    found = _VISIBLE[case.visible.status]
    if case.visible.status == "found" and case.visible.height < _SURELY_HIGH:
        found = _VISIBLE["unsure"]
    return found


_VISIBLE = {
    "found": Judgement(
        "compliant", "The opening seconds show a visible label.", "起始画面有显式标识。", "",
        ("visible",),
    ),
    "absent": Judgement(
        "noncompliant", "The file is AI-made and its opening seconds show no visible label.",
        "内容为人工智能生成,起始画面无显式标识。", "add_visible_label", ("visible", *_MARKS),
    ),
    "unsure": Judgement(
        "inconclusive", "The opening seconds may show a visible label; it could not be read with "
        "certainty.", "起始画面可能有显式标识,无法确认。", "review_by_person", ("visible",),
    ),
    "not_examined": Judgement(
        "inconclusive", "The file is AI-made; its opening seconds were not examined for a visible "
        "label.", "内容为人工智能生成;未检查起始画面的显式标识。", "look_closer", _MARKS,
    ),
}  # fmt: skip


@judge("CN-AV-12")
def _stop(case: Case) -> Judgement:
    if not case.said_synthetic:
        return open_question(case, "stop_and_label") or _VISIBLE["unsure"]
    # The article asks for a conspicuous mark; metadata or the uploader's word are none.
    found = _visible_mark(case)
    return replace(found, action="stop_and_label") if found.outcome == "noncompliant" else found


@judge("CN-DS-14")
def _consent(case: Case) -> Judgement:
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    return Judgement(
        "inconclusive", "Whether the person shown gave consent cannot be seen in the file.",
        "文件中无法看出被编辑者是否同意。", "ask_for_consent", ("c2pa",),
    )  # fmt: skip


@judge("CN-DS-16", "EU-50-2")
def _machine_readable(case: Case) -> Judgement:
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    if case.facts.declares_ai:
        by = ", ".join(case.facts.declaration.by)
        return Judgement("compliant", f"Machine-readable marks: {by}.", f"机器可读标识:{by}。",
                         "", _MARKS)  # fmt: skip
    if case.unsupported:
        return _unsupported()
    return Judgement(
        "noncompliant", "The file is declared AI-made and carries no machine-readable mark.",
        "内容被声明为人工智能生成,但无机器可读标识。", "write_implicit_label", _MARKS,
    )  # fmt: skip


@judge("CN-DS-18", "CN-LABEL-10", "EU-COP-12")
def _marks_kept(case: Case) -> Judgement:
    facts = case.facts
    if facts.c2pa.integrity == "broken":
        return Judgement(
            "noncompliant", "The file was changed after it was signed.", "文件在签名后被改动。",
            "ask_producer", ("c2pa",),
        )  # fmt: skip
    if facts.declaration.status == "contradictory" or any(
        c.code == "labels_differ" for c in facts.conflicts
    ):
        return Judgement(
            "noncompliant", "Marks of the file contradict each other.", "文件中的标识相互矛盾。",
            "ask_producer", ("conflict", *_MARKS),
        )  # fmt: skip
    mark = facts.watermark
    metadata = facts.c2pa.declares_ai or any(label.label for label in facts.labels)
    if mark is not None and mark.kind == "synthetic" and not metadata:
        return Judgement(
            "noncompliant", "The watermark says that the pictures are AI-made; the metadata that "
            "our generator always writes with it are gone.",
            "水印表明画面由人工智能生成,但随附的元数据标识已缺失。", "ask_producer",
            ("watermark",),
        )  # fmt: skip
    unknown = nobody_knows(case)
    if unknown is not None and unknown.outcome == "inconclusive":
        return unknown
    return Judgement("not_found", "No sign that a mark was removed or altered.",
                     "未发现标识被删除或篡改的迹象。", "", _MARKS)  # fmt: skip


@judge("CN-LABEL-5")
def _implicit_label(case: Case) -> Judgement:
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    if case.unsupported:
        return _unsupported()
    full = [
        label for label in case.facts.labels
        if label.label and label.values.get("ContentProducer") and label.values.get("ProduceID")
    ]  # fmt: skip
    if full:
        return Judgement("compliant", "The metadata name producer and content number.",
                         "元数据含服务提供者与内容编号。", "", ("aigc",))  # fmt: skip
    return Judgement(
        "noncompliant", "The metadata carry no AIGC label with producer and content number.",
        "元数据缺少含服务提供者与内容编号的隐式标识。", "write_implicit_label", ("aigc",),
    )  # fmt: skip


@judge("CN-GB-6.1")
def _one_label(case: Case) -> Judgement:
    labels = case.facts.labels
    if len(labels) > 1:
        return Judgement(
            "noncompliant", f"The file carries {len(labels)} AIGC labels; the standard wants one.",
            f"文件含有{len(labels)}个隐式标识,标准要求仅有一个。", "correct_implicit_label",
            ("aigc",),
        )  # fmt: skip
    if len(labels) == 1:
        wrong = ", ".join(labels[0].problems)
        if wrong:
            return Judgement(
                "noncompliant", f"The AIGC label does not keep to the standard's form ({wrong}).",
                f"隐式标识格式不符合标准({wrong})。", "correct_implicit_label", ("aigc",),
            )  # fmt: skip
        return Judgement("compliant", "Exactly one AIGC label, in the standard's form.",
                         "有且仅有一个符合标准的隐式标识。", "", ("aigc",))  # fmt: skip
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    if case.unsupported:
        return _unsupported()
    return Judgement("noncompliant", "The file is AI-made and carries no AIGC label.",
                     "内容为人工智能生成,但无隐式标识。", "write_implicit_label",
                     ("aigc",))  # fmt: skip


@judge("CN-GB-5.4")
def _label_form(case: Case) -> Judgement:
    visible = case.visible
    if visible.status != "found":
        return _visible_mark(case)
    size = f"{visible.height:.1%} of the short side, {visible.seconds:.1f} s"
    size_zh = f"短边的{visible.height:.1%},{visible.seconds:.1f}秒"
    if visible.height >= _SURELY_HIGH and visible.seconds >= 2.0:
        return Judgement("compliant", f"Visible label of {size}.", f"显式标识为{size_zh}。", "",
                         ("visible",))  # fmt: skip
    if visible.height >= 0.045 and visible.seconds >= 1.5:
        return Judgement(
            "inconclusive", f"Visible label of about {size}: near the limit.",
            f"显式标识约为{size_zh},接近下限。", "review_by_person", ("visible",),
        )  # fmt: skip
    return Judgement(
        "noncompliant", f"The visible label is too small or too short: {size}.",
        f"显式标识过小或过短:{size_zh}。", "add_visible_label", ("visible",),
    )  # fmt: skip


@judge("CN-LABEL-6")
def _platform(case: Case) -> Judgement:
    from forensics.policy.table import article_6

    if case.unreadable or "unreadable" in case.facts.problems:
        return Judgement("inconclusive", "The file cannot be examined.", "文件无法检查。",
                         "review_by_person")  # fmt: skip
    values = {label.label for label in case.facts.labels}
    row = article_6(
        metadata="1" in values,
        declared=case.declared == "yes" or "2" in values,
        traces=case.suspected or case.visible.status == "found" or case.facts.declares_ai,
    )
    if not row.label:
        return nobody_knows(case) or Judgement(
            "not_found", "Nothing to show.", "无需标注。", "", (*_MARKS, "verdict")
        )
    en, zh = row.shows
    return Judgement(
        "inconclusive" if row.label == "3" else "noncompliant" if row.label == "2" else "compliant",
        f"The platform shows that the content {en}.", f"平台应标注:{zh}。",
        f"write_label_{row.label}", (*_MARKS, "verdict", "visible"),
    )  # fmt: skip


@judge("EU-COP-111a")
def _signed(case: Case) -> Judgement:
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    if not case.facts.c2pa.supported:
        return _unsupported()
    if case.facts.c2pa.integrity == "intact" and case.facts.c2pa.declares_ai:
        trust = case.facts.c2pa.signer_trust
        if trust != "trusted":
            said = "was not evaluated (give --trust-anchors)" if trust == "not_evaluated" else \
                "is not among the trusted ones"
            if "signingCredential.expired" in case.facts.c2pa.codes:
                said += ", and the certificate has expired"
            return Judgement(
                "inconclusive", f"The mark is signed and intact; the signer {said}.",
                "标识已签名且完整;签名者的可信度未确认。", "", ("c2pa",),
            )  # fmt: skip
        return Judgement("compliant", "The mark stands in signed metadata of a trusted signer.",
                         "标识位于可信签名者签名的元数据中。", "", ("c2pa",))  # fmt: skip
    return Judgement(
        "noncompliant", "The mark does not stand in intact, signed metadata.",
        "标识不在完整的签名元数据中。", "sign", ("c2pa", "aigc", "iptc"),
    )  # fmt: skip


@judge("EU-COP-111b")
def _stamped(case: Case) -> Judgement:
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    if case.facts.c2pa.integrity == "unsigned":
        return Judgement("not_found", "The metadata are not signed; see 111a.",
                         "元数据未签名,见111a。", "", ("c2pa",))  # fmt: skip
    if any(code.startswith("timeStamp.validated") for code in case.facts.c2pa.codes):
        if case.facts.c2pa.timestamp_trust == "trusted":
            return Judgement("compliant", "The signature carries a trusted time stamp.",
                             "签名带有可信时间戳。", "", ("c2pa",))  # fmt: skip
        return Judgement("inconclusive", "The signature carries a time stamp; its authority was "
                         "not found trusted.", "签名带有时间戳;时间戳机构的可信度未确认。", "",
                         ("c2pa",))  # fmt: skip
    return Judgement("noncompliant", "The signature carries no time stamp.", "签名未带时间戳。",
                     "add_timestamp", ("c2pa",))  # fmt: skip


@judge("EU-COP-112")
def _watermark(case: Case) -> Judgement:
    mark = case.facts.watermark
    if mark is not None and mark.kind == "synthetic":
        return Judgement("compliant", "Our watermark says that the pictures are AI-made.",
                         "检出表明画面由人工智能生成的水印。", "", ("watermark",))  # fmt: skip
    open_answer = open_question(case)
    if open_answer is not None:
        return open_answer
    if mark is None:
        return Judgement("inconclusive", "The pixels were not searched for a watermark.",
                         "未在画面中查找水印。", "look_closer", ("watermark",))  # fmt: skip
    return Judgement(
        "inconclusive", "Our watermark was not found; one of another maker cannot be read here.",
        "未检出本工具的水印;无法读取其他厂商的水印。", "add_watermark", ("watermark",),
    )  # fmt: skip


def _unsupported() -> Judgement:
    return Judgement("inconclusive", "Marks in this kind of container cannot be read.",
                     "无法读取该容器中的标识。", "review_by_person", ())  # fmt: skip
