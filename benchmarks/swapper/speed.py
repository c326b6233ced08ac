"""Steps per second and peak memory of each network, and a straightforward port beside it.

    python benchmarks/swapper/speed.py --models tiny shared-dual --steps 20 \\
        [--swap TARGET.mp4 CHECKPOINT]

Every measurement runs in a process of its own, so that its peak memory is its own. The port is the
same network with the same loss and optimiser, written without thought for speed: NCHW tensors,
32 bits, Adam as it comes, and its data made between the steps. Steps of both take turns in time,
because a machine is rarely equally busy twice. Steps an hour come from a run without pauses after
that, so that no batch is made while the other loop works.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import RESULTS, Bar, cores, show, show_bars, write_result

BATCH = 16
HEIGHT = 720


def drawn_faces(count: int, seed: int) -> list[Any]:
    """Make faces of noise: their content does not change the cost of a step."""
    from generator.faceset import FaceEntry
    from generator.methods import AlignedFace

    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    mesh = np.stack([128 + 58 * np.cos(turn), 128 + 74 * np.sin(turn), 0 * turn], axis=1)
    return [
        FaceEntry(
            AlignedFace(
                rng.integers(0, 255, (256, 256, 3), np.uint8), mesh=mesh.astype(np.float32)
            ),
            source="noise",
        )
        for _ in range(count)
    ]


def ours(model: str, precision: str) -> Any:
    """Yield after every step of the real training loop."""
    from generator.faceset import FaceSet
    from generator.train import Training
    from generator.train_config import TrainConfig
    from generator.train_data import prefetch

    sets = [FaceSet(Path("noise"), faces=tuple(drawn_faces(24, s))) for s in (0, 1)]
    config = TrainConfig(model=model, batch=BATCH, precision=precision)
    training = Training(sets, config, [{"faces_sha256": ""}] * 2)
    for batches in prefetch(training.pools, 0, 0, BATCH):
        training.step(batches)
        yield


def straightforward(model: str, _precision: str) -> Any:
    """Yield after every step of the port."""
    import torch

    from generator.losses import LOSSES
    from generator.models import create_model
    from generator.train_data import FacePool, batch_at

    network = create_model(model)
    pools = [
        FacePool(drawn_faces(24, s), network.config.size, occlude=network.config.mask)
        for s in (0, 1)
    ]
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-5)

    def tensor(pictures: Any) -> Any:
        return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()

    step = 0
    while True:
        batches = batch_at(pools, 0, step, BATCH)
        optimiser.zero_grad()
        loss = torch.zeros(())
        for person, batch in batches.items():
            rebuilt = network(tensor(batch.inputs), person)
            loss = loss + LOSSES["ssim-mse"](
                rebuilt[:, :3], tensor(batch.targets), tensor(batch.weights)
            )
            if network.config.mask:
                loss = loss + ((rebuilt[:, 3:] - tensor(batch.masks)) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step += 1
        yield


LOOPS = {"ours": ours, "straightforward": straightforward}


def _serve(loop: str, model: str, precision: str, threads: int, pipe: Any) -> None:
    """Do as many steps as each request says, and answer with their wall and CPU time."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)
    steps = LOOPS[loop](model, precision)
    while wanted := pipe.recv():
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(wanted):
            next(steps)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send((time.perf_counter() - wall, time.process_time() - cpu, peak))


def measure(model: str, precision: str, threads: int, count: int, warm: int) -> dict[str, Any]:
    """Let both loops take turns; medians over ``count`` steps after ``warm`` to warm up."""
    context = multiprocessing.get_context("spawn")
    pipes, children = {}, []
    for loop in LOOPS:
        pipes[loop], far = context.Pipe()
        arguments = (loop, model, precision, threads, far)
        children.append(context.Process(target=_serve, args=arguments, daemon=True))
        children[-1].start()
    times: dict[str, list[tuple[float, float, float]]] = {loop: [] for loop in LOOPS}
    for i in range(warm + count):
        for loop, pipe in pipes.items():
            pipe.send(1)
            answer = pipe.recv()
            if i >= warm:
                times[loop].append(answer)
    # The rate is taken from a run without pauses, in which batches could be made for free.
    pipes["ours"].send(count)
    alone = pipes["ours"].recv()[0] / count
    for pipe, child in zip(pipes.values(), children, strict=True):
        pipe.send(0)
        child.join()
    row: dict[str, Any] = {"model": model, "precision": precision, "steps": count}
    for loop, values in times.items():
        wall = statistics.median(v[0] for v in values)
        row[loop] = {
            "seconds_per_step": round(wall, 4),
            "cpu_seconds_per_step": round(statistics.median(v[1] for v in values), 4),
            "steps_per_hour": round(3600 / wall),
            "peak_mb": round(max(v[2] for v in values)),
        }
    row["ours"]["seconds_per_step_alone"] = round(alone, 4)
    row["ours"]["steps_per_hour"] = round(3600 / alone)
    row["ratio_wall"] = round(
        row["straightforward"]["seconds_per_step"] / row["ours"]["seconds_per_step"], 3
    )
    row["ratio_cpu"] = round(
        row["straightforward"]["cpu_seconds_per_step"] / row["ours"]["cpu_seconds_per_step"], 3
    )
    return row


