"""Export cases as rows: one a path, as CSV, JSON or Parquet. Never the pictures."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from forensics.errors import OutputError, UsageError, printable
from forensics.store.cases import Case

COLUMNS: dict[str, str] = {
    "case": "text", "path": "text", "sha256": "text", "bytes": "integer", "state": "text",
    "verdict": "text", "probability": "number", "low": "number", "high": "number",
    "llr": "number", "score": "number", "reasons": "text", "error": "text",
    "declaration": "text", "weights": "text", "scanned": "text", "seconds": "number",
    "same_as": "text", "near": "text", "near_distance": "integer",
    "same_stream": "text", "decision": "text",
    "reviews": "integer",
}  # fmt: skip
"""Name and kind of every column, in order."""

_BLOCK = 5_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def row_of(case: Case) -> dict[str, Any]:
    """Return a case as a row."""
    row = {name: getattr(case, name, None) for name in COLUMNS}
    row["case"] = case.id
    row["reasons"] = " ".join(case.reasons)
    row["scanned"] = None if case.finished is None else case.finished.isoformat(timespec="seconds")
    if case.near is None:
        row["near_distance"] = None
    return row


def write_rows(cases: Iterable[Case], format: str, out: Path | TextIO) -> int:
    """Write rows, whole or not at all where ``out`` is a file, in constant memory.

    Args:
        cases: In the order wanted.
        format: A key of `FORMATS`.
        out: File to write, or an open stream for a text format.

    Returns:
        The number of rows.

    Raises:
        UsageError: No such format, or its package is not installed.
        OutputError: It cannot be written.
    """
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, got {format!r}")
    writer = FORMATS[format]
    if not isinstance(out, Path):
        if format == "parquet":
            raise UsageError("--format parquet needs --out FILE")
        return writer(map(row_of, cases), out)
    part = out.with_name(f".forensics-{secrets.token_hex(8)}.tmp")
    try:
        if format == "parquet":
            count = writer(map(row_of, cases), part)
        else:
            with part.open("x", encoding="utf-8", newline="") as stream:
                count = writer(map(row_of, cases), stream)
        part.replace(out)
    except OSError as error:
        cause = error.strerror or str(error)
        raise OutputError(f"{printable(out)}: cannot write: {cause}") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)  # noqa: PTH108
    return count


def _csv(rows: Iterator[dict[str, Any]], out: Any) -> int:
    writer, count = csv.writer(out, lineterminator="\n"), 0
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_safe(value) for value in row.values()])
        count += 1
    return count


def _safe(value: Any) -> Any:
    """Keep a hostile file name from becoming a formula in a spreadsheet."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _json(rows: Iterator[dict[str, Any]], out: Any) -> int:
    count = 0
    out.write("[")
    for row in rows:
        out.write(("\n" if count == 0 else ",\n") + json.dumps(row))
        count += 1
    out.write("\n]\n")
    return count


def _parquet(rows: Iterator[dict[str, Any]], out: Any) -> int:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "parquet needs a package that is not installed; run: "
            "pip install 'deepfake-forensics[parquet]'"
        ) from error
    kinds = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    count, block = 0, []
    with parquet.ParquetWriter(out, schema) as writer:
        for row in rows:
            block.append(row)
            count += 1
            if len(block) == _BLOCK:
                writer.write_table(arrow.Table.from_pylist(block, schema))
                block = []
        writer.write_table(arrow.Table.from_pylist(block, schema))
    return count


FORMATS: dict[str, Callable[[Iterator[dict[str, Any]], Any], int]] = {
    "csv": _csv, "json": _json, "parquet": _parquet,
}  # fmt: skip
