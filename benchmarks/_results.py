"""What every benchmark shares: where it ran, bars met or missed, a table, and a result file."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import forensics

RESULTS = Path(__file__).parent / "results"
_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("av", "numpy", "onnxruntime", "opencv-python-headless", "torch")


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise and what was measured.

    Attributes:
        name: What is promised.
        value: What was measured.
        limit: The promised number.
        unit: Of both.
        at_most: Whether the value must stay at or below the limit; at or above it when False.
        strict: Whether a value equal to the limit misses it.
    """

    name: str
    value: float = field(kw_only=True)
    limit: float = field(kw_only=True)
    unit: str = field(kw_only=True, default="")
    at_most: bool = field(kw_only=True, default=True)
    strict: bool = field(kw_only=True, default=False)

    @property
    def met(self) -> bool:
        """Whether the promise holds."""
        room = self.limit - self.value if self.at_most else self.value - self.limit
        return room > 0 or (room == 0 and not self.strict)

    def line(self) -> str:
        """Say what was measured and by how much the bar is met or missed."""
        sign = {(True, False): "<=", (True, True): "<", (False, False): ">=", (False, True): ">"}
        word = "met" if self.met else "MISSED"
        share = abs(self.value - self.limit) / (self.limit or 1.0)
        return (
            f"{word:6} {self.name}: {self.value:.3g} {self.unit}".rstrip()
            + f" (bar {sign[self.at_most, self.strict]} {self.limit:g}), by {share:.0%}"
        )

    def record(self) -> dict[str, Any]:
        """Return the bar as JSON-ready data."""
        return {
            "name": self.name,
            "value": self.value,
            "limit": self.limit,
            "unit": self.unit,
            "at_most": self.at_most,
            "met": self.met,
        }


def cpu_model() -> str:
    """Return the processor's name as its maker writes it, or its architecture."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def cores() -> int:
    """Return how many cores this process may use."""
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def environment() -> dict[str, Any]:
    """Return what a reader needs to compare two results."""
    versions = {"deepfake-forensics": forensics.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    load = getattr(os, "getloadavg", lambda: (float("nan"),))()[0]
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_at_end": round(load, 2),
        "versions": versions,
        "commit": commit(),
        "weights_sha256": weights_digest(),
    }


def weights_digest() -> str:
    """Return one sha256 over the shipped weights and calibration."""
    total = hashlib.sha256()
    for path in sorted((Path(forensics.__file__).parent / "weights").iterdir()):
        if path.is_file():
            total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def commit() -> str | None:
    """Return the checked-out commit, with a mark when tracked files differ from it."""
    try:
        head, changes = (
            subprocess.run(
                ["git", *words], cwd=_ROOT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+changes" if changes else "")


def machine_name() -> str:
    """Return a short name for this kind of machine: processor and cores, never the host's name."""
    words = re.sub(r"\(.*?\)|@.*$|\bCPU\b|\bProcessor\b", " ", cpu_model())
    return f"{'-'.join(re.findall(r'[A-Za-z0-9.]+', words)).lower()}-{cores()}cores"


def write_result(name: str, data: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write ``<name>-<machine>-<date>.json`` and return its path.

    Args:
        name: Of the benchmark.
        data: JSON-ready results; ``environment`` and ``date`` are added.
        folder: Made when it is missing.
    """
    now = dt.datetime.now(dt.timezone.utc)
    result = {
        "name": name,
        "date": now.isoformat(timespec="seconds"),
        **data,
        "environment": environment(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{machine_name()}-{now.date().isoformat()}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column is text, the others are numbers. Never truncated."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def show_bars(bars: Sequence[Bar]) -> bool:
    """Print every bar's line and return whether all are met."""
    for bar in bars:
        print(bar.line())
    return all(bar.met for bar in bars)


def finish(name: str, result: dict[str, Any], bars: Sequence[Bar], folder: Path = RESULTS) -> int:
    """Print the bars, write the result with them, and return 1 when a bar is missed, else 0."""
    met = show_bars(bars)
    result["bars"] = [bar.record() for bar in bars]
    print(write_result(name, result, folder))
    return 0 if met else 1
