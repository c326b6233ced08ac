"""Blocks of docs/web.md: see `benchmarks.tables`."""

from __future__ import annotations

from benchmarks.tables import Result, bar_lines, figures


@figures("web", of="web", optional=True)
def _web(result: Result) -> list[str]:
    pages, load = result["pages"], result["load"]
    where = result["environment"]

    def most(name: str) -> str:
        return f"{max(pages[name]):.2f} s"

    lines = [
        f"On {where['cores']} cores ({where['cpu']}) that server, browser and clients share: the "
        f"first view transfers {pages['bytes'] / 1000:.1f} kB in {pages['requests']} requests and "
        f"can be used after {most('inbox_s')} at most, the case of a 10-minute clip after "
        f"{most('case_usable_s')}, its first picture after {most('case_picture_s')} "
        f"(n = {pages['n']} each, new browser profiles). Load of the machine at the end: "
        f"{where['load_at_end']:.1f}.",
        "",
        f"| {load['clients']} clients at once, {load['cases']} cases | n | median | "
        "95 % of answers within [95 % interval] |",
        "|---|---|---|---|",
    ]
    for name, row in load["questions"].items():
        low, high = row["p95_interval_ms"]
        lines.append(
            f"| {name} JSON | {row['n']} | {row['median_ms']:.0f} ms | "
            f"{row['p95_ms']:.0f} ms [{low:.0f}, {high:.0f}] |"
        )
    large, probed = result["upload"], result["made_up"]
    lines += [
        "",
        f"An upload of {large['bytes'] / 2**30:.0f} GiB took {large['seconds']:.0f} s and "
        f"{large['grown'] / 1e6:.0f} MB of memory; {probed['requests']} requests that schemathesis "
        f"made up for {probed['operations']} operations met {probed['statuses'].get('5xx', 0)} "
        "server errors.",
    ]
    return lines


@figures("web-bars", of="web", optional=True)
def _web_bars(result: Result) -> list[str]:
    return bar_lines(result)
