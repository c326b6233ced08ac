"""One page about a whole store: counts, rates with intervals, the worst, the unreadable."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import forensics.report
from forensics.evaluation.rates import wilson
from forensics.report.markup import esc, prose, table, tag
from forensics.report.reasons import explain
from forensics.report.words import VERDICTS, percent
from forensics.store.cases import Case, Filter, now
from forensics.store.store import Store
from forensics.types import SCOPE, VerdictLabel

_WORST = 50
_UNREADABLE = 200
_LABELS: tuple[VerdictLabel, ...] = get_args(VerdictLabel)


def summary_html(store: Store) -> str:
    """Return the summary of every case of a store as a complete HTML document."""
    css = (Path(forensics.report.__path__[0]) / "static" / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = "\n".join((
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{esc(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        tag("title", "Summary of a batch"),
        f"<style>{css}</style>",
    ))  # fmt: skip
    counts = store.counts()
    worst = store.find(Filter(verdict="suspect"), sort="-probability", limit=_WORST).cases
    unreadable = store.find(Filter(reason="unreadable"), limit=_UNREADABLE)
    body = "".join((
        tag("header", tag("p", "Summary of a batch"), tag("h1", _title(counts, store.name))),
        _counts(counts, unreadable.total),
        _reasons(store.each(Filter(verdict="inconclusive"))),
        _files("Most suspicious files", store, worst, counts.get("suspect", 0)),
        _unreadable(unreadable.cases, unreadable.total),
        tag("footer", tag("p", prose(SCOPE)),
            tag("p", f"Written {now().isoformat(timespec='seconds')}.")),
    ))  # fmt: skip
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n'
        f"{tag('main', body)}\n</body>\n</html>\n"
    )


def _title(counts: dict[str, int], name: str) -> str:
    return f"{sum(counts.values())} files in {esc(Path(name).name)}"


def _counts(counts: dict[str, int], unreadable: int) -> str:
    total = sum(counts.get(label, 0) for label in _LABELS)
    rows = []
    for label in _LABELS:
        count = counts.get(label, 0)
        rows.append((esc(VERDICTS[label].short), str(count), _share(count, total)))
    rows.append(("of these, unreadable", str(unreadable), _share(unreadable, total)))
    waiting = sum(n for label, n in counts.items() if label not in _LABELS)
    if waiting:
        rows.append(("no record yet", str(waiting), ""))
    note = (
        "Intervals say how far the share could lie from this one if other files of the same kind "
        "had come. A share of suspect files is no share of fakes: each needs a person's look."
    )
    head = ("Verdict", "Files", "Share (95 % interval)")
    return tag("section", tag("h2", "Counts and rates"), table("All records", head, rows),
               tag("p", note, class_="soft"))  # fmt: skip


def _share(count: int, total: int) -> str:
    if not total:
        return ""
    low, high = wilson(count, total)
    return f"{count / total:.1%} ({low:.1%} to {high:.1%})"


def _reasons(cases: Iterable[Case]) -> str:
    counts: dict[str, int] = {}
    for case in cases:
        for code in case.reasons:
            counts[code] = counts.get(code, 0) + 1
    if not counts:
        return ""
    rows = [
        (prose(explain(code).sentence), str(count))
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return tag("section", tag("h2", "Why files are inconclusive"),
               table("A file may have several reasons", ("Reason", "Files"), rows))  # fmt: skip


def _files(title: str, store: Store, cases: Iterable[Case], total: int) -> str:
    rows = [
        (
            tag("bdi", esc(case.path)),
            esc(percent(case.probability)),
            _links(store, case),
        )
        for case in cases
    ]
    if not rows:
        return tag("section", tag("h2", title), tag("p", "No file is suspect."))
    shown = f"The {len(rows)} with the highest probability, of {total}"
    return tag("section", tag("h2", title),
               table(shown, ("File", "Probability", "Also"), rows))  # fmt: skip


def _links(store: Store, case: Case) -> str:
    """Say which earlier file this one resembles, and what was said of that."""
    for other, words in (
        (case.same_as, "the same bytes as"),
        (case.same_stream, "the same coded pictures as"),
        (case.near, f"looks ({case.near_distance} of 256 bits differ) like"),
    ):
        known = None if other is None else store.case(other)
        if known is not None:
            said = (known.verdict or known.state).replace("_", " ")
            return f"{esc(words)} {tag('bdi', esc(known.path))} ({esc(said)})"
    return ""


def _unreadable(cases: Iterable[Case], total: int) -> str:
    rows = [(tag("bdi", esc(case.path)), prose(_cause(case))) for case in cases]
    if not rows:
        return ""
    shown = f"{len(rows)} of {total}"
    return tag("section", tag("h2", "Files that could not be examined"),
               table(shown, ("File", "Cause"), rows))  # fmt: skip


def _cause(case: Case) -> str:
    error = case.error or ""
    return error.removeprefix(f"{case.path}: ")
