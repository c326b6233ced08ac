"""The platform's decision table of art. 6 of the labelling measures, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One row; None stands for any.

    Attributes:
        metadata: An implicit label says that the content is AI-made.
        declared: The user says so.
        traces: An explicit label or other traces are detected.
        shows: What the platform shows, by language; empty for nothing.
        label: Value of ``Label`` to write, or empty.
    """

    metadata: bool | None
    declared: bool | None
    traces: bool | None
    shows: tuple[str, str]
    label: str


ARTICLE_6: tuple[Row, ...] = (
    Row(True, None, None, ("is AI-generated (属于)", "属于AI生成合成内容"), "1"),
    Row(False, True, None, ("may be AI-generated (可能为)", "可能为AI生成合成内容"), "2"),
    Row(False, False, True, ("is suspected to be AI-generated (疑似)", "疑似AI生成合成内容"), "3"),
    Row(False, False, False, ("", ""), ""),
)


def article_6(*, metadata: bool, declared: bool, traces: bool) -> Row:
    """Return the row that holds."""
    for row in ARTICLE_6:
        wanted = (row.metadata, row.declared, row.traces)
        if all(w is None or w == g for w, g in zip(wanted, (metadata, declared, traces),
                                                  strict=True)):
            return row
    raise AssertionError("the table covers every case")
