"""Write the leaderboard: ``python -m benchmarks.leaderboard --out docs/leaderboard.html``.

One HTML file without scripts, fonts or pictures from elsewhere, made of the newest results files
alone; each section names the file that its figures come from.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks._results import RESULTS
from benchmarks.accuracy.promises import HEAD, SOURCES, from_folder
from benchmarks.leaderboard.plots import (
    DET_TICKS,
    SHARE,
    Axis,
    Line,
    heat_map,
    probit,
    square_plot,
)
from benchmarks.table_blocks import calling_point, distorted_grids, distorted_rows, localised
from benchmarks.tables import interval, newest
from forensics.report.markup import esc, prose, table, tag

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "leaderboard.html"
Result = Mapping[str, Any]

_STYLE = """
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#d0d0d0;--soft:#666}
@media(prefers-color-scheme:dark){:root{--ink:#eee;--paper:#161616;--line:#444;--soft:#aaa}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:1240px;margin:0 auto;padding:1rem}
h1{margin-bottom:.2em}h2{margin-top:2.2em;border-bottom:1px solid var(--line)}
h3{margin:1.6em 0 .4em}
table{border-collapse:collapse;margin-top:.9em;font-size:.84em;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:.3em max(0px,100% - 100vw + 2rem) .3em 0}
th,td{padding:.25em .6em;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}
.scroll{overflow-x:auto}.scroll svg{min-width:560px}.plots{display:grid;
grid-template-columns:repeat(auto-fill,minmax(285px,1fr));gap:1rem;margin-top:1rem}
figure{margin:0}td small{display:block;color:var(--soft)}
figcaption{color:var(--soft);font-size:.9em;max-width:34em}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}
svg .mid{text-anchor:middle}svg .end{text-anchor:end}svg .frame{fill:none;stroke:var(--line)}
svg .grid{stroke:var(--line);stroke-width:.6}svg .strong{stroke:var(--soft);stroke-dasharray:3 3}
svg .cell[fill="#ffffff"]{fill:#fff}svg .cell[fill="#111111"]{fill:#111}
.legend{list-style:none;padding:0;margin:.3em 0;display:flex;flex-wrap:wrap;gap:.1em 1em;
max-width:26em;font-size:.9em}
.source{color:var(--soft);font-size:.85em}
@media(max-width:600px){td:first-child{white-space:normal;min-width:9em}}
"""


def accuracy_section(result: Result) -> str:
    """Tables and curves of every set."""
    parts = []
    order = dict.fromkeys(row["scorer"] for row in result["results"])
    styles = {who: number for number, who in enumerate(order)}
    paired = {(row["set"], row["against"]): row for row in result.get("paired", [])}
    for name in dict.fromkeys(row["set"] for row in result["results"]):
        rows = [row for row in result["results"] if row["set"] == name]
        rows.sort(key=lambda row: -(row["frame"]["auc"] or 0.0))
        first = rows[0]
        parts.append(tag("h3", esc(name)))
        parts.append(
            table(
                f"{first['n_real']} real and {first['n_fake']} manipulated, "
                f"{first['groups']} groups; 95 % intervals over groups",
                ("scored by", "AUC", "ours ahead by", "AUC by group", "EER", "TPR at FPR 1 %",
                 "TPR at FPR 5 %", "ECE", "Cllr", "coverage"),
                [_line(row, paired.get((name, row["scorer"]))) for row in rows],
            )
        )  # fmt: skip
        curves = [(row["scorer"], row["curves"]) for row in rows if row.get("curves")]
        if curves:
            parts.append(tag("div", *_plots(name, curves, styles), class_="plots"))
    return "".join(parts)


def cell(value: float | None, bounds: Sequence[float] | None) -> str:
    """Return a figure with its interval below it."""
    if value is None:
        return tag("small", "not supported by n")
    ends = "" if bounds is None else tag("small", f"{bounds[0]:.3f} to {bounds[1]:.3f}")
    return f"{value:.3f}{ends}"


def _line(row: Result, against: Result | None) -> tuple[str, ...]:
    frame, group = row["frame"], row["group"]

    def shown(block: Result, name: str) -> str:
        return cell(block[name], block.get(f"{name}_interval"))

    def rate(limit: str) -> str:
        bounds = (frame.get("tpr_at_fpr_interval") or {}).get(limit)
        return cell(frame["tpr_at_fpr"][limit], bounds)

    ahead = "" if against is None else cell(against["difference"], against["interval"])
    return (
        esc(row["scorer"]), shown(frame, "auc"), ahead, shown(group, "auc"), shown(frame, "eer"),
        rate("0.01"), rate("0.05"), shown(frame, "ece"),
        tag("small", "states no ratio") if frame["cllr"] is None else shown(frame, "cllr"),
        f"{row['coverage']:.3f}",
    )  # fmt: skip


def _plots(
    name: str, curves: Sequence[tuple[str, Result]], styles: Mapping[str, int]
) -> list[str]:
    share = Axis("false positive rate", SHARE)
    roc = [Line(who, block["roc"], styles[who]) for who, block in curves]
    det = [
        Line(who, [[fpr, 1 - tpr] for fpr, tpr in block["roc"]], styles[who])
        for who, block in curves
    ]
    fit = [Line(who, block["reliability"], styles[who], dots=True) for who, block in curves
           if block["reliability"]][:3]  # fmt: skip
    risk = [
        Line(who, block["risk_coverage"], styles[who])
        for who, block in curves
        if block["risk_coverage"]
    ]
    normal = Axis("false positive rate", DET_TICKS, probit)
    return [
        square_plot(f"ROC, {name}", share, Axis("true positive rate", SHARE), roc, diagonal=True),
        square_plot(f"DET, {name} (normal deviates)", normal,
                    Axis("miss rate", DET_TICKS, probit), det),
        square_plot(f"Reliability, {name}, the three best; on the diagonal what is said holds",
                    Axis("stated probability", SHARE), Axis("share manipulated", SHARE), fit,
                    diagonal=True),
        square_plot(f"Risk over coverage, {name}: wrong calls among the surest share of rows",
                    Axis("share of rows kept", SHARE),
                    Axis("share of wrong calls", SHARE), risk),
    ]  # fmt: skip


def shift_section(result: Result) -> str:
    """What one threshold for all sets costs, and for whom."""
    parts = []
    cross = result.get("cross_auc")
    if cross:
        numbers = [str(number) for number, _ in enumerate(cross["sets"], 1)]
        rows = [
            (f"{name} ({number})", values)
            for number, name, values in zip(numbers, cross["sets"], cross["auc"], strict=True)
        ]
        title = (
            "Cross-AUC: reals of the row's set against fakes of the set with the column's number. "
            f"Mean within sets {interval(cross['within'], None)}, "
            f"across {interval(cross['across'], None)}"
        )
        parts.append(heat_map(title, numbers, rows, low=0.5, high=1.0))
    if result.get("at_threshold"):
        parts.append(
            table(
                "Real clips that the scan called suspect, one count a group",
                ("set", "groups", "called suspect", "rate [95 %]", "claim of 5 %"),
                [
                    (esc(row["set"]), str(row["groups"]), str(row["hits"]),
                     esc(interval(row["fpr"], row["interval"])),
                     "carried by n" if row["supported"] else "not supported by n")
                    for row in result["at_threshold"]
                ],
            )
        )  # fmt: skip
    for part in result.get("subgroups", []):
        gap = interval(part["gap"], part["gap_interval"])
        parts.append(
            table(
                f"{part['set']}, by {part['by']}, {calling_point(part)}; largest "
                f"gap of the false positive rate {gap}",
                ("subgroup", "real groups", "FPR [95 %]", "fakes", "TPR", "AUC [95 %]"),
                [
                    (esc(row["name"]), str(row["groups"]),
                     esc(interval(row["fpr"], row["interval"])), str(row["fakes"]),
                     esc(interval(row["tpr"], None)),
                     esc(interval(row["auc"], row["auc_interval"])))
                    for row in part["rows"]
                ],
            )
        )  # fmt: skip
    return "".join(parts)


def robustness_section(result: Result) -> str:
    """Heat map of the distortions, and what a scan says under them."""
    found = distorted_rows(result)
    kinds = list(dict.fromkeys(row["kind"] for row in found))
    levels = sorted({row["level"] for row in found})
    cells = {(row["kind"], row["level"]): row["auc"] for row in found}
    rows = [(kind, [cells.get((kind, level)) for level in levels]) for kind in kinds]
    clean = interval(result["clean"]["auc"], result["clean"]["auc_interval"])
    title = (
        f"AUC under distortion, clean {clean}; {result['n_real']} real and {result['n_fake']} "
        "manipulated clips"
    )
    parts = [heat_map(title, [f"level {level}" for level in levels], rows, low=0.5, high=1.0)]
    for head, names, lines in distorted_grids(result)[1:]:
        parts.append(table(head, ("", *names), [tuple(map(esc, line)) for line in lines]))
    return "".join(parts)


def bars_section(result: Result) -> str:
    """What was promised and measured."""
    if not result.get("bars"):
        return ""
    return table(
        "Promised and measured",
        ("bar", "measured", "promised", ""),
        [
            (esc(bar["name"]), esc(f"{bar['value']:.3g} {bar['unit']}"),
             esc(f"{'at most' if bar['at_most'] else 'at least'} {bar['limit']:g}"),
             "met" if bar["met"] else tag("strong", "missed"))
            for bar in result["bars"]
        ],
    )  # fmt: skip


def localisation_section(result: Result) -> str:
    """Pixels, person, seconds."""
    rows = [tuple(map(esc, row)) for row in localised(dict(result))]
    return table(f"{result['clips']} manipulated clips", ("what", "n", "measured [95 %]"), rows)


def promises_section(folder: Path) -> str:
    """Every promise about detection, from the newest results of all benchmarks."""
    found = from_folder(folder)
    names = [newest(name, folder).name for name in SOURCES if any(folder.glob(f"{name}-*.json"))]
    rows = [tuple(map(esc, promise.cells())) for promise in found]
    return (
        tag("h2", "Promised and measured")
        + table("What was promised of detection", HEAD, rows)
        + tag("p", prose(f"From {', '.join(f'benchmarks/results/{name}' for name in names)}."),
              class_="source")
    )  # fmt: skip


_SECTIONS: tuple[tuple[str, str, Callable[[Result], str]], ...] = (
    ("accuracy", "Who finds what", accuracy_section),
    ("accuracy", "One threshold for all", shift_section),
    ("robustness", "Under distortion", robustness_section),
    ("localisation", "Where it was manipulated", localisation_section),
    ("sets", "Labelled sets", bars_section),
    ("speed", "Speed", bars_section),
)


def render(folder: Path = RESULTS) -> str:
    """Return the page.

    Raises:
        FileNotFoundError: There are no results of the accuracy benchmark.
    """
    newest("accuracy", folder)
    parts = []
    for name, title, section in _SECTIONS:
        try:
            path = newest(name, folder)
        except FileNotFoundError:
            continue
        result = json.loads(path.read_text(encoding="utf-8"))
        if body := section(result):
            where = result["environment"]
            source = (
                f"From benchmarks/results/{path.name}: {where['cpu']}, {where['cores']} cores, "
                f"version {where['versions']['deepfake-forensics']}."
            )
            parts.append(tag("h2", esc(title)) + body + tag("p", prose(source), class_="source"))
    parts.append(promises_section(folder))
    intro = (
        "Every figure comes from a results file of this project; 95 % intervals are by a "
        "bootstrap over groups. A figure that n cannot carry is not printed. Higher scores mean "
        "more likely manipulated; nothing here says that a file is authentic."
    )
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
    )
    body = tag("h1", "Leaderboard") + tag("p", prose(intro)) + "".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head>'
        f"{head}<title>Leaderboard</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; 2 when there are no results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaderboard", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results files")
    parser.add_argument("--out", type=Path, default=PAGE, help="page to write")
    options = parser.parse_args(arguments)
    try:
        text = render(options.results)
    except FileNotFoundError as error:
        parser.error(str(error))
    options.out.write_text(text, encoding="utf-8")
    print(options.out)
    return 0