def swap_speed(target: Path, model: Path) -> dict[str, Any]:
    """Swap a clip as a user does, reading and writing included; at least 720 lines high.

    A smaller clip is enlarged first: its content does not change the cost of a frame.
    """
    import av
    import cv2

    from forensics.media import SamplingPlan, open_clip, stream_frames, write_video
    from generator.methods import create_method
    from generator.swap import swap

    clip = open_clip(target)
    with TemporaryDirectory() as scratch:
        large = Path(scratch) / "target.mp4"
        scale = HEIGHT / clip.size[1]
        size = (2 * round(clip.size[0] * scale / 2), HEIGHT)
        with stream_frames(clip, SamplingPlan(all=True)) as frames:
            pictures = (np.asarray(cv2.resize(f.image, size)) for f in frames)
            write_video(large, pictures, fps=clip.fps or 25.0)
        method = create_method("autoencoder", model=model, options={"person": "b"})
        start = time.perf_counter()
        done = swap(large, Path(scratch) / "out.mp4", method)
        seconds = time.perf_counter() - start
        with av.open(str(large)) as check:
            assert check.streams.video[0].height == HEIGHT
    return {
        "clip": target.name,
        "size": list(size),
        "frames": done.frames,
        "swapped": done.swapped,
        "faces_a_frame": done.people,
        "seconds": round(seconds, 2),
        "fps": round(done.frames / seconds, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def promises(rows: list[dict[str, Any]], swapping: dict[str, Any] | None) -> list[Bar]:
    """Return the bars that the measured rows can answer."""
    bars = []
    best = {r["model"]: r for r in rows if r["precision"] == "auto"}
    if "tiny" in best:
        value = best["tiny"]["ours"]["steps_per_hour"]
        name = f"tiny, two-sided steps an hour at batch {BATCH}"
        bars.append(Bar(name, value=value, limit=7000, at_most=False))
    for row in rows:
        if row["model"] == "shared-dual":
            name = f"shared-dual over a straightforward port, {row['precision']}"
            bars.append(Bar(name, value=row["ratio_wall"], limit=1.3, unit="x", at_most=False))
    if swapping is not None:
        name = f"swap at {HEIGHT} lines, one face"
        bars.append(Bar(name, value=swapping["fps"], limit=8, unit="fps", at_most=False))
    return bars


def main() -> int:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", default=["tiny", "light", "shared-dual"])
    parser.add_argument("--precision", nargs="+", default=["fp32", "auto"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm", type=int, default=2)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--swap", nargs=2, type=Path, metavar=("TARGET", "CHECKPOINT"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    swapping = None if args.swap is None else swap_speed(*args.swap)
    rows = []
    for model in args.models:
        for precision in args.precision:
            rows.append(measure(model, precision, args.threads, args.steps, args.warm))
            print(json.dumps(rows[-1]), flush=True)
    show(
        f"Two-sided steps of {BATCH} + {BATCH} faces, {args.threads} threads",
        ["model", "precision", "steps an hour", "port", "ratio", "peak MB", "port's peak MB"],
        [
            [
                r["model"],
                r["precision"],
                str(r["ours"]["steps_per_hour"]),
                str(r["straightforward"]["steps_per_hour"]),
                f"{r['ratio_wall']:.2f}",
                str(r["ours"]["peak_mb"]),
                str(r["straightforward"]["peak_mb"]),
            ]
            for r in rows
        ],
    )
    if swapping is not None:
        print(json.dumps(swapping))
    bars = promises(rows, swapping)
    met = show_bars(bars)
    data = {
        "threads": args.threads,
        "batch_per_person": BATCH,
        "rows": rows,
        "swap": swapping,
        "bars": [b.record() for b in bars],
    }
    print(write_result("swapper-speed", data, args.out))
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
