"""Blocks of docs/scale.md: see `benchmarks.tables`."""

from __future__ import annotations

import math
import statistics

from benchmarks.tables import Result, bar_lines, figures, interval


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
    lines = ["| two workers | files a second, median | least | most |", "|---|---|---|---|"]
    for name, rates in result["rates"].items():
        figures = (statistics.median(rates), min(rates), max(rates))
        lines.append(f"| {name} | {' | '.join(f'{value:.2f}' for value in figures)} |")
    note = f"{result['files']} clips of 20 pictures, {result['turns']} turns."
    ratios = [
        f"{name}: {interval(found['value'], found['interval'])}"
        for name, found in result.get("ratios", {}).items()
    ]
    told = [f"Median of the turns [95 %]: {'; '.join(ratios)}.", ""] if ratios else []
    return [*lines, "", note, "", *told, *bar_lines(result)]


@figures("scale-slope", of="scale-slope", optional=True)
def _slope(result: Result) -> list[str]:
    lines = ["| resident memory of | mean MB | MB more per 1000 files [95 %] |", "|---|---|---|"]
    for name, found in result["slopes"].items():
        growth = interval(found["mb_per_1000"], found["interval"], 2)
        lines.append(f"| {name} | {found['mean_mb']:.0f} | {growth} |")
    readings = result["slopes"]["all"]["readings"]
    note = f"{result['files']} clips, two workers, {readings} readings after the first tenth."
    return [*lines, "", note, "", *bar_lines(result)]


_RAY = 0.85  # the least that Ray has to reach of the process engine
_NODE = 32
_MILLION = 1_000_000


@figures("scale-sizing", of="scale-sizing", optional=True)
def _sizing(result: Result) -> list[str]:
    lines = [
        "| clip | clips a day and core [95 %] | core seconds a clip | "
        "a million a day, on paper: cores | nodes of 32 cores |",
        "|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        rate = row["clips_a_day_per_core"]
        needed = math.ceil(_MILLION / (rate * _RAY))
        lines.append(
            f"| {row['length']}, {row['size']} | {interval(rate, row['interval'], 0)} | "
            f"{row['core_seconds']:.2f} | {needed} | {math.ceil(needed / _NODE)} |"
        )
    note = (
        f"Default options, {result['workers']} busy cores, median of {result['turns']} turns of "
        f"{result['each']} clips a core. On paper: Ray at {_RAY} of these rates, its bar; "
        "storage and network that keep up; no file known already."
    )
    return [*lines, "", note]
