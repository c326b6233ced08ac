"""The catalogue: frozen ids, documented one a line, and nothing unverified that can fail a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.policy import list_jurisdictions, list_rules
from forensics.policy.actions import ACTIONS
from forensics.policy.judges import JUDGES
from forensics.policy.rules import Rule, find_rule
from forensics.policy.table import article_6

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
FROM_MEMORY = {"CN-AV-10", "CN-AV-12", "CN-DS-14"}


def test_the_document_lists_every_rule_as_it_is() -> None:
    rows = re.findall(
        r"^\| `([\w.-]+)` \| ([^|]+) \| ([^|]+) \| (\w+) \| (\w+) \| (yes|no) \| (.+) \|$",
        DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE,
    )  # fmt: skip
    assert rows == [
        (r.id, r.jurisdiction, r.article, r.severity, r.authority,
         "yes" if r.verified else "no", dict(r.title)["en"])
        for r in list_rules()
    ]  # fmt: skip


def test_what_nobody_compared_with_its_source_is_marked() -> None:
    assert {r.id for r in list_rules() if not r.verified} == FROM_MEMORY
    assert all(r.severity != "error" for r in list_rules() if not r.verified)
    with pytest.raises(ValueError, match="not verified"):
        Rule(id="X-1", jurisdiction="x", article="1", severity="error", authority="law",
             title=(("en", "a"), ("zh", "b")), source="s", verified=False)  # fmt: skip


def test_every_rule_has_one_judge_and_ids_name_their_jurisdiction() -> None:
    assert {r.id for r in list_rules()} == set(JUDGES)
    assert list_jurisdictions() == ["cn", "eu"]
    assert all(r.id.lower().startswith(r.jurisdiction + "-") for r in list_rules())
    assert find_rule("CN-GB-6.1") is not None and find_rule("none") is None
    with pytest.raises(UsageError, match=r"no rules for 'mars'"):
        list_rules(("mars",))


def test_actions_are_said_in_both_languages() -> None:
    for english, chinese in ACTIONS.values():
        assert english.isascii() or "属" in english or "可" in english or "疑" in english
        assert re.search(r"[\u4e00-\u9fff]", chinese)


def test_article_6() -> None:
    labels = {
        (m, d, t): article_6(metadata=m, declared=d, traces=t).label
        for m in (True, False) for d in (True, False) for t in (True, False)
    }  # fmt: skip
    assert {key for key, label in labels.items() if label == "1"} == {
        (True, d, t) for d in (True, False) for t in (True, False)
    }
    assert labels[False, True, False] == labels[False, True, True] == "2"
    assert (labels[False, False, True], labels[False, False, False]) == ("3", "")
