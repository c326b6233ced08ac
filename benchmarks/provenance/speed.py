"""What an audit costs: against hashing a large file once, of a small file, and the pixel parts.

    python -m benchmarks.provenance speed [-n 15]

Turns alternate, so that a slow moment of the machine falls on both. The large file is a signed MP4
of 100 MB in the page's cache, as is what it is hashed from.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks._results import Bar, show, show_bars, write_result
from forensics.engines import Auditor, ScanOptions
from forensics.media import warm_up, write_video
from forensics.provenance.facts import search_watermark
from forensics.provenance.fingerprint import find_fingerprints
from forensics.provenance.labelling import LabelPlan, label_file
from forensics.provenance.visible_label import find_visible_label
from forensics.testing import draw_frames

LARGE = 100_000_000
_RATIO, _SMALL = 3.5, 0.050
_BLOCK = 1 << 20
_META = LabelPlan(visible=False, watermark=False)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of each turn of one piece of work."""

    name: str
    seconds: list[float] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Return the median with a 95 % interval by bootstrap over the turns."""
        return {"work": self.name, "n": len(self.seconds), "median_s": median(self.seconds),
                "interval": interval(self.seconds)}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.provenance speed")
    parser.add_argument("-n", type=int, default=15, help="turns")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large, small = big_file(folder), small_file(folder)
        photo = still(folder)
        auditor = Auditor(ScanOptions(policy=("cn", "eu")))
        warm_up()
        cheap = turns(options.n, {
            "hash 100 MB": lambda: digest(large),
            "audit 100 MB MP4, signed": lambda: auditor.audit(large),
            "audit small MP4, signed": lambda: auditor.audit(small),
            "audit small JPEG, signed": lambda: auditor.audit(photo),
        })  # fmt: skip
        parts: dict[str, Callable[[], object]] = {
            "watermark, 75 pictures of 640x360": lambda: search_watermark(small),
            "fingerprint, one a second": lambda: find_fingerprints(small),
        }
        label = find_visible_label(small)
        if label.status != "not_examined":
            parts["visible label, 4 looks"] = lambda: find_visible_label(small)
        pixels = turns(max(3, options.n // 5), parts)
        notes = {"visible_label": label.status, "reason": label.reason}
        size = large.stat().st_size
    return report(cheap, pixels, notes, size)


def big_file(folder: Path) -> Path:
    """Write a signed MP4 of 100 MB: noise codes badly."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (720, 1280, 3), dtype=np.uint8) for _ in range(3)]
    plain = folder / "large-plain.mp4"
    with av.open(str(plain), "w") as out:
        stream: Any = out.add_stream("mpeg4", rate=25, options={"qmin": "1", "qmax": "1"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        written, number = 0, 0
        while written < LARGE:
            frame = av.VideoFrame.from_ndarray(np.roll(noise[number % 3], number, 1), "rgb24")
            for packet in stream.encode(frame):
                written += packet.size
                out.mux(packet)
            number += 1
        out.mux(stream.encode())
    return label_file(plain, folder / "large.mp4", _META).path


def small_file(folder: Path) -> Path:
    """Write a signed clip of three seconds."""
    write_video(folder / "plain.mp4", draw_frames(count=75, size=(640, 360)), fps=25)
    return label_file(folder / "plain.mp4", folder / "small.mp4").path


def still(folder: Path) -> Path:
    """Write a signed photo."""
    from PIL import Image

    Image.fromarray(next(iter(draw_frames(count=1)))).save(folder / "plain.jpg", quality=92)
    return label_file(folder / "plain.jpg", folder / "small.jpg").path


def digest(path: Path) -> str:
    """Hash a file once, as the auditor does."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def turns(count: int, works: dict[str, Callable[[], object]]) -> dict[str, Timed]:
    """Do every work in turn, ``count`` times after one that does not count."""
    found = {name: Timed(name) for name in works}
    for number in range(count + 1):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            if number:
                found[name].seconds.append(time.perf_counter() - begun)
    return found


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return float(np.median(values))


def interval(values: Sequence[float]) -> list[float]:
    """Return a 95 % interval of the median by bootstrap."""
    rng = np.random.default_rng(0)
    drawn = np.median(rng.choice(values, (2000, len(values))), axis=1)
    return [float(v) for v in np.percentile(drawn, (2.5, 97.5))]


def report(
    cheap: dict[str, Timed], pixels: dict[str, Timed], notes: dict[str, str], size: int
) -> int:
    """Print the table, write the result, and return 1 when a bar is missed."""
    rows = [timed.row() for timed in (*cheap.values(), *pixels.values())]
    show(
        "Time of an audit",
        ["work", "n", "median ms", "95 %"],
        [
            [r["work"], str(r["n"]), f"{1000 * r['median_s']:.1f}",
             "{:.1f} - {:.1f}".format(*(1000 * v for v in r["interval"]))]
            for r in rows
        ],
    )  # fmt: skip
    pairs = zip(cheap["audit 100 MB MP4, signed"].seconds, cheap["hash 100 MB"].seconds,
                strict=True)  # fmt: skip
    ratios = [audit / once for audit, once in pairs]
    small = max(median(cheap[f"audit small {kind}, signed"].seconds) for kind in ("MP4", "JPEG"))
    bars = [
        Bar("audit of 100 MB / hashing it once", value=median(ratios), limit=_RATIO),
        Bar("audit of a small file", value=1000 * small, limit=1000 * _SMALL, unit="ms"),
    ]
    data = {
        "large_bytes": size, "rows": rows, "pixel_parts": notes,
        "ratio": median(ratios), "ratio_interval": interval(ratios),
        "bars": [bar.record() for bar in bars],
    }  # fmt: skip
    print(write_result("provenance-speed", data))
    return 0 if show_bars(bars) else 1
