"""Steps per second and peak memory of each network, and a straightforward port beside it.

    python benchmarks/swapper/speed.py --models tiny shared-dual --steps 20 --out result.json

Every measurement runs in a process of its own, so that its peak memory is its own. The port is the
same network with the same loss and optimiser, written without thought for speed: NCHW tensors,
32 bits, Adam as it comes, and its data made between the steps. Steps of both take turns in time,
because a machine is rarely equally busy twice.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import statistics
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 16


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
    """Do one step a request, and answer with its wall and CPU time."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)
    steps = LOOPS[loop](model, precision)
    while pipe.recv():
        wall, cpu = time.perf_counter(), time.process_time()
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
            pipe.send(True)
            answer = pipe.recv()
            if i >= warm:
                times[loop].append(answer)
    for pipe, child in zip(pipes.values(), children, strict=True):
        pipe.send(False)
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
    row["ratio_wall"] = round(
        row["straightforward"]["seconds_per_step"] / row["ours"]["seconds_per_step"], 3
    )
    row["ratio_cpu"] = round(
        row["straightforward"]["cpu_seconds_per_step"] / row["ours"]["cpu_seconds_per_step"], 3
    )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["tiny", "light", "shared-dual"])
    parser.add_argument("--precision", nargs="+", default=["fp32", "auto"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rows = []
    for model in args.models:
        for precision in args.precision:
            rows.append(measure(model, precision, args.threads, args.steps, args.warm))
            print(json.dumps(rows[-1]), flush=True)
    result = {
        "benchmark": "swapper speed",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {"processor": platform.machine(), "threads": args.threads},
        "load_average": [round(x, 2) for x in os.getloadavg()],
        "batch_per_person": BATCH,
        "rows": rows,
    }
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
