"""Reports as one self-contained HTML file: no script, no request, styles pinned by their hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from forensics.report.html_evidence import evidence_section
from forensics.report.html_faces import faces_section
from forensics.report.html_file import file_section, making_section
from forensics.report.html_provenance import provenance_section
from forensics.report.html_rules import rules_section
from forensics.report.html_verdict import questions_section, verdict_section
from forensics.report.markup import esc, prose, table, tag
from forensics.report.words import VERDICTS, faces_words, percent
from forensics.types import SCHEMA_VERSION, SCOPE, Report

_SECTIONS = (
    verdict_section,
    questions_section,
    faces_section,
    evidence_section,
    provenance_section,
    rules_section,
    file_section,
    making_section,
)


@cache
def _css() -> str:
    return (Path(__file__).parent / "static" / "report.css").read_text(encoding="utf-8")


def report_to_html(report: Report) -> str:
    """Return one report as a complete HTML document."""
    return reports_to_html([report])


def reports_to_html(reports: Sequence[Report]) -> str:
    """Return reports as one complete HTML document, with a summary first when there are several."""
    css = _css()
    digest = base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    name = Path(reports[0].path).name if len(reports) == 1 else f"{len(reports)} files"
    head = "\n".join(
        (
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{esc(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            tag("title", f"Face manipulation report: {esc(name)}"),
            f"<style>{css}</style>",
        )
    )
    body = _summary(reports) if len(reports) != 1 else ""
    body += "".join(_article(report, number) for number, report in enumerate(reports, start=1))
    footer = tag("footer", tag("p", prose(SCOPE)), tag("p", f"Report schema {SCHEMA_VERSION}."))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n'
        f"<body>\n{tag('main', body, footer)}\n</body>\n</html>\n"
    )


def _article(report: Report, number: int) -> str:
    prefix = f"r{number}-"
    header = tag(
        "header", tag("p", "Face manipulation report"), tag("h1", tag("bdi", esc(report.path)))
    )
    parts = [section(report, prefix) for section in _SECTIONS]
    return tag("article", header, *parts, id=f"r{number}")


def _summary(reports: Sequence[Report]) -> str:
    if not reports:
        return tag("section", tag("h1", "No file was examined"))
    rows = [
        (
            tag("a", esc(report.path), href=f"#r{number}"),
            esc(VERDICTS[report.verdict.label].short),
            esc(percent(report.verdict.probability)),
            esc(faces_words(report)),
        )
        for number, report in enumerate(reports, start=1)
    ]
    columns = ("File", "Verdict", "Probability", "Faces")
    return tag("section", tag("h1", f"{len(reports)} files"), table("All results", columns, rows))
