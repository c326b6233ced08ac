"""Blocks of docs/scale.md: see `benchmarks.tables`."""

from __future__ import annotations

import statistics

from benchmarks.tables import Result, bar_lines, figures


@figures("scale-rows", of="scale-rows", optional=True)
def _rows(result: Result) -> list[str]:
    lines = ["| query of one page and its total | median ms | most ms |", "|---|---|---|"]
    for name, times in result["seconds"].items():
        middle, most = 1e3 * statistics.median(times), 1e3 * max(times)
        lines.append(f"| {name} | {middle:.0f} | {most:.0f} |")
    where = result["environment"]
    note = (
        f"{result['rows']} rows, SQLite, n = {result['n']}, {where['cores']} cores, "
        f"load {where['load_at_end']} at the end."
    )
    return [*lines, "", note, "", *bar_lines(result)]


@figures("scale-fault", of="scale-fault", optional=True)
def _fault(result: Result) -> list[str]:
    names = {
        "files": "files, a tenth hostile", "workers_killed": "workers killed",
        "driver_killed": "driver killed", "cases": "records", "scanned_twice": "recorded twice",
        "without_record": "without record", "differing": "other than undisturbed",
    }  # fmt: skip
    lines = [f"| engine | {' | '.join(names.values())} |", "|---" * (len(names) + 1) + "|"]
    for run in result["runs"]:
        lines.append(f"| {run['engine']} | {' | '.join(str(run[name]) for name in names)} |")
    return lines


@figures("scale-throughput", of="scale-throughput", optional=True)
def _throughput(result: Result) -> list[str]:
    return bar_lines(result)
