"""A statement of reasons for the person whose file was decided on, in English or Chinese.

The facts that such a statement has to give follow Article 17 of Regulation (EU) 2022/2065: what was
decided, on which facts, whether automated means were used, on what ground, and how to object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Texts = Mapping[str, str]

_EN: Texts = {
    "title": "Statement of reasons",
    "file": "File: {name}\nSHA-256: {sha256}\nCase: {id}",
    "confirmed": "Decision: reviewers found that a face in this file was manipulated.",
    "rejected": "Decision: reviewers did not find that a face in this file was manipulated.",
    "unsure": "Decision: reviewers could not tell whether a face in this file was manipulated.",
    "open": "No decision has been made yet.",
    "second_reader": "No decision has been made yet: a second reader has to look at it.",
    "disagreement": "No decision has been made yet: the readers disagree.",
    "facts": "Facts it rests on",
    "suspect": "An automated examination of the pictures found signs of face manipulation.",
    "no_evidence": "An automated examination of the pictures found no evidence of face "
    "manipulation.",
    "inconclusive": "An automated examination of the pictures could not reach a judgement.",
    "probability": "It stated a probability of {p} (95 % interval {low} to {high}), assuming that "
    "{prior} of such files are manipulated.",
    "error": "Its known error rate: {fa} of {real} unmanipulated clips were called suspect, and "
    "{tp} of {fake} manipulated clips were found ({population}).",
    "spans": "Pictures that stood out: {spans}.",
    "declared": "The file itself declares that it was made or changed by AI.",
    "automated": "Automated means were used to examine the file. They did not decide: {readers}.",
    "reader": "a person decided",
    "readers": "{n} persons decided, independently named in our records",
    "nobody": "no person has decided yet",
    "ground": "Ground (law or terms that the decision rests on): ______________________",
    "effect": "What follows from it: ______________________",
    "redress": "You may object within ____ days to ______________________. A person who has not "
    "taken part will look at it again. You may also turn to an out-of-court body or a court.",
    "limits": "The examination concerns faces in the pictures only. It proves neither that the "
    "file is authentic nor that anyone meant to deceive.",
}
_ZH: Texts = {
    "title": "处理决定理由说明",
    "file": "文件:{name}\nSHA-256:{sha256}\n案件编号:{id}",
    "confirmed": "决定:审核人员认定该文件中的人脸经过篡改。",
    "rejected": "决定:审核人员未认定该文件中的人脸经过篡改。",
    "unsure": "决定:审核人员无法判断该文件中的人脸是否经过篡改。",
    "open": "尚未作出决定。",
    "second_reader": "尚未作出决定:需由第二名审核人员复核。",
    "disagreement": "尚未作出决定:审核人员意见不一致。",
    "facts": "所依据的事实",
    "suspect": "对画面的自动检测发现了人脸篡改迹象。",
    "no_evidence": "对画面的自动检测未发现人脸篡改的证据。",
    "inconclusive": "对画面的自动检测未能得出判断。",
    "probability": "检测给出的概率为 {p}(95 % 区间 {low} 至 {high}),"
    "前提是此类文件中有 {prior} 经过篡改。",
    "error": "已知错误率:{real} 段未篡改视频中有 {fa} 段被判为可疑,"
    "{fake} 段篡改视频中有 {tp} 段被检出({population})。",
    "spans": "异常画面出现的时间:{spans}。",
    "declared": "文件自身声明其由人工智能生成或修改。",
    "automated": "检测使用了自动化手段,但决定并非由其作出:{readers}。",
    "reader": "由一名审核人员作出决定",
    "readers": "由 {n} 名审核人员分别作出决定,姓名均有记录",
    "nobody": "尚无审核人员作出决定",
    "ground": "依据(法律法规或服务条款):______________________",
    "effect": "处理措施:______________________",
    "redress": "您可在 ____ 日内向 ______________________ 提出申诉,将由未参与本案的人员重新审核;"
    "您也可以向庭外争议解决机构或法院寻求救济。",
    "limits": "本检测仅针对画面中的人脸,既不能证明文件真实,也不能证明任何人有欺骗意图。",
}
LANGUAGES: Mapping[str, Texts] = {"en": _EN, "zh": _ZH}


def statement(
    record: Mapping[str, Any], *, case: str, decision: str, readers: int, language: str
) -> str:
    """Return the statement as plain text; what only the operator knows is left as a blank line.

    Args:
        record: The report as JSON data.
        case: Id of the case.
        decision: See `forensics.web.decisions.decide`.
        readers: Number of persons whose reviews count.
        language: ``en`` or ``zh``.
    """
    say = LANGUAGES[language]
    file, verdict = record["file"], record["verdict"]
    who = say["nobody"] if decision not in ("confirmed", "rejected", "unsure") else (
        say["reader"] if readers == 1 else say["readers"].format(n=readers)
    )  # fmt: skip
    facts = [say[verdict["label"]]]
    if verdict["probability"] is not None and verdict["interval"]:
        low, high = verdict["interval"]
        facts.append(say["probability"].format(
            p=_percent(verdict["probability"]), low=_percent(low), high=_percent(high),
            prior=_percent(verdict["prior"]),
        ))  # fmt: skip
    rates = record["environment"].get("error_rate")
    if isinstance(rates, dict) and "false_alarms" in rates:
        facts.append(say["error"].format(
            fa=rates["false_alarms"], real=rates["real_clips"], tp=rates["found"],
            fake=rates["fake_clips"], population=rates["population"],
        ))  # fmt: skip
    if verdict["label"] == "suspect" and (spans := _spans(record)):
        facts.append(say["spans"].format(spans=spans))
    if record["declaration"]["status"] == "declared_synthetic":
        facts.append(say["declared"])
    parts = [
        say["title"],
        say["file"].format(name=file["path"], sha256=file["sha256"] or "-", id=case),
        say[decision],
        say["facts"] + "\n" + "\n".join(f"- {fact}" for fact in facts),
        say["automated"].format(readers=who),
        say["ground"],
        say["effect"],
        say["redress"],
        say["limits"],
    ]
    return "\n\n".join(parts) + "\n"


def _percent(share: float) -> str:
    if share < 0.01:
        return "< 1 %"
    return "> 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _spans(record: Mapping[str, Any]) -> str:
    """Return up to five times at which pictures passed the threshold."""
    threshold = record["environment"]["config"].get("score_threshold", 0.5)
    times = [
        score["pts"]
        for track in record["tracks"]
        for score in track["scores"]
        if score["score"] is not None and score["score"] >= threshold
    ]
    runs: list[list[float]] = []
    for time in sorted(times):
        if runs and time - runs[-1][1] <= 1.0:
            runs[-1][1] = time
        else:
            runs.append([time, time])
    longest = sorted(sorted(runs, key=lambda run: run[0] - run[1])[:5])
    return ", ".join(f"{a:.1f} s" if a == b else f"{a:.1f}–{b:.1f} s" for a, b in longest)
