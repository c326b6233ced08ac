"""Terminal output reads at 80 columns, and is never cut when it goes to a file."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from forensics.report.reasons import REASONS, explain
from forensics.report.terminal import render, reports_to_text, sparkline
from forensics.report.words import percent, ratio_words, verdict_title
from forensics.types import SCOPE, Verdict

LONG = "folder/" + "a-very-long-name-" * 12 + ".mp4"


def terminal(reports: Any, width: int = 80, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    render(reports, Console(file=stream, force_terminal=True, color_system=None, width=width))
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_80_columns_hold_every_line(factories: Any) -> None:
    reports = [factory() for factory in factories.values()] + [factories["suspect"](LONG)]
    text = terminal(reports)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "\u2026" not in text
    assert "does not prove" in text and "\u2587" in text


def test_off_a_terminal_nothing_is_cut_or_folded(factories: Any) -> None:
    text = reports_to_text([factories["suspect"](LONG), factories["several"]()])
    assert text.count(LONG) >= 2
    assert "\u2026" not in text and "\x1b" not in text
    row = next(line for line in text.splitlines() if LONG in line)
    assert "suspect" in row and "94 %" in row and REASONS["above_threshold"].sentence in row
    assert SCOPE in text.splitlines()


def test_names_cannot_carry_markup_or_controls(factories: Any) -> None:
    text = reports_to_text([factories["suspect"]("[red]\x1b[2J\n采访\udcff.mp4")])
    assert "[red]\\x1b[2J\\n采访\\udcff.mp4" in text


def test_a_plain_ascii_terminal_works(factories: Any) -> None:
    text = terminal([factories["suspect"]("采访.mp4")], encoding="ascii")
    assert "\\u91c7" in text
    assert "%" in text


def test_many_files_show_details_of_suspects_only(factories: Any) -> None:
    reports = [factories["no_face"](f"{n}.mp4") for n in range(30)] + [factories["suspect"]()]
    text = reports_to_text(reports)
    assert text.count("What this does not prove") == 1
    assert "30 further files" in text


def test_sparkline() -> None:
    line = sparkline([(0.0, 0.0), (5.0, math.nan), (9.9, 1.0)], (0.0, 10.0), width=10)
    assert line == "\u2581        \u2588"
    assert sparkline([], (0.0, 1.0), width=3) == "   "
    assert sparkline([(0.0, 0.5)], (0.0, 0.0)) in ("\u2584", "\u2585")
    assert len(sparkline([(99.0, 2.0), (-5.0, -1.0)], (0.0, 1.0), width=4)) == 4


def test_every_code_is_one_sentence_and_unknown_ones_are_named() -> None:
    for code, reason in REASONS.items():
        assert reason.sentence.endswith(".") and code not in reason.sentence.split()
        assert "real" not in reason.sentence.split()
    assert "odd_code" in explain("odd_code").sentence


def test_numbers_in_words() -> None:
    assert percent(0.0) == "under 1 %"
    assert percent(1.0) == "over 99 %"
    assert percent(math.nan) == "not stated"
    assert "moderate support" in ratio_words(math.log(50))
    assert "was not manipulated" in ratio_words(-3.0)
    assert "No likelihood ratio" in ratio_words(None)
    assert "over 10 million" in ratio_words(1e9)


def test_a_declaration_is_told_apart_from_the_verdict(factories: Any) -> None:
    text = reports_to_text([factories["several"]()])
    assert "What the file declares: The file declares that it was captured by a device." in text
    assert "not on the trust list" in text
    assert "What the file declares" not in reports_to_text([factories["suspect"]()])


def test_a_doubted_measurement_is_not_called_weak() -> None:
    likely = {"probability": 0.92, "interval": (0.8, 0.97), "llr": 2.4, "prior": 0.5}
    doubted = Verdict("inconclusive", reasons=("colour_alone",), **likely)  # type: ignore[arg-type]
    assert verdict_title(doubted) == "What was measured cannot be relied on"
    weak = Verdict("inconclusive", reasons=("not_enough_evidence",), **likely)  # type: ignore[arg-type]
    assert "too weak" in verdict_title(weak)


def test_what_two_reasons_advise_is_said_once(factories: Any) -> None:
    report = factories["suspect"]()
    reasons = ("unstable", "colour_alone")
    assert len({explain(code).remedy for code in reasons}) == 1
    verdict = replace(report.verdict, label="inconclusive", reasons=reasons)
    doubted = replace(report, verdict=verdict)
    assert reports_to_text([doubted]).count("You can: ") == 1
