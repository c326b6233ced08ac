"""Measure the watermark: survival and invisibility on real clips, false alarms on unmarked ones.

    python benchmarks/watermark/run.py MANIFEST_OR_FOLDER [--windows 12] [--trials 20000000]

Two-second windows of every clip are marked, each with a payload of its own, encoded with x264 at
CRF 28, once as it is and once at 0.75 of its size, decoded, and read. At most ``--windows`` a clip
are taken, evenly over it and at least a quarter of a second apart, so those of a short clip
overlap: the interval counts footage, a window for every two seconds that the windows cover, and
where some fail also draws whole clips anew. The phasors of the same windows before marking are
read under random keys for the false-alarm rate.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from forensics.evaluation.rates import wilson
from forensics.provenance.payload import KIND_CODES, TAG_BITS, Payload, tag_bits
from forensics.provenance.watermark import (
    ALPHA,
    COEFFICIENTS,
    PUBLIC_KEY,
    REPEATS,
    STEP,
    Watermarker,
    WatermarkReader,
    binomial_tail,
    carrier,
    detect,
)

SECONDS = 2.0
APART = 0.25
CRF = 28
SCALES = (1.0, 0.75)
SIZES = ((640, 360), (1280, 720), (1920, 1080))
KNOWN = TAG_BITS * REPEATS
Frames = list[NDArray[np.uint8]]


def real_clips(source: Path) -> list[Path]:
    """Return the rows labelled real of a manifest, or every video below a folder."""
    if source.is_dir():
        return sorted(p for p in source.rglob("*") if p.suffix in {".mp4", ".mpg", ".mov", ".mkv"})
    rows = [json.loads(line) for line in source.read_text().splitlines() if line.strip()]
    return [source.parent / row["path"] for row in rows if row["label"] == "real"]


def starts(frames: int, size: int, most: int, apart: int) -> list[int]:
    """Return where windows of ``size`` frames begin: evenly, at least ``apart`` frames apart."""
    room = frames - size
    count = min(most, room // apart + 1) if room >= 0 else 0
    return [round(x) for x in np.linspace(0, room, count)]


def windows(path: Path, most: int) -> Iterator[tuple[float, int, Frames]]:
    """Yield (frame rate, first frame, frames) of evenly chosen two-second windows."""
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        stream.thread_count = 1
        rate = float(stream.average_rate or 25)
        size = round(rate * SECONDS)
        count = sum(1 for _ in clip.decode(video=0))
    waiting = starts(count, size, most, round(rate * APART))
    with av.open(str(path)) as clip:
        clip.streams.video[0].thread_count = 1
        part: Frames = []  # from the first frame that a window to come still needs
        for number, frame in enumerate(clip.decode(video=0)):
            if not waiting:
                return
            if number >= waiting[0]:
                part.append(frame.to_ndarray(format="rgb24"))
            if len(part) == size:
                yield rate, waiting[0], part
                first = waiting.pop(0)
                part = part[waiting[0] - first :] if waiting else []


def through_x264(frames: Frames, rate: float, scale: float) -> Frames:
    """Encode at CRF 28, scaled, and decode."""
    height, width = frames[0].shape[:2]
    width, height = int(width * scale) // 2 * 2, int(height * scale) // 2 * 2
    buffer = io.BytesIO()
    options = {"crf": str(CRF), "preset": "veryfast", "threads": "1"}
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=round(rate), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            if frame.shape[:2] != (height, width):
                frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as back:
        back.streams.video[0].thread_count = 1
        return [f.to_ndarray(format="rgb24") for f in back.decode(video=0)]


def measure_clip(path: Path, most: int, rng: np.random.Generator) -> dict[str, Any]:
    """Mark, encode and read the windows of one clip."""
    row: dict[str, Any] = {"clip": path.name, "psnr": [], "read": [], "phasors": []}
    row["ms_per_frame"] = []
    row["spans"] = []
    for rate, first, frames in windows(path, most):
        row["size"] = frames[0].shape[1::-1]
        row["spans"].append([first / rate, (first + len(frames)) / rate])
        plain = WatermarkReader()
        for frame in frames:
            plain.add(frame)
        row["phasors"].append(plain.phasors)
        payload = Payload("synthetic", id=int(rng.integers(1 << 32)))
        mark = Watermarker(payload)
        start = time.perf_counter()
        marked = [mark(frame) for frame in frames]
        row["ms_per_frame"].append(1000 * (time.perf_counter() - start) / len(frames))
        row["psnr"].append([cv2.PSNR(a, b) for a, b in zip(frames, marked, strict=True)])
        for scale in SCALES:
            seen = detect(through_x264(marked, rate, scale))
            row["read"].append(
                {
                    "scale": scale,
                    "payload": seen.payload == payload,
                    "found": seen.found,
                    "bit_errors": seen.bit_errors,
                }
            )
    return row


def cached_row(path: Path, args: argparse.Namespace, rng: np.random.Generator) -> dict[str, Any]:
    """Measure a clip, or take what an interrupted run measured with the same settings."""
    if args.resume is None:
        return measure_clip(path, args.windows, rng)
    args.resume.mkdir(parents=True, exist_ok=True)
    file = args.resume / f"{path.stem}-{args.windows}-{APART}-{STEP}.json"
    if file.exists():
        row = json.loads(file.read_text())
    else:
        row = measure_clip(path, args.windows, rng)
        row["phasors"] = [[p.real.tolist(), p.imag.tolist()] for p in row["phasors"]]
        part = file.with_suffix(".part")
        part.write_text(json.dumps(row))
        part.replace(file)
    row["phasors"] = [np.array(re) + 1j * np.array(im) for re, im in row["phasors"]]
    return row


def covered(spans: list[list[float]]) -> float:
    """Return the seconds that some (begin, end) spans cover together."""
    total, reached = 0.0, 0.0
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def survived(rows: list[dict[str, Any]], scale: float) -> dict[str, Any]:
    """Count the windows of all clips that were read after one scaling."""
    reads = [[r for r in row["read"] if r["scale"] == scale] for row in rows]
    good = np.array([sum(r["payload"] for r in read) for read in reads])
    every = np.array([len(read) for read in reads])
    share = float(good.sum() / every.sum())
    footage = round(sum(covered(row["spans"]) for row in rows) / SECONDS)
    low, high = wilson(share * footage, footage)
    # Clips drawn anew say nothing where none failed; counting footage says too little where
    # failures crowd in one clip. The wider of the two is given.
    drawn = np.random.default_rng(0).integers(0, len(rows), (2000, len(rows)))
    ends = np.quantile(good[drawn].sum(axis=1) / every[drawn].sum(axis=1), (0.025, 0.975))
    return {
        "windows": int(every.sum()),
        "payload_read": int(good.sum()),
        "share": share,
        "interval_95": (min(low, float(ends[0])), max(high, float(ends[1]))),
        "windows_of_footage": footage,
        "clips_without_a_failure": int(np.count_nonzero(good == every)),
        "mark_found": sum(r["found"] for read in reads for r in read),
        "mean_bit_errors": float(np.mean([r["bit_errors"] for read in reads for r in read])),
    }


def false_alarms(phasors: NDArray[np.complex128], trials: int) -> dict[str, Any]:
    """Read (w, COEFFICIENTS) unmarked phasors under random keys; count alarms."""
    allowed = max(e for e in range(KNOWN) if len(KIND_CODES) * binomial_tail(e, KNOWN) <= ALPHA)
    tags = np.stack([tag_bits(kind).repeat(REPEATS) for kind in KIND_CODES]).astype(bool)
    keys = math.ceil(trials / len(phasors))
    histogram = np.zeros(KNOWN + 1, np.int64)
    for i in range(keys):
        slots, phases = carrier.__wrapped__(b"random key %d" % i)
        known = phasors[:, slots[:KNOWN]] * np.exp(-2j * np.pi * phases[:KNOWN])
        wrong = (known.real < 0)[:, None] != tags
        histogram += np.bincount(wrong.sum(axis=2).min(axis=1), minlength=KNOWN + 1)
    done, alarms = int(histogram.sum()), int(histogram[: allowed + 1].sum())
    return {
        "trials": done,
        "windows": len(phasors),
        "keys": keys,
        "allowed_bit_errors": allowed,
        "known_bits": KNOWN,
        "expected_rate": len(KIND_CODES) * binomial_tail(allowed, KNOWN),
        "alarms": alarms,
        "rate": alarms / done,
        "upper_95": clopper_upper(alarms, done),
        "least_bit_errors_seen": int(np.flatnonzero(histogram)[0]),
        "note": "payloads also have to pass a 16-bit checksum",
    }


def clopper_upper(hits: int, n: int, confidence: float = 0.95) -> float:
    """Return the one-sided Clopper-Pearson upper limit of a small rate (Poisson form)."""
    low, high = 0.0, 10.0 * hits + 20.0
    for _ in range(200):
        middle = (low + high) / 2
        tail = sum(math.exp(-middle) * middle**k / math.factorial(k) for k in range(hits + 1))
        low, high = (middle, high) if tail > 1 - confidence else (low, middle)
    return high / n


def embedding_times(repeats: int = 30) -> dict[str, float]:
    """Return the median milliseconds to mark one frame of noise, by its size; one thread."""
    rng = np.random.default_rng(0)
    times = {}
    for width, height in SIZES:
        small = rng.integers(0, 255, (height // 8, width // 8, 3), np.uint8)
        frame = np.asarray(cv2.resize(small, (width, height)), np.uint8)
        mark = Watermarker(Payload("synthetic", id=1))
        mark(frame)
        taken = []
        for _ in range(repeats):
            start = time.perf_counter()
            mark(frame)
            taken.append(1000 * (time.perf_counter() - start))
        times[f"{width}x{height}"] = float(np.median(taken))
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--windows", type=int, default=12, help="windows a clip, at most")
    parser.add_argument("--trials", type=int, default=20_000_000)
    parser.add_argument("--clips", type=int, default=None, help="at most this many clips")
    parser.add_argument("--resume", type=Path, default=None, help="folder for finished clips")
    parser.add_argument("--stop-after", type=float, default=None, help="seconds; ends early")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.monotonic()
    rng = np.random.default_rng(1)
    rows = []
    # Small files first, so that an interrupted run has seen most clips.
    paths = sorted(real_clips(args.source), key=lambda p: p.stat().st_size)
    for path in paths[: args.clips]:
        if args.stop_after is not None and time.monotonic() - began > args.stop_after:
            break
        row = cached_row(path, args, rng)
        if not row["phasors"]:
            continue
        rows.append(row)
        good = sum(r["payload"] for r in row["read"])
        print(
            f"{row['clip']:32s} {row['size']} {len(row['phasors']):3d} windows, "
            f"psnr {np.mean(np.concatenate(row['psnr'])):.2f} dB, "
            f"{np.mean(row['ms_per_frame']):.1f} ms/frame, payload {good}/{len(row['read'])}",
            flush=True,
        )
    survival = {f"crf{CRF} x{scale}": survived(rows, scale) for scale in SCALES}
    every = np.concatenate([np.concatenate(row["psnr"]) for row in rows])
    clip_psnr = [float(np.mean(np.concatenate(row["psnr"]))) for row in rows]
    embedding = embedding_times()
    result = {
        "embedding_ms_per_frame": embedding,
        "key": PUBLIC_KEY.decode(),
        "step": STEP,
        "coefficients": COEFFICIENTS,
        "clips": len(rows),
        "clips_in_all": len(paths),
        "survival": survival,
        "psnr_db": {
            "mean": float(every.mean()),
            "lowest_clip": min(clip_psnr),
            "lowest_frame": float(every.min()),
            "frames_below_40": int(np.count_nonzero(every < 40)),
            "frames": len(every),
        },
        "false_alarm": false_alarms(
            np.concatenate([np.stack(row["phasors"]) for row in rows]), args.trials
        ),
        "per_clip": [
            {
                "clip": row["clip"],
                "size": list(row["size"]),
                "windows": len(row["phasors"]),
                "psnr_db": float(np.mean(np.concatenate(row["psnr"]))),
                "embed_ms_per_frame": float(np.mean(row["ms_per_frame"])),
                "payload_read": sum(r["payload"] for r in row["read"]),
                "readings": len(row["read"]),
            }
            for row in rows
        ],
    }
    show(
        f"Watermark after H.264 at CRF {CRF}",
        ["scaled to", "payload read", "windows", "share", "95 %"],
        [
            [k, str(r["payload_read"]), str(r["windows"]), f"{r['share']:.1%}",
             "{:.1%} to {:.1%}".format(*r["interval_95"])]
            for k, r in survival.items()
        ],
    )  # fmt: skip
    alarms = result["false_alarm"]
    bars = [
        *(
            Bar(f"payload read, {k}", value=r["share"], limit=0.99, at_most=False)
            for k, r in survival.items()
        ),
        Bar("PSNR, mean", value=float(every.mean()), limit=40.0, unit="dB", at_most=False),
        Bar("PSNR, worst frame", value=float(every.min()), limit=40.0, unit="dB", at_most=False),
        Bar("false alarms, expected rate", value=alarms["expected_rate"], limit=1e-6),
        Bar("false-alarm trials", value=alarms["trials"], limit=3e6, at_most=False),
    ]
    for size, ms in embedding.items():
        print(f"embedding {size}: {ms:.2f} ms a frame, one thread")
    met = show_bars(bars)
    print(write_result("watermark", {**result, "bars": [b.record() for b in bars]}, args.out))
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
