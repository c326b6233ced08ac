"""Plain tables for listings: as wide as their content, never truncated, no dependency."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align rows under a header.

    Args:
        header: Column titles.
        rows: Cells, as many per row as the header has.

    Returns:
        Lines joined by newlines, without trailing blanks.
    """
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
