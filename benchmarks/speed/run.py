"""Measure speed and memory against the promises: ``python -m benchmarks.speed``.

Decoding the whole clip (PyAV, its default threads, no conversion to RGB) and scanning it take
turns in one warm process, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

import forensics
from benchmarks._results import RESULTS, Bar, finish, show
from benchmarks.speed.material import FPS, SECONDS, SIZE, make_clip, repeat_clip
from benchmarks.speed.memory import peak_of_scan
from benchmarks.speed.stages import stage_times
from benchmarks.speed.start import HELP, IMPORT, heavy_imports, start_times

_LONG = 600.0  # seconds of the long clip


def decode_all(path: Path) -> int:
    """Decode every picture as PyAV does by default and return how many there are."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def _seconds(work: Callable[[Path], Any], path: Path) -> float:
    start = time.perf_counter()
    work(path)
    return time.perf_counter() - start


def alternate(path: Path, repeats: int) -> tuple[list[float], list[float]]:
    """Decode and scan in turn after one of each; return the wall seconds of both."""
    decode_all(path)
    forensics.scan(path)
    pairs = [(_seconds(decode_all, path), _seconds(forensics.scan, path)) for _ in range(repeats)]
    decode, scan = zip(*pairs, strict=True)
    return list(decode), list(scan)


def ratio_interval(decode: Sequence[float], scan: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the ratio of medians, over repetitions."""
    pick = np.random.default_rng(0).integers(len(scan), size=(2000, len(scan)))
    ratios = np.median(np.array(scan)[pick], 1) / np.median(np.array(decode)[pick], 1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def measure_speed(path: Path, repeats: int) -> tuple[dict[str, Any], list[Bar]]:
    """Measure decoding against scanning."""
    decode, scan = alternate(path, repeats)
    ratio = float(np.median(scan) / np.median(decode))
    low, high = ratio_interval(decode, scan)
    times = {"decode": decode, "scan": scan}
    show(
        f"{SECONDS:g} s of {SIZE[0]}x{SIZE[1]} H.264, {path.stat().st_size * 8e-6 / SECONDS:.1f} "
        f"Mbit/s, {repeats} turns",
        ("", "median s", "least s", "most s", "x real time"),
        [
            (
                name,
                f"{np.median(t):.3f}",
                f"{min(t):.3f}",
                f"{max(t):.3f}",
                f"{SECONDS / np.median(t):.1f}",
            )
            for name, t in times.items()
        ],
    )
    print(f"scan / decode: {ratio:.2f}, 95 % interval {low:.2f} to {high:.2f}\n")
    bars = [
        Bar("scan time over decode time", value=ratio, limit=2.5, unit="x"),
        Bar("scan speed", value=SECONDS / float(np.median(scan)), limit=10.0,
            unit="x real time", at_most=False),
    ]  # fmt: skip
    return times | {"ratio": ratio, "ratio_interval": [low, high], "n": repeats}, bars


def measure_stages(path: Path) -> dict[str, Any]:
    """Show where one scan's time goes."""
    stages = stage_times(path, forensics.scan)
    whole = sum(seconds for seconds, _ in stages.values())
    show(
        "Where one scan's time goes (the scanning process's wall clock)",
        ("stage", "ms", "share", "calls", "ms a call"),
        [
            (
                name,
                f"{1e3 * spent:.0f}",
                f"{spent / whole:.0%}",
                str(calls),
                f"{1e3 * spent / max(calls, 1):.1f}",
            )
            for name, (spent, calls) in stages.items()
        ],
    )
    return {name: {"seconds": spent, "calls": calls} for name, (spent, calls) in stages.items()}


def measure_memory(clips: dict[str, Path]) -> tuple[dict[str, Any], list[Bar]]:
    """Measure the peak memory of one scan of each clip."""
    peaks = {name: peak_of_scan(path) for name, path in clips.items()}
    show(
        "Peak memory, MB",
        ("clip", "scanner", "decoder", "sum"),
        [(name, *(f"{v:.0f}" for v in peak.values())) for name, peak in peaks.items()],
    )
    bars = [
        Bar(f"peak memory, {name} clip", value=peak["sum"], limit=500.0, unit="MB")
        for name, peak in peaks.items()
    ]
    return peaks, bars


def measure_start(repeats: int) -> tuple[dict[str, Any], list[Bar]]:
    """Measure how fast the package and its command line start."""
    loads, helps = start_times(IMPORT, repeats), start_times(HELP, repeats)
    heavy = heavy_imports()
    print(f"import forensics loads of the heavy modules: {', '.join(heavy) or 'none'}\n")
    bars = [
        Bar("import forensics, whole process", value=float(np.median(loads)), limit=0.3, unit="s",
            strict=True),
        Bar("forensics --help, whole process", value=float(np.median(helps)), limit=0.4, unit="s",
            strict=True),
        Bar("heavy modules that the import loads", value=len(heavy), limit=0, unit="modules"),
    ]  # fmt: skip
    return {"import": loads, "help": helps, "heavy_modules": heavy, "n": repeats}, bars


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="turns of decode and scan, >= 5")
    parser.add_argument("--starts", type=int, default=11, help="processes started, >= 5")
    parser.add_argument("--clip", type=Path, help="measure this 10 s clip instead of making one")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args(arguments)
    if min(options.repeats, options.starts) < 5:
        parser.error("medians of fewer than 5 repetitions say little")
    with tempfile.TemporaryDirectory(prefix="forensics-speed-") as name:
        folder = Path(name)
        short = options.clip or make_clip(folder / "short.mp4")
        long = repeat_clip(short, folder / "long.mp4", round(_LONG / SECONDS))
        speed, bars = measure_speed(short, options.repeats)
        stages = measure_stages(short)
        memory, more = measure_memory({"10 s": short, "10 min": long})
        bars += more
        start, more = measure_start(options.starts)
        bars += more
        clip = {
            "seconds": SECONDS,
            "fps": FPS,
            "size": list(SIZE),
            "bytes": short.stat().st_size,
            "own": options.clip is None,
        }
    result = {
        "clip": clip,
        "speed": speed,
        "stages": stages,
        "memory_mb": memory,
        "start": start,
    }
    return finish("speed", result, bars, options.out)
