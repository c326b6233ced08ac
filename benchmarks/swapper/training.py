"""That a network trains: it is killed half-way, goes on, lowers its loss, and rebuilds faces.

    python benchmarks/swapper/training.py --faces SET_A SET_B --models shared-dual plain \\
        --budget 600 --work FOLDER

Each network is trained by a process of its own, which is killed without warning (SIGKILL) once a
checkpoint of the first half of the budget is written, and started again with the same words. No
claim is made on the pictures: the reference needs days on a laptop. `plain` is given A alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.swapper.identity import rebuilt_ssim
from benchmarks.tables import newest
from generator.checkpoint import read_card
from generator.models import model_config


def child(faces: list[Path], out: Path, settings: dict[str, Any]) -> None:
    """Train, or go on."""
    from generator.train import train
    from generator.train_config import TrainConfig

    train(faces, out, TrainConfig(**settings))


def start(faces: list[Path], out: Path, settings: dict[str, Any]) -> Any:
    """Start a training process."""
    process = multiprocessing.get_context("spawn").Process(
        target=child, args=(faces, out, settings)
    )
    process.start()
    return process


def steps_of(out: Path) -> int:
    """Return the step of the checkpoint, 0 when there is none."""
    return int(read_card(out)[0].training["step"]) if (out / "model.json").exists() else 0


def train_with_a_kill(faces: list[Path], out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Train to the budget with one SIGKILL on the way; describe what happened."""
    half = time.monotonic() + settings["budget"] / 2
    process = start(faces, out, settings)
    while process.is_alive() and (time.monotonic() < half or steps_of(out) == 0):
        time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    kept = steps_of(out)
    again = start(faces, out, settings)
    again.join()
    card = read_card(out)[0]
    with (out / "losses.csv").open(newline="") as file:
        log = [(int(r["step"]), float(r["loss"])) for r in csv.DictReader(file)]
    numbers = [step for step, _ in log]
    people = len(faces)
    losses = np.array([loss for _, loss in log])
    part = max(1, len(losses) // 10)
    return {
        "kill_exit_code": process.exitcode,
        "resumed_from_step": kept,
        "resume_exit_code": again.exitcode,
        "steps": int(card.training["step"]),
        "every_step_once": numbers == [s for s in range(len(log) // people) for _ in range(people)],
        "training_seconds": float(card.training["seconds"]),
        "steps_per_hour": round(3600 * card.training["step"] / card.training["seconds"]),
        "loss_first_tenth": float(losses[:part].mean()),
        "loss_last_tenth": float(losses[-part:].mean()),
        "batch": card.training["batch"],
        "precision": card.training["precision"],
        "lr": card.training["lr"],
        "rebuilt_ssim": rebuilt_ssim(out, faces),
    }


def together(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Add the networks of an earlier run whose rows this one does not replace.

    Networks are trained one at a time, for as long as each needs; their rows belong in one table.
    """
    models = {k: v for k, v in before.get("models", {}).items() if k not in now["models"]}
    names = {bar["name"] for bar in now["bars"]}
    bars = [bar for bar in before.get("bars", []) if bar["name"] not in names]
    return {"models": models | now["models"], "bars": bars + now["bars"]}


def main() -> int:
    """Train, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, nargs=2, required=True)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME[=LIKE]")
    parser.add_argument("--budget", type=float, required=True, help="seconds a network")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoints")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    for text in arguments.models:
        name, _, like = text.partition("=")
        people = model_config(name, like=like or None).identities
        settings = {
            "model": name,
            "like": like or None,
            "batch": arguments.batch,
            "budget": arguments.budget,
            "save_every": max(10.0, arguments.budget / 12),
            "patience": sys.maxsize,
        }
        shown = f"{name} at the size of {like}" if like else name
        out = arguments.work / text.replace("=", "-like-")
        rows[shown] = train_with_a_kill(list(arguments.faces[:people]), out, settings)
        print(shown, rows[shown], flush=True)
    show(
        "Trained, killed, resumed",
        ["model", "steps", "an hour", "resumed from", "loss, first tenth", "last tenth", "SSIM"],
        [
            [
                name,
                str(r["steps"]),
                str(r["steps_per_hour"]),
                str(r["resumed_from_step"]),
                f"{r['loss_first_tenth']:.4f}",
                f"{r['loss_last_tenth']:.4f}",
                f"{r['rebuilt_ssim']:.3f}",
            ]
            for name, r in rows.items()
        ],
    )
    bars = []
    for name, r in rows.items():
        fall = r["loss_last_tenth"] / r["loss_first_tenth"]
        bars.append(Bar(f"{name}: last loss over first", value=fall, limit=1.0, strict=True))
        whole = float(r["every_step_once"] and r["resume_exit_code"] == 0)
        bars.append(Bar(f"{name}: resumed without a gap", value=whole, limit=1.0, at_most=False))
    met = show_bars(bars)
    data = {"models": rows, "bars": [b.record() for b in bars]}
    try:
        earlier = json.loads(newest("swapper-training", arguments.out).read_text(encoding="utf-8"))
    except FileNotFoundError:
        earlier = {}
    data = together(earlier, data)
    print(write_result("swapper-training", data, arguments.out))
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
