"""The JSON report follows its schema and stays valid whatever the inputs hold."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from forensics.report.model import (
    config_digest,
    report_to_dict,
    report_to_json,
    reports_to_json,
    reports_to_jsonl,
    schema,
)
from forensics.report.plain import plain
from forensics.types import Evidence, Report, Verdict


def check(document: Any) -> None:
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_situation_follows_the_schema(any_report: Report) -> None:
    document = json.loads(report_to_json(any_report))
    check(document)
    assert list(document) == [
        "schema_version", "scope", "file", "tracks", "evidence", "verdict", "declaration",
        "findings", "actions", "environment", "error",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("verdict", "label"), "real"),
        (("verdict", "probability"), 1.2),
        (("verdict", "interval"), [0.1]),
        (("tracks", 0, "abstained"), True),
        (("tracks", 0, "scores", 0, "score"), -0.1),
        (("file", "sha256"), "xyz"),
        (("declaration", "integrity"), "fine"),
        (("findings", 0, "outcome"), "passed"),
        (("evidence", 0, "llr"), "high"),
        (("error",), "x: broken"),
        (("environment", "config_sha256"), None),
    ],
)
def test_the_schema_catches_errors(factories: Any, place: tuple[Any, ...], value: Any) -> None:
    document = report_to_dict(factories["suspect"]())
    broken = copy.deepcopy(document)
    target = broken
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    check(document)
    with pytest.raises(jsonschema.ValidationError):
        check(broken)


def test_nan_and_infinity_become_null(factories: Any) -> None:
    report = replace(
        factories["suspect"](),
        verdict=Verdict(
            "inconclusive", probability=math.nan, interval=(math.nan, 1.0), llr=-math.inf,
            reasons=("unstable",),
        ),
    )  # fmt: skip
    document = json.loads(report_to_json(report), parse_constant=pytest.fail)
    check(document)
    assert document["verdict"]["probability"] is None
    assert document["verdict"]["interval"] is None
    assert document["verdict"]["llr"] is None
    assert document["evidence"][0]["values"]["worst"] is None
    assert [s["score"] for s in document["tracks"][0]["scores"]].count(None) == 1


def test_floats_are_rounded_but_times_of_long_files_are_kept(factories: Any) -> None:
    report = factories["suspect"]()
    track = replace(report.tracks[0], scores=((35999.123456789, 1 / 3),))
    document = report_to_dict(replace(report, tracks=(track,)))
    assert document["tracks"][0]["scores"] == [{"pts": 35999.123457, "score": 0.333333}]
    assert document["verdict"]["probability"] == 0.937123


@pytest.mark.parametrize(
    "name", ["采访 视频.mp4", "a\udcff\udc80b.mp4", "x\n\x1b[31m\u202e.mp4", '"><script>.mp4']
)
def test_hostile_names_survive(factories: Any, name: str) -> None:
    text = report_to_json(factories["suspect"](name))
    document = json.loads(text.encode("ascii"))
    check(document)
    document["file"]["path"].encode("utf-8")
    lost = "\udcff" in name
    assert (document["file"]["path"] == name) is not lost
    assert ("path_bytes_hex" in document["file"]) is lost
    if lost:
        assert bytes.fromhex(document["file"]["path_bytes_hex"]) == b"a\xff\x80b.mp4"


def test_key_order_does_not_depend_on_insertion(factories: Any) -> None:
    report = factories["suspect"]()
    turned = replace(report, environment=dict(reversed(list(report.environment.items()))))
    assert report_to_json(report) == report_to_json(turned)


def test_config_digest_can_be_checked_from_the_report(factories: Any) -> None:
    config = {"threshold": 0.1234567891, "b": [1, True]}
    report = replace(factories["no_face"](), environment={"config": config})
    environment = json.loads(report_to_json(report))["environment"]
    again = json.dumps(environment["config"], sort_keys=True, separators=(",", ":"))
    assert environment["config_sha256"] == hashlib.sha256(again.encode()).hexdigest()
    assert environment["config_sha256"] == config_digest(config)


def test_an_unreadable_file_can_still_carry_its_hash(factories: Any) -> None:
    report = replace(
        factories["unreadable"](), environment={"file": {"sha256": "0" * 64, "bytes": 7}}
    )
    document = report_to_dict(report)
    check(document)
    assert document["file"]["sha256"] == "0" * 64
    assert document["file"]["duration"] is None


def test_values_of_any_type_become_plain() -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    values = {
        "a": np.float32(0.5), "b": np.arange(3), "c": {2, 1}, "d": Path("x"), "e": b"\x01",
        "f": np.array(2.0), "g": deep, 3: np.bool_(True), "h": "\ud800",
    }  # fmt: skip
    result = plain(values)
    text = json.dumps(result, allow_nan=False)
    assert "nested too deeply" in text
    assert result["b"] == [0, 1, 2]
    assert result["3"] is True
    assert result["f"] == 2.0
    assert result["h"] == "\\ud800"


def test_several_reports(factories: Any) -> None:
    reports = [factories[name]() for name in sorted(factories)]
    assert len(json.loads(reports_to_json(reports))) == len(reports)
    assert isinstance(json.loads(reports_to_json(reports[:1])), dict)
    lines = reports_to_jsonl(reports).splitlines()
    assert [json.loads(line)["file"]["path"] for line in lines] == [str(r.path) for r in reports]


def test_pictures_stay_out_of_json(factories: Any) -> None:
    evidence = Evidence("x", kind="y", artifacts={"heat": np.ones((9, 9))})
    report = replace(factories["suspect"](), evidence=(evidence,))
    assert "heat" not in report_to_json(report)
