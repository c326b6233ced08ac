"""The commands ``forensics cases ...``: ask the store of a batch."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli._batch_files import digest_start
from forensics.cli._output import print_text
from forensics.cli.batch import DEFAULT_DB, DbOption
from forensics.errors import UsageError, printable

if TYPE_CHECKING:
    from forensics.store import Case, Filter, Store

_Text = str | None
Verdict = Annotated[_Text, typer.Option(help="suspect, inconclusive or no_evidence.")]
Reason = Annotated[_Text, typer.Option(help="A code among the verdict's reasons.")]
Rule = Annotated[_Text, typer.Option(help="Id of a policy rule that said something.")]
Outcome = Annotated[_Text, typer.Option(help="What a rule said, for example noncompliant.")]
Since = Annotated[_Text, typer.Option(help="Scanned at or after: 2026-11-24 or 2026-11-24T08:00.")]
Until = Annotated[_Text, typer.Option(help="Scanned before this time.")]
MinScore = Annotated[float | None, typer.Option(help="Least crop score, 0..1.")]
MaxScore = Annotated[float | None, typer.Option(help="Largest crop score, 0..1.")]
Weights = Annotated[_Text, typer.Option(help="Scanned with weights whose digest starts so.")]
PathPart = Annotated[_Text, typer.Option("--path", help="Part of the path.")]
Sort = Annotated[str, typer.Option(help="number, path, score, probability, finished, -score ...")]
LogOption = Annotated[
    Path | None, typer.Option("--log", help="Log for deletions. Default: beside a SQLite file.")
]


def register(app: typer.Typer) -> None:
    """Add the commands ``cases`` to ``app``."""
    cases = typer.Typer(
        help="Ask the store of a batch: list, show, export, delete, summary.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    cases.command("list")(list_command)
    cases.command("show")(show_command)
    cases.command("export")(export_command)
    cases.command("delete")(delete_command)
    cases.command("summary")(summary_command)
    app.add_typer(cases, name="cases")


def list_command(
    db: DbOption = DEFAULT_DB,
    verdict: Verdict = None,
    reason: Reason = None,
    rule: Rule = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    min_score: MinScore = None,
    max_score: MaxScore = None,
    weights: Weights = None,
    path: PathPart = None,
    sort: Sort = "number",
    limit: Annotated[int, typer.Option(help="Most cases to list; 0 for all.", min=0)] = 50,
    format: Annotated[str, typer.Option(help="table, json or csv.")] = "table",
) -> None:
    """List cases, by filters."""
    from forensics.store.export import write_rows

    wanted = _filter(verdict, reason, rule, outcome, since, until, min_score, max_score, weights,
                     path)  # fmt: skip
    with _open(db) as store:
        found = store.find(wanted, sort=sort, limit=limit or 2**31)
        if format == "table":
            print_text(_table(found.cases) + "\n")
            typer.echo(f"{len(found.cases)} of {found.total}", err=True)
            if not found.total and rule is not None:
                _hint(rule)
        else:
            write_rows(found.cases, format, sys.stdout)


def show_command(
    case: Annotated[str, typer.Argument(help="Id of a case, the start of it, or its path.")],
    db: DbOption = DEFAULT_DB,
    format: Annotated[str, typer.Option(help="table, or json for the report.")] = "table",
) -> None:
    """Show one case: what is known of it, or its whole report."""
    with _open(db) as store:
        found = _one(store, case)
        if format == "json":
            report = store.report(found.id)
            if report is None:
                raise UsageError(f"{found.path}: has no report yet")
            print_text(json.dumps(json.loads(report), indent=2) + "\n")
        elif format == "table":
            print_text(_facts(store, found))
        else:
            raise UsageError(f"--format must be table or json, got {format!r}")


def export_command(
    db: DbOption = DEFAULT_DB,
    format: Annotated[
        str | None, typer.Option(help="csv, json, parquet or stills; default: what --out says.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write (for stills: a folder); default stdout.")
    ] = None,
    blur_bystanders: Annotated[
        bool, typer.Option("--blur-bystanders", help="In stills, hide faces not in question.")
    ] = False,
    verdict: Verdict = None,
    reason: Reason = None,
    rule: Rule = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    min_score: MinScore = None,
    max_score: MaxScore = None,
    weights: Weights = None,
    path: PathPart = None,
    sort: Sort = "number",
) -> None:
    """Export cases, one row a path; or stills of the most suspicious moment of each file."""
    from forensics.store.export import write_rows

    name = format or (out.suffix.lstrip(".").lower() if out else "") or "csv"
    wanted = _filter(verdict, reason, rule, outcome, since, until, min_score, max_score, weights,
                     path)  # fmt: skip
    if blur_bystanders and name != "stills":
        raise UsageError("--blur-bystanders is for --format stills; other exports hold no picture")
    with _open(db) as store:
        if name == "stills":
            if out is None:
                raise UsageError("--format stills needs --out FOLDER")
            from forensics.batch.stills import export_stills

            count, lost = export_stills(store, wanted, out, blur=blur_bystanders)
            for line in lost:
                typer.echo(f"warning: {line}", err=True)
            typer.echo(f"wrote {count} stills into {printable(out)}", err=True)
            return
        count = write_rows(store.each(wanted, sort=sort), name, sys.stdout if out is None else out)
    if out is not None:
        typer.echo(f"wrote {count} rows into {printable(out)}", err=True)


def delete_command(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE...]", help="Ids or paths.")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option(metavar="DAYS", help="All that were entered before.")
    ] = None,
    db: DbOption = DEFAULT_DB,
    log: LogOption = None,
    sign: Annotated[Path | None, typer.Option(help="Key that signs the log's lines.")] = None,
) -> None:
    """Delete cases for good. Only digests stay, in the hash-chained log."""
    from forensics.batch.privacy import delete_cases, expire, log_beside
    from forensics.report.custody.log import CustodyLog

    if not cases and older_than is None:
        raise UsageError("name cases, or give --older-than DAYS")
    key = None
    if sign is not None:
        from forensics.report.custody.keys import load_private

        key = load_private(sign)
    with _open(db) as store:
        custody = CustodyLog(log_beside(store, log), key=key)
        count = delete_cases(store, [_one(store, c).id for c in cases or ()], custody, by="person")
        if older_than is not None:
            count += expire(store, older_than, custody)
    typer.echo(
        f"deleted {count} cases with their reports and reviews; what stays of them are digests of "
        f"file and report in {printable(custody.path)}. The media files were not touched.",
        err=True,
    )


def summary_command(
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Write one page: counts, rates with intervals, the worst files, the unreadable ones."""
    from forensics.report.write import write_text_atomic
    from forensics.store.summary import summary_html

    with _open(db) as store:
        write_text_atomic(out, summary_html(store))
    typer.echo(f"wrote {printable(out)}", err=True)


