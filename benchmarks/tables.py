"""Write README's accuracy table from the newest results: ``python -m benchmarks.tables``.

Every figure in the table comes out of that file, which is named under it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks._results import RESULTS

_README = Path(__file__).resolve().parents[1] / "README.md"
_START, _END = "<!-- accuracy-table -->", "<!-- accuracy-table-end -->"


def newest(name: str) -> Path:
    """Return the newest results file of a benchmark.

    Raises:
        FileNotFoundError: There is none.
    """
    found = sorted(RESULTS.glob(f"{name}-*.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise FileNotFoundError(f"no results of {name}; run python -m benchmarks.{name}")
    return found[-1]


def _interval(value: float | None, bounds: list[float] | None) -> str:
    if value is None:
        return "not supported by n"
    return f"{value:.3f}" + (f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else "")


def accuracy_table(result: dict[str, Any], name: str) -> str:
    """Return the table in Markdown."""
    lines = [
        "| set | scored by | real + fake | AUC [95 %] | TPR at FPR 5 % | ECE |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["results"]:
        frame = row["frame"]
        lines.append(
            f"| {row['set']} | {row['scorer']} | {row['n_real']} + {row['n_fake']} | "
            f"{_interval(frame['auc'], frame['auc_interval'])} | "
            f"{_interval(frame['tpr_at_fpr']['0.05'], None)} | {_interval(frame['ece'], None)} |"
        )
    alarms = result.get("false_alarms")
    if alarms:
        lines += [
            "",
            f"Whole clips of other people's footage: {alarms['suspect']} of "
            f"{alarms['real_clips']} unmanipulated clips were called suspect "
            f"(95 % upper bound on the rate, by group: {alarms['upper_95']:.2f}).",
        ]
    lines += ["", f"From `benchmarks/results/{name}`, written by `python -m benchmarks.accuracy`."]
    return "\n".join(lines)


def main() -> int:
    """Replace the table in README.md."""
    path = newest("accuracy")
    table = accuracy_table(json.loads(path.read_text(encoding="utf-8")), path.name)
    text = _README.read_text(encoding="utf-8")
    block = re.compile(re.escape(_START) + ".*?" + re.escape(_END), re.DOTALL)
    if not block.search(text):
        print(f"README.md has no block {_START}", file=sys.stderr)
        return 2
    new = block.sub(lambda _: f"{_START}\n{table}\n{_END}", text)
    _README.write_text(new, encoding="utf-8")
    print(f"README.md: table of {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
