"""The command line of the benchmarks that measure on one labelled set."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks._results import RESULTS


def own_parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """Return the parser of ``python -m benchmarks.NAME`` for a set made by ``make-set``."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=text)
    parser.add_argument("--own", type=Path, required=True, help="manifest of a made set")
    parser.add_argument("--split", help="only this split of it")
    parser.add_argument("--limit", type=int, help="only so many rows, for a quick look")
    parser.add_argument("--replicates", type=int, default=2000, help="bootstrap replicates")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    return parser