def _open(db: str) -> Store:
    from forensics.store import Store

    return Store(db, create=False)


def _one(store: Store, wanted: str) -> Case:
    """Return the one case that an id, the start of one, or a path means."""
    from forensics.store.cases import path_id

    for name in (wanted, path_id(wanted)):
        found = store.case(name)
        if found is not None:
            return found
    near = store.starting(wanted) if len(wanted) >= 6 else []
    if len(near) != 1:
        what = "more than one case starts so" if near else "no such case"
        raise UsageError(f"{printable(wanted)}: {what} in {store.name}")
    return near[0]


def _filter(
    verdict: str | None, reason: str | None, rule: str | None, outcome: str | None,
    since: str | None, until: str | None, min_score: float | None, max_score: float | None,
    weights: str | None, path: str | None,
) -> Filter:  # fmt: skip
    from forensics.store import Filter

    labels = ("suspect", "inconclusive", "no_evidence")
    if verdict is not None and verdict not in labels:
        raise UsageError(f"--verdict must be one of {', '.join(labels)}, got {verdict!r}")
    return Filter(
        verdict=verdict, reason=reason, rule=rule, outcome=outcome,
        since=_time(since, "--since"), until=_time(until, "--until"), min_score=min_score,
        max_score=max_score, weights=digest_start(weights or "") or None, text=path or "",
    )  # fmt: skip


def _hint(rule: str) -> None:
    """Name the rules there are, where a filter found nothing by a rule that there is not.

    It is no error: a store may hold what rules of other versions said.
    """
    from forensics.policy import list_rules

    known = [each.id for each in list_rules()]
    if rule not in known:
        typer.echo(f"there is no rule {printable(rule)}; rules: {', '.join(known)}", err=True)


def _time(text: str | None, option: str) -> dt.datetime | None:
    """Read a time; without a zone it is this machine's."""
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(dt.timezone.utc)
    except ValueError:
        raise UsageError(f"{option} must be a date such as 2026-11-24, got {text!r}") from None


def _table(cases: Any) -> str:
    from forensics.cli._tables import format_table

    rows = [
        (
            case.id[:8], case.verdict or case.state, _number(case.probability),
            _number(case.score), "" if case.finished is None else f"{case.finished:%Y-%m-%d %H:%M}",
            printable(case.path),
        )
        for case in cases
    ]  # fmt: skip
    text = format_table(("case", "verdict", "prob.", "score", "scanned", "path"), rows)
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_fitted(line, width) for line in text.split("\n"))


def _fitted(line: str, width: int) -> str:
    """Shorten the path, at its start: the file's name is what tells."""
    if len(line) <= width:
        return line
    start = line[:61].rindex("  ", 0, 61) + 2 if "  " in line[:61] else 0
    keep = width - start - 1
    return f"{line[:start]}\u2026{line[-keep:]}" if keep > 8 else line[:width]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _facts(store: Store, case: Case) -> str:
    from forensics.store.export import row_of

    lines = [f"{name:14} {_plain(value)}" for name, value in row_of(case).items()
             if value not in (None, "")]  # fmt: skip
    for link, words in (
        (case.same_as, "same bytes as"),
        (case.same_stream, "same coded pictures as"),
        (case.near, "looks like"),
    ):
        other = None if link is None else store.case(link)
        if other is not None:
            lines.append(f"{words:14} {printable(other.path)} ({other.verdict})")
    scans = store.scans(case.id)
    for scan in scans:
        lines.append(f"{'scan':14} {scan.finished:%Y-%m-%d %H:%M:%S} {scan.verdict} "
                     f"{_number(scan.probability)} {scan.weights}".rstrip())  # fmt: skip
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value))
