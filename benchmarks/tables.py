"""Write the figures of README and docs from the newest results: ``python -m benchmarks.tables``.

A block of a document looks like this, and everything between its two lines is written here::

    <!-- figures: accuracy -->
    ...
    <!-- /figures -->

Every block names the file that its figures come out of. ``--check`` changes nothing and fails when
a document says something else than the results.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import _swapper_tables
from benchmarks._results import RESULTS

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(
    r"(?P<head><!-- figures: (?P<name>[\w-]+) -->\n).*?(?P<tail><!-- /figures -->)", re.DOTALL
)

Result = dict[str, Any]
Writer = Callable[[Result], list[str]]

_WRITERS: dict[str, tuple[str, Writer]] = dict(_swapper_tables.WRITERS)
_OPTIONAL: set[str] = set()
_ALSO: dict[str, tuple[str, ...]] = {}
_MORE = (
    "benchmarks.table_blocks", "benchmarks.web.table_blocks", "benchmarks.provenance.table_blocks",
    "benchmarks.scale.table_blocks",
)  # fmt: skip


def figures(
    name: str, *, of: str, optional: bool = False, also: tuple[str, ...] = ()
) -> Callable[[Writer], Writer]:
    """Register the writer of a block: Markdown lines out of a result of benchmark ``of``.

    An ``optional`` block says that there are no results yet, in place of failing. With ``also``
    the writer is given the results of all of these benchmarks, as far as there are any, by name.

    Raises:
        ValueError: The block has a writer already.
    """

    def keep(writer: Writer) -> Writer:
        if name in _WRITERS:
            raise ValueError(f"block {name!r} has two writers")
        _WRITERS[name] = (of, writer)
        if optional:
            _OPTIONAL.add(name)
        if also:
            _ALSO[name] = also
        return writer

    return keep


def newest(name: str, folder: Path = RESULTS) -> Path:
    """Return the newest results file of a benchmark, by the date written in it.

    Raises:
        FileNotFoundError: There is none.
    """
    found = {
        json.loads(path.read_text(encoding="utf-8"))["date"]: path
        for path in folder.glob(f"{name}-*.json")
        if json.loads(path.read_text(encoding="utf-8")).get("name") == name
    }
    if not found:
        raise FileNotFoundError(f"no results of {name}; run python -m benchmarks.{name}")
    return found[max(found)]


def read(path: Path) -> Result:
    """Return the content of a results file."""
    content: Result = json.loads(path.read_text(encoding="utf-8"))
    return content


def render(text: str, folder: Path = RESULTS) -> str:
    """Return a document with all its blocks written anew.

    Raises:
        KeyError: A block has no writer.
        FileNotFoundError: A benchmark has no results.
    """
    for module in _MORE:
        import_module(module)

    def block(match: re.Match[str]) -> str:
        benchmark, writer = _WRITERS[match["name"]]
        try:
            path = newest(benchmark, folder)
        except FileNotFoundError as error:
            if match["name"] not in _OPTIONAL:
                raise
            return f"{match['head']}Not measured yet: {error}.\n{match['tail']}"
        paths, result = {benchmark: path}, read(path)
        if match["name"] in _ALSO:
            for other in _ALSO[match["name"]]:
                with suppress(FileNotFoundError):
                    paths[other] = newest(other, folder)
            result = {name: read(path) for name, path in paths.items()}
        names = ", ".join(f"`benchmarks/results/{path.name}`" for path in paths.values())
        lines = [*writer(result), "", f"<sub>From {names}.</sub>"]
        return match["head"] + "\n".join(lines) + "\n" + match["tail"]

    return _BLOCK.sub(block, text)


def documents(root: Path = ROOT) -> Iterator[Path]:
    """Yield every document that may hold figures."""
    yield root / "README.md"
    yield from sorted((root / "docs").glob("*.md"))


def interval(value: float | None, bounds: Sequence[float] | None, digits: int = 3) -> str:
    """Return a figure with its 95 % interval; None is a claim that n cannot carry."""
    if value is None:
        return "not supported by n"
    ends = f" [{bounds[0]:.{digits}f}, {bounds[1]:.{digits}f}]" if bounds else ""
    return f"{value:.{digits}f}{ends}"


_BRIEF = ("ours", "blend alone", "Meso4_DF")


@figures("accuracy-brief", of="accuracy")
def _accuracy_brief(result: Result) -> list[str]:
    """Ours, its leading detector, and one published peer; the whole table is in the docs."""
    rows = [row for row in result["results"] if row["scorer"] in _BRIEF]
    return accuracy_lines({**result, "results": rows})


@figures("accuracy", of="accuracy")
def accuracy_lines(result: Result) -> list[str]:
    """Return the table of all scorers on all sets."""
    lines = [
        "| set | scored by | real + fake | AUC [95 %] | TPR at FPR 5 % | ECE |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["results"]:
        frame = row["frame"]
        lines.append(
            f"| {row['set']} | {row['scorer']} | {row['n_real']} + {row['n_fake']} | "
            f"{interval(frame['auc'], frame['auc_interval'])} | "
            f"{interval(frame['tpr_at_fpr']['0.05'], None)} | {interval(frame['ece'], None)} |"
        )
    return lines


@figures("clip-verdicts", of="accuracy")
def _verdicts(result: Result) -> list[str]:
    alarms = result["false_alarms"]
    fakes = [row["verdict"] for row in result["clips"] if row["label"] == "fake"]
    counts = {name: fakes.count(name) for name in ("suspect", "inconclusive", "no_evidence")}
    return [
        f"Whole clips of other people's footage, at the default threshold: {alarms['suspect']} of "
        f"{alarms['real_clips']} unmanipulated clips were called suspect (95 % upper bound on the "
        f"rate, by group: {alarms['upper_95']:.2f}). Of {len(fakes)} manipulated clips "
        f"{counts['suspect']} were called suspect, {counts['inconclusive']} inconclusive, and "
        f"{counts['no_evidence']} got `no_evidence`.",
    ]


@figures("bars", of="accuracy")
def _accuracy_bars(result: Result) -> list[str]:
    return bar_lines(result)


@figures("speed", of="speed")
def _speed(result: Result) -> list[str]:
    speed = result["speed"]
    real_time = next(b["value"] for b in result["bars"] if b["name"] == "scan speed")
    peak = max(part["sum"] for part in result["memory_mb"].values())
    where = result["environment"]
    return [
        f"A 10-second 720p clip scans in {interval(speed['ratio'], speed['ratio_interval'], 2)} "
        f"times the time of decoding it (n = {speed['n']} turns), {real_time:.1f} times as fast as "
        f"it plays, on {where['cores']} cores ({where['cpu']}), with {peak:.0f} MB at the peak for "
        "any length.",
    ]


_MARKS = {
    "aigc": "AIGC label",
    "c2pa": "C2PA",
    "visible": "visible",
    "watermark": "watermark",
    "number": "its number",
}


@figures("provenance-matrix", of="provenance-matrix")
def _matrix(result: Result) -> list[str]:
    head = [*_MARKS.values(), "the auditor says", "rules met / not / cannot tell"]
    lines = [f"| | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for row in result["rows"]:
        left = [f"{row['marks'][mark]['left']}/{row['n']}" for mark in _MARKS]
        said = "; ".join(
            line if len(row["said"]) == 1 else f"{line} ({count})"
            for line, count in sorted(row["said"].items())
        )
        rules = " / ".join(
            f"{row['rules_per_file'].get(name, 0):.1f}"
            for name in ("compliant", "noncompliant", "inconclusive")
        )
        name = f"{row['kind']}: {row['transformation']}"
        lines.append(f"| {name} | {' | '.join(left)} | {said} | {rules} |")
    wrong = sum(len(row["wrong"]) for row in result["rows"])
    told = sum(row["n"] for row in result["rows"])
    low, high = result["wrong_interval"]
    return [
        *lines,
        "",
        f"Statements that other readers contradict: {wrong} in {told} files "
        f"(95 % interval of the share: {low:.3f} to {high:.3f}). Material: {result['material']}.",
    ]


@figures("provenance-tamper", of="provenance-tamper")
def _tamper(result: Result) -> list[str]:
    lines = [
        "| file | changes | of signed bytes | reported | of excluded bytes | not reported |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        silent = ", ".join(f"{n} in {what}" for what, n in row["not_reported"].items()) or "none"
        lines.append(
            f"| {row['format'].upper()} | {row['changes']} | {row['in_signed_ranges']} | "
            f"{row['reported']} [{row['interval'][0]:.3f}, {row['interval'][1]:.3f}] | "
            f"{row['in_excluded_ranges']} | {silent} |"
        )
    parts = []
    for row in result["manifest"]:
        silent = ", ".join(f"{n} in {what}" for what, n in sorted(row["not_reported"].items()))
        parts.append(f"{row['format'].upper()}: of {row['bytes']} bytes {silent or 'none'}")
    sealed = "Each byte of the manifest changed once, not reported: " + "; ".join(parts) + "."
    return [*lines, "", sealed]


@figures("provenance-interop", of="provenance-interop")
def _interop(result: Result) -> list[str]:
    lines = ["| file | read by | as it was written |", "|---|---|---|"]
    for row in result["rows"]:
        lines.append(f"| {row['file']} | {row['reader']} | {row['same']}/{row['n']} |")
    return lines


def bar_lines(result: Result) -> list[str]:
    """Return the table of a result's bars."""
    lines = ["| bar | measured | promised | |", "|---|---|---|---|"]
    for bar in result["bars"]:
        sign = "at most" if bar["at_most"] else "at least"
        lines.append(
            f"| {bar['name']} | {bar['value']:.3g} {bar['unit']} | {sign} {bar['limit']:g} | "
            f"{'met' if bar['met'] else '**missed**'} |"
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Write every block, or only say which documents differ; 1 when one does."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results files")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of README.md and docs")
    options = parser.parse_args(arguments)
    differing = 0
    for path in documents(options.root):
        text = path.read_text(encoding="utf-8")
        new = render(text, options.results)
        if new == text:
            continue
        differing += 1
        name = path.relative_to(options.root)
        if options.check:
            print(f"{name}: its figures are not those of the results", file=sys.stderr)
        else:
            path.write_text(new, encoding="utf-8")
            print(f"{name}: figures written")
    return 1 if options.check and differing else 0


if __name__ == "__main__":
    # The blocks of other modules register with the module of this name, not with __main__.
    sys.exit(import_module("benchmarks.tables").main())
