"""What each rule says of typical files, and what it must never say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from forensics.container.texts import Carried
from forensics.policy import apply_policy
from forensics.policy.actions import ACTIONS
from forensics.policy.case import Case
from forensics.provenance.c2pa import C2paFacts
from forensics.provenance.conflicts import Conflict
from forensics.provenance.payload import Payload
from forensics.provenance.visible import VisibleLabel
from forensics.provenance.watermark import WatermarkResult
from forensics.types import Declaration

from .conftest import LABEL, SIGNED, MakeCase, case

BOTH = ("cn", "eu")
BIG = VisibleLabel("found", text="AI生成", height=0.07, seconds=2.2)


def outcomes(before: Case, policy: tuple[str, ...] = BOTH) -> dict[str, str]:
    return {f.rule: f.outcome for f in apply_policy(before, policy).findings}


def mark(kind: Any) -> WatermarkResult:
    payload = Payload(kind, id=1) if kind else None
    return WatermarkResult(
        payload, kind=kind, p_value=1e-9 if kind else 0.5, bit_errors=0, known_bits=32, frames=48
    )


def test_a_file_that_says_nothing(make_case: MakeCase) -> None:
    assert set(outcomes(make_case()).values()) == {"not_found"}
    looked = make_case(verdict="no_evidence")
    assert set(outcomes(looked).values()) == {"not_found"}
    applied = apply_policy(make_case(verdict="inconclusive"), BOTH)
    assert "review_by_person" in applied.actions
    assert "noncompliant" not in {f.outcome for f in applied.findings}


def test_a_suspect_without_marks_is_stopped_but_never_failed(make_case: MakeCase) -> None:
    applied = apply_policy(make_case(verdict="suspect", error_rate="2 of 100"), BOTH)
    found = {f.rule: f for f in applied.findings}
    assert applied.actions[0] == "stop_and_label" and "write_label_3" in applied.actions
    assert found["CN-AV-12"].outcome == "inconclusive"
    assert "2 of 100" in found["EU-50-4"].message["en"]
    assert "noncompliant" not in {f.outcome for f in applied.findings}


def test_a_fully_marked_file_meets_everything_but_the_time_stamp(make_case: MakeCase) -> None:
    before = make_case(
        labels=(LABEL,), c2pa=SIGNED, visible=BIG, watermark=mark("synthetic"), declared="yes"
    )
    applied = apply_policy(before, BOTH)
    found = {f.rule: f for f in applied.findings}
    assert {r for r, f in found.items() if f.outcome == "noncompliant"} == {"EU-COP-111b"}
    stamp = found["EU-COP-111b"]
    assert stamp.severity == "warning" and "--tsa" in stamp.message["en"]
    assert "--tsa" in stamp.message["zh"]
    stamped = replace(SIGNED, codes=("timeStamp.validated",), timestamp_trust="trusted")
    assert outcomes(make_case(c2pa=stamped))["EU-COP-111b"] == "compliant"


@pytest.mark.parametrize(
    ("visible", "outcome"),
    [
        (BIG, "compliant"),
        (replace(BIG, height=0.05), "inconclusive"),
        (replace(BIG, seconds=1.8), "inconclusive"),
        (replace(BIG, height=0.03), "noncompliant"),
        (replace(BIG, seconds=1.0), "noncompliant"),
        (VisibleLabel("absent"), "noncompliant"),
        (VisibleLabel("unsure", reason="blurred"), "inconclusive"),
        (VisibleLabel("not_examined", reason="fast"), "inconclusive"),
    ],
)
def test_size_and_duration_of_the_visible_label(
    make_case: MakeCase, visible: VisibleLabel, outcome: str
) -> None:
    assert outcomes(make_case(labels=(LABEL,), visible=visible))["CN-GB-5.4"] == outcome


def test_labels_are_counted_and_held_against_the_form(make_case: MakeCase) -> None:
    assert outcomes(make_case(labels=(LABEL,)))["CN-GB-6.1"] == "compliant"
    assert outcomes(make_case(labels=(LABEL, LABEL)))["CN-GB-6.1"] == "noncompliant"
    odd = replace(LABEL, problems=("no_wrapper",))
    assert outcomes(make_case(labels=(odd,)))["CN-GB-6.1"] == "noncompliant"
    assert outcomes(make_case(declared="yes"))["CN-GB-6.1"] == "noncompliant"


def test_declared_by_the_uploader_alone(make_case: MakeCase) -> None:
    applied = apply_policy(make_case(declared="yes"), BOTH)
    found = {f.rule: f.outcome for f in applied.findings}
    assert found["EU-50-2"] == found["CN-LABEL-5"] == "noncompliant"
    assert "write_label_2" in applied.actions and "write_implicit_label" in applied.actions


def test_metadata_or_the_uploaders_word_are_no_conspicuous_mark(make_case: MakeCase) -> None:
    for before in (make_case(declared="yes"), make_case(labels=(LABEL,))):
        assert outcomes(before)["CN-AV-12"] == "inconclusive"
    absent = make_case(declared="yes", visible=VisibleLabel("absent"))
    assert "stop_and_label" in apply_policy(absent, BOTH).actions
    assert outcomes(make_case(labels=(LABEL,), visible=BIG))["CN-AV-12"] == "compliant"


def test_a_mark_that_is_gone(make_case: MakeCase) -> None:
    found = outcomes(make_case(watermark=mark("synthetic")))
    assert found["CN-DS-18"] == found["CN-LABEL-10"] == found["EU-COP-12"] == "noncompliant"
    assert outcomes(make_case(watermark=mark("control")))["EU-COP-112"] == "not_found"


def test_a_signer_nobody_vouched_for(make_case: MakeCase) -> None:
    for trust in ("untrusted", "not_evaluated"):
        signed = replace(SIGNED, signer_trust=trust)
        assert outcomes(make_case(c2pa=signed))["EU-COP-111a"] == "inconclusive"
    expired = replace(SIGNED, signer_trust="untrusted", codes=("signingCredential.expired",))
    (finding,) = [
        f for f in apply_policy(make_case(c2pa=expired), ("eu",)).findings
        if f.rule == "EU-COP-111a"
    ]  # fmt: skip
    assert "has expired" in finding.message["en"]


DOUBTS: dict[str, dict[str, Any]] = {
    "broken": {"c2pa": replace(SIGNED, integrity="broken")},
    "store": {"c2pa": C2paFacts("broken", error="bad box")},
    "contradictory": {"declaration": Declaration("contradictory", by=("c2pa",))},
    "labels differ": {"conflicts": (Conflict("labels_differ", "x"),)},
    "truncated": {"problems": ("truncated",)},
    "deep": {"problems": ("too_deep",)},
    "bomb": {"problems": ("xmp_unreadable",)},
    "unreadable": {"problems": ("unreadable",)},
    "failed": {"unreadable": True},
}


@pytest.mark.parametrize("doubt", sorted(DOUBTS))
@pytest.mark.parametrize("declared", ["yes", "unknown"])
def test_nothing_is_met_or_absent_where_the_file_cannot_be_relied_on(
    doubt: str, declared: str
) -> None:
    facts = {"labels": (LABEL,), "c2pa": SIGNED, **DOUBTS[doubt]}
    before = case(visible=BIG, declared=declared, **facts)
    applied = apply_policy(before, BOTH)
    judged = [f for f in applied.findings if f.rule not in ("CN-AV-10", "CN-AV-13", "CN-LABEL-9")]
    assert "compliant" not in {f.outcome for f in judged}
    assert applied.actions


def test_an_unknown_container_is_inconclusive_and_never_not_found(make_case: MakeCase) -> None:
    before = make_case(container=Carried("unknown"), problems=("unsupported_container",))
    told = {o for r, o in outcomes(before).items()
            if r not in ("CN-AV-10", "CN-AV-13", "CN-LABEL-9")}  # fmt: skip
    assert told == {"inconclusive"}


def test_unverified_rules_never_fail_a_file_and_every_finding_says_what_to_do() -> None:
    marks: dict[str, dict[str, Any]] = {
        "none": {}, "label": {"labels": (LABEL,)}, "two": {"labels": (LABEL, LABEL)},
        "signed": {"c2pa": SIGNED}, "mark": {"watermark": mark("synthetic")}, **DOUBTS,
    }  # fmt: skip
    for facts, declared, verdict in product(
        marks.values(), ("yes", "no", "unknown"), (None, "suspect", "no_evidence", "inconclusive")
    ):
        applied = apply_policy(case(declared=declared, verdict=verdict, **facts), BOTH)
        assert set(applied.actions) <= set(ACTIONS)
        for finding in applied.findings:
            assert {"en", "zh"} == set(finding.message)
            if finding.rule in ("CN-AV-10", "CN-AV-12", "CN-DS-14"):
                assert finding.outcome != "noncompliant"
            if finding.outcome == "noncompliant":
                assert any(ACTIONS[a][0] in finding.message["en"] for a in applied.actions)


def test_findings_point_at_their_facts(make_case: MakeCase) -> None:
    applied = apply_policy(make_case(labels=(LABEL,)), ("cn",), evidence={"aigc": (4,)})
    (finding,) = [f for f in applied.findings if f.rule == "CN-GB-6.1"]
    assert finding.evidence == (4,)
