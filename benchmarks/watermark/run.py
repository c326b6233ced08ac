"""Measure the watermark: survival and invisibility on real clips, false alarms on unmarked ones.

    python benchmarks/watermark/run.py MANIFEST_OR_FOLDER [--windows 12] [--trials 20000000]

Every two-second window of a clip (evenly spaced, at most ``--windows`` a clip) is marked, encoded
with x264 at CRF 28, once as it is and once at 0.75 of its size, decoded, and read. The phasors of
the same windows before marking are read under random keys for the false-alarm rate.
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


def windows(path: Path, most: int) -> Iterator[tuple[float, Frames]]:
    """Yield (frame rate, frames) of evenly chosen, non-overlapping two-second windows."""
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        stream.thread_count = 1
        rate = float(stream.average_rate or 25)
        size = round(rate * SECONDS)
        count = sum(1 for _ in clip.decode(video=0)) // size
    wanted = set(np.linspace(0, count - 1, min(most, count)).round().astype(int)) if count else ()
    with av.open(str(path)) as clip:
        clip.streams.video[0].thread_count = 1
        part: Frames = []
        number = 0
        for frame in clip.decode(video=0):
            if number in wanted:
                part.append(frame.to_ndarray(format="rgb24"))
            else:
                part.append(np.empty(0, np.uint8))
            if len(part) == size:
                if number in wanted:
                    yield rate, part
                part, number = [], number + 1
            if number >= count:
                return


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


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    return 20 * math.log10(255) - 10 * math.log10(np.mean((a.astype(np.float32) - b) ** 2))


def measure_clip(path: Path, most: int, rng: np.random.Generator) -> dict[str, Any]:
    """Mark, encode and read the windows of one clip."""
    row: dict[str, Any] = {"clip": path.name, "psnr": [], "read": [], "phasors": []}
    row["ms_per_frame"] = []
    for rate, frames in windows(path, most):
        row["size"] = frames[0].shape[1::-1]
        plain = WatermarkReader()
        for frame in frames:
            plain.add(frame)
        row["phasors"].append(plain.phasors)
        payload = Payload("synthetic", id=int(rng.integers(1 << 32)))
        mark = Watermarker(payload)
        start = time.perf_counter()
        marked = [mark(frame) for frame in frames]
        row["ms_per_frame"].append(1000 * (time.perf_counter() - start) / len(frames))
        row["psnr"].append([psnr(a, b) for a, b in zip(frames, marked, strict=True)])
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
    file = args.resume / f"{path.stem}-{args.windows}-{STEP}.json"
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
    survival = {}
    for scale in SCALES:
        read = [r for row in rows for r in row["read"] if r["scale"] == scale]
        hits = sum(r["payload"] for r in read)
        survival[f"crf{CRF} x{scale}"] = {
            "windows": len(read),
            "payload_read": hits,
            "share": hits / len(read),
            "wilson_95": wilson(hits, len(read)),
            "mark_found": sum(r["found"] for r in read),
            "mean_bit_errors": float(np.mean([r["bit_errors"] for r in read])),
        }
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
             "{:.1%} to {:.1%}".format(*r["wilson_95"])]
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
