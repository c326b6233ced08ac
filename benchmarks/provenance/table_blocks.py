"""Blocks of the documents about provenance that `benchmarks.tables` does not hold itself."""

from __future__ import annotations

from benchmarks.tables import Result, bar_lines, figures, interval


@figures("provenance-compression", of="provenance-compression", optional=True)
def _compression(result: Result) -> list[str]:
    lines = ["| clips | n | found [95 %] | period right | abstained |", "|---" * 5 + "|"]
    for row in result["rows"]:
        silent = row["n"] - row["answers"].get("found", 0) - row["answers"].get("none", 0)
        right = "" if row["true_period"] is None else row["true_period"]
        share = interval(row["found"] / row["n"], row["interval"], 2)
        lines.append(f"| {row['case']} | {row['n']} | {share} | {right} | {silent} |")
    alarms = result["false_alarms"]
    low, high = alarms["interval"]
    return [
        *lines,
        "",
        f"False alarms: {alarms['found']} of {alarms['n']} clips coded once (95 % interval of the "
        f"rate: {low:.3f} to {high:.3f}). Material: {result['material']}; {result['frames']} "
        "pictures each.",
    ]


@figures("fuzz", of="fuzz", optional=True)
def _fuzz(result: Result) -> list[str]:
    lines = ["| kind | files | crashes | over 5 s | slowest | peak memory |", "|---" * 6 + "|"]
    for row in result["rows"]:
        lines.append(
            f"| {row['kind']} | {row['n']} | {len(row['crashes'])} | {len(row['hangs'])} | "
            f"{row['slowest_s']:.2f} s | {row['memory_mb']:.0f} MB |"
        )
    return lines


@figures("provenance-speed", of="provenance-speed", optional=True)
def _speed(result: Result) -> list[str]:
    lines = ["| work | n | median [95 %] |", "|---|---|---|"]
    for row in result["rows"]:
        times = interval(1000 * row["median_s"], [1000 * v for v in row["interval"]], 1)
        lines.append(f"| {row['work']} | {row['n']} | {times} ms |")
    ratio = interval(result["ratio"], result["ratio_interval"], 2)
    load = result["environment"]["load_at_end"]
    return [
        *lines,
        "",
        f"Audit of {result['large_bytes'] / 1e6:.0f} MB over hashing it once: {ratio}. Load of the "
        f"machine at the end: {load}.",
        "",
        *bar_lines(result),
    ]
