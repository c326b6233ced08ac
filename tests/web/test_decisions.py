from __future__ import annotations

import pytest

from forensics.web.decisions import Said, decide, training_label


@pytest.mark.parametrize(
    ("verdict", "said", "policy", "stands"),
    [
        ("suspect", [], "suspect", "open"),
        ("suspect", [("Li", "confirm")], "suspect", "second_reader"),
        ("suspect", [("Li", "confirm"), (" li ", "confirm")], "suspect", "second_reader"),
        ("suspect", [("Li", "confirm"), ("Wu", "confirm")], "suspect", "confirmed"),
        ("suspect", [("Li", "confirm"), ("Wu", "reject")], "suspect", "disagreement"),
        ("suspect", [("Li", "confirm"), ("Wu", "reject"), ("Li", "reject")], "suspect", "rejected"),
        ("no_evidence", [("Li", "reject")], "suspect", "rejected"),
        ("no_evidence", [("Li", "confirm")], "suspect", "second_reader"),
        ("no_evidence", [("Li", "reject")], "always", "second_reader"),
        ("suspect", [("Li", "unsure")], "never", "unsure"),
    ],
)
def test_where_a_case_stands(
    verdict: str, said: list[tuple[str, str]], policy: str, stands: str
) -> None:
    assert decide(verdict, [Said(*one) for one in said], policy) == stands  # type: ignore[arg-type]


def test_only_a_decision_is_a_label() -> None:
    names = ("confirmed", "rejected", "unsure", "disagreement", "second_reader", "open")
    assert [training_label(name) for name in names] == ["fake", "real", None, None, None, None]
