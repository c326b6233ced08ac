"""Measure the desk against its promises: ``python -m benchmarks.web``.

Server, browser and clients share this machine's cores, as they do on a reviewer's laptop.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.speed.material import make_clip, repeat_clip
from benchmarks.web.load import hammer
from benchmarks.web.made_up import made_up
from benchmarks.web.pages import browser, first_view, open_case
from benchmarks.web.server import Server, serving
from benchmarks.web.upload import upload
from forensics.store import Store

CLIENTS, REQUESTS = 50, 500
CASES = 1000
UPLOAD = 2 << 30
_MINUTES = 10


def bounds(values: Sequence[float], share: float) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a percentile."""
    pick = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    drawn = np.percentile(np.array(values)[pick], 100 * share, axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def measure_pages(server: Server, case: str, repeats: int) -> tuple[dict[str, Any], list[Bar]]:
    """Open views in new profiles."""
    with browser() as started:
        first_view(started, server.url)
        views = [first_view(started, server.url) for _ in range(repeats)]
        cases = [open_case(started, server.url, case) for _ in range(repeats)]
    seconds, sizes, counts = zip(*views, strict=True)
    usable, shown = zip(*cases, strict=True)
    rows = [("inbox, usable", seconds), (f"{_MINUTES}-minute case, usable", usable),
            (f"{_MINUTES}-minute case, first picture", shown)]  # fmt: skip
    show(
        f"Opening a view in a new profile, s, n = {repeats}", ("view", "median", "least", "most"),
        [(name, f"{np.median(v):.2f}", f"{min(v):.2f}", f"{max(v):.2f}") for name, v in rows],
    )  # fmt: skip
    print(f"first view: {max(sizes)} bytes in {max(counts)} requests\n")
    bars = [
        Bar("first view, transferred", value=max(sizes) / 1000, limit=100, unit="kB", strict=True),
        Bar("first view, usable (slowest)", value=max(seconds), limit=1.0, unit="s"),
        Bar(f"case of a {_MINUTES}-minute clip, open (slowest)", value=max(shown), limit=2.0,
            unit="s"),
    ]  # fmt: skip
    data = {"n": repeats, "bytes": max(sizes), "requests": max(counts), "inbox_s": seconds,
            "case_usable_s": usable, "case_picture_s": shown}  # fmt: skip
    return data, bars


def fill(url: str, case: str, count: int) -> None:
    """Put copies of a scanned case into the store, as a batch would."""
    with Store(url) as store:
        model, report = store.case(case), json.loads(store.report(case) or "{}")
        assert model is not None
        ids = [f"{number:032x}" for number in range(count)]
        store.add(replace(model, id=name, path=f"clip-{name[-4:]}.mp4", state="queued")
                  for name in ids)  # fmt: skip
        for name in ids:
            store.finish(name, report)


def measure_load(server: Server) -> tuple[dict[str, Any], list[Bar]]:
    """Ask with many clients at once."""
    hammer(server.url, CLIENTS, CLIENTS)
    seen = hammer(server.url, CLIENTS, REQUESTS)
    waits: dict[str, list[float]] = seen["waits"]
    p95 = {name: float(np.percentile(v, 95)) for name, v in waits.items()}
    ends = {name: bounds(v, 0.95) for name, v in waits.items()}
    show(
        f"{CLIENTS} clients at once, {REQUESTS} requests, {CASES} cases in the store, ms",
        ("question", "n", "median", "95 %", "95 % interval of it", "most"),
        [
            (name, str(len(v)), f"{1e3 * np.median(v):.0f}", f"{1e3 * p95[name]:.0f}",
             f"{1e3 * ends[name][0]:.0f} to {1e3 * ends[name][1]:.0f}", f"{1e3 * max(v):.0f}")
            for name, v in waits.items()
        ],
    )  # fmt: skip
    bars = [
        Bar(f"p95 of {name} JSON, {CLIENTS} clients", value=1e3 * p95[name], limit=150, unit="ms",
            strict=True)
        for name in waits
    ]  # fmt: skip
    bars.append(Bar("failed requests", value=len(seen["errors"]), limit=0))
    data = {"clients": CLIENTS, "cases": CASES, "seconds": seen["seconds"],
            "errors": seen["errors"],
            "questions": {
                name: {"n": len(v), "median_ms": 1e3 * float(np.median(v)),
                       "p95_ms": 1e3 * p95[name], "p95_interval_ms": [1e3 * e for e in ends[name]]}
                for name, v in waits.items()
            }}  # fmt: skip
    return data, bars


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description=__doc__)
    parser.add_argument("--repeats", type=int, default=10, help="times that a view is opened")
    parser.add_argument("--examples", type=int, default=50, help="made-up requests an operation")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="forensics-web-") as name:
        folder = Path(name)
        short = make_clip(folder / "short.mp4")
        long = repeat_clip(short, folder / "long.mp4", 6 * _MINUTES)
        database = f"sqlite:///{folder / 'cases.sqlite'}"
        with serving(folder / "desk", "--db", database) as server:
            case = server.scan(long)
            fill(database, case, CASES)
            pages, bars = measure_pages(server, case, options.repeats)
            load, more = measure_load(server)
            bars += more
        with serving(folder / "fresh") as server:
            large = upload(server, UPLOAD)
        print(f"upload of {UPLOAD >> 30} GiB: {large['seconds']:.1f} s, "
              f"{large['grown'] / 1e6:.0f} MB more memory at the peak\n")  # fmt: skip
        probed = made_up(folder / "probed", options.examples)
    print(f"made-up requests: {probed['requests']} to {probed['operations']} operations, "
          f"{probed['statuses']}\n")  # fmt: skip
    bars += [
        Bar("memory growth during a 2 GB upload", value=large["grown"] / 1e6, limit=64, unit="MB"),
        Bar("upload taken", value=float(large["status"] == 202), limit=1, at_most=False),
        Bar("server errors to made-up requests", value=probed["statuses"].get("5xx", 0), limit=0),
    ]
    result = {"pages": pages, "load": load, "upload": large, "made_up": probed,
              "bars": [bar.record() for bar in bars]}  # fmt: skip
    met = show_bars(bars)
    print(write_result("web", result, options.out))
    return 0 if met else 1
