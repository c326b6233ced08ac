"""Every figure of README and docs is traceable to a committed results file by its name.

Figures come in two ways. A block (``<!-- figures: NAME -->``) is written from a results file and
names it; `test_tables` holds block and file together. A figure in running text must stand in a
section that names its results file, in text or block, and be one of that file's numbers.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks import tables
from benchmarks._results import RESULTS

ROOT = tables.ROOT
BLOCK = re.compile(r"<!-- figures: [\w-]+ -->.*?<!-- /figures -->", re.DOTALL)
FENCE = re.compile(r"```.*?```", re.DOTALL)
SOURCE = re.compile(r"benchmarks/results/([\w.-]+\.json)\b")

# What a measurement looks like: a share, a score, or a number with a unit of speed, size or loss.
FIGURE = re.compile(
    r"(?<![\w.~^-])(\d+(?:\.\d+)?)(?= ?%| (?:ms|MB|dB|fps|minutes)\b)|(?<![\w.~^-])(0\.\d{2,})\b"
)
# Not measured by this project: levels of intervals, rates that are asked for, laws, settings.
NOT_MEASURED = re.compile(
    r"95 %|at most \d+ %|"
    r"FPR (?:at )?\d+ %|\d+ % (?:interval|level|of the short(?:er)? side)|"
    r"size and at 0\.75 of it|0 or 100 %|asks for \d+ %|"
    r"height against \d+ %|false alarms \(0\.001 a file\)|"
    r"(?:bar|goal|aim)[^.;)]*|"
    r"`[^`\n]*`"
)

# Sections whose numbers are counted from the code, which other tests hold to it.
COUNTED = ("The network",)


def running_text(text: str) -> str:
    """Return what is neither block, code, nor a link's target."""
    plain = FENCE.sub("", BLOCK.sub("", text))
    return re.sub(r"\]\([^)]*\)", "]", plain)


def sections(text: str) -> list[str]:
    return re.split(r"^## ", text, flags=re.MULTILINE)


def numbers_of(value: Any) -> Iterator[float]:
    """Yield every number of a JSON value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers_of(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)


def untraceable(text: str, results: Path) -> list[str]:
    """Return the figures of running text that no named results file holds."""
    found = []
    for section in sections(text):
        if section.startswith(COUNTED):
            continue
        names = SOURCE.findall(section)
        values = [
            number
            for name in names
            if (results / name).exists()
            for number in numbers_of(json.loads((results / name).read_text("utf-8")))
        ]
        plain = NOT_MEASURED.sub("", running_text(section))
        for match in FIGURE.finditer(plain):
            figure = match[1] or match[2]
            digits = len(figure.partition(".")[2])
            wanted = float(figure)
            known = any(
                abs(abs(value) * scale - wanted) <= 0.51 * 10**-digits
                for value in values
                for scale in (1, 100)
            )
            if not known:
                found.append(plain[max(0, match.start() - 30) : match.end() + 12].strip())
    return found


@pytest.mark.parametrize("path", list(tables.documents()), ids=lambda path: path.name)
def test_figures_in_running_text_are_those_of_a_results_file(path: Path) -> None:
    assert not untraceable(path.read_text("utf-8"), RESULTS)


@pytest.mark.parametrize("path", list(tables.documents()), ids=lambda path: path.name)
def test_every_results_file_that_is_named_is_committed(path: Path) -> None:
    named = set(SOURCE.findall(path.read_text("utf-8")))
    for name in named:
        assert (RESULTS / name).exists(), name
    if named and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "benchmarks/results"], cwd=ROOT, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        assert named <= {Path(line).name for line in listed.splitlines()}


def runs(name: str) -> bool:
    """Tell whether ``python -m NAME`` finds something to run."""
    try:
        found = find_spec(name)
    except ModuleNotFoundError:
        return False
    if found is None:
        return False
    if found.submodule_search_locations is not None:
        return find_spec(f"{name}.__main__") is not None
    return '__name__ == "__main__"' in Path(found.origin or "").read_text("utf-8")


@pytest.mark.parametrize("path", list(tables.documents()), ids=lambda path: path.name)
def test_every_benchmark_that_is_named_can_be_run(path: Path) -> None:
    for name in re.findall(r"python\s+-m\s+(benchmarks[\w.]*\w)", path.read_text("utf-8")):
        assert runs(name), name
    assert not runs("benchmarks.swapper") and not runs("benchmarks.nothing.here")


def test_every_block_names_its_results_or_says_there_are_none() -> None:
    for path in tables.documents():
        text = path.read_text("utf-8")
        try:
            text = tables.render(text)
        except FileNotFoundError:
            continue  # `test_tables` says so
        for block in BLOCK.findall(text):
            assert SOURCE.search(block) or "Not measured yet" in block, f"{path.name}: {block[:60]}"


def test_a_figure_from_nowhere_is_caught(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"auc": 0.8731, "ms": [12.5]}')
    good = "## A\nAUC 0.873, or 87 % of pairs, in 12.5 ms. From `benchmarks/results/x.json`.\n"
    assert untraceable(good, tmp_path) == []
    assert untraceable(good.replace("0.873", "0.874"), tmp_path)
    # The same figures in a section that names no file.
    assert len(untraceable(good + "## B\nAUC 0.873, 87 % of pairs, 12.5 ms\n", tmp_path)) == 3
    assert untraceable("The 95 % interval; FPR 5 % asked for; `--x 0.25`.", tmp_path) == []
    assert untraceable("<!-- figures: a -->\n0.99\n<!-- /figures -->", tmp_path) == []
