"""Make a set twice, kill one on the way, and plant faults: ``python -m benchmarks.sets``.

The four networks are trained first where they are missing (``--budget`` each); that time is not
part of the bar.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks._results import RESULTS, Bar, finish, show
from benchmarks.sets.material import people_of, specification, train_pairs
from benchmarks.sets.plant import KINDS, Plants, plant_and_lint
from forensics.errors import ForensicsError
from forensics.evaluation.lint import lint_set
from generator.sets.make import make_set
from generator.sets.spec import SetSpec

_MINUTES = 30.0


def child(spec: SetSpec, out: Path, workers: int) -> None:
    """Make the set in a process of its own, which can be killed."""
    os.setsid()
    make_set(spec, out, workers=workers)


def make_with_a_kill(spec: SetSpec, out: Path, workers: int) -> int:
    """Make the set with one SIGKILL about half-way; return how many pairs were done by then."""
    killed = out.with_suffix(".killed")
    if killed.exists():
        make_set(spec, out, workers=workers)
        return int(killed.read_text())
    process = multiprocessing.get_context("spawn").Process(
        target=child, args=(spec, out, workers)
    )
    process.start()
    wanted = spec.clips // 4
    while process.is_alive() and _done(out) < wanted:
        time.sleep(0.2)
    if process.is_alive() and process.pid is not None:
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    done = _done(out)
    killed.write_text(str(done))
    make_set(spec, out, workers=workers)
    return done


def _done(out: Path) -> int:
    return len(list((out / ".journal").glob("*.json")))


def _timed(spec: SetSpec, out: Path, workers: int) -> float:
    """Make the set and return the seconds it took; what earlier runs spent on it counts too."""
    clock = out.with_suffix(".seconds")
    before = float(clock.read_text()) if clock.exists() else 0.0
    begun = time.monotonic()
    out.parent.mkdir(parents=True, exist_ok=True)

    def spent(done: int, total: int) -> None:
        clock.write_text(str(before + time.monotonic() - begun))

    if not (out / "manifest.jsonl").exists():
        make_set(spec, out, workers=workers, hook=spent)
        spent(0, 0)
    return float(clock.read_text())


def measure(spec: SetSpec, work: Path, *, workers: int, each: int) -> dict[str, Any]:
    """Make, make again with a kill, check the clean set, plant faults."""
    first, second = work / "first", work / "second"
    seconds = _timed(spec, first, workers)
    manifest = first / "manifest.jsonl"
    text = manifest.read_text(encoding="utf-8")
    killed_at = make_with_a_kill(spec, second, workers)
    again = (second / "manifest.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    hashes = [row["frames_sha256"] for row in rows]
    clean = lint_set(manifest)
    plants = Plants(manifest, each)
    return {
        "clips": len(rows),
        "left_out": spec.clips - len(rows),
        "seconds_each": spec.seconds,
        "people": len(spec.people),
        "seed": spec.seed,
        "workers": workers,
        "wall_seconds": seconds,
        "same_manifest": text == again,
        "same_frame_hashes": sum(
            a == json.loads(b)["frames_sha256"]
            for a, b in zip(hashes, again.splitlines(), strict=False)
        ),
        "killed_after_pairs": killed_at,
        "by_method": dict(sorted(Counter(row.get("method", "real") for row in rows).items())),
        "by_codec": dict(sorted(Counter(f"{r['codec']} {r['crf']}" for r in rows).items())),
        "by_split": dict(sorted(Counter(row["split"] for row in rows).items())),
        "clean": {
            "outcome": clean.outcome,
            "findings": [f"{f.severity} {f.code}: {f.message}" for f in clean.findings],
            "probes": dict(clean.probes),
        },
        "planted": [plant_and_lint(plants, kind) for kind in KINDS],
    }


def bars_of(result: dict[str, Any]) -> list[Bar]:
    """Return the promises and what was measured."""
    missed = sum(row["planted"] - row["caught"] for row in result["planted"])
    return [
        Bar("time to make the set", value=result["wall_seconds"] / 60, limit=_MINUTES, unit="min"),
        Bar("clips missing from it", value=float(result["left_out"]), limit=0),
        Bar("clips that differ when made again after a kill",
            value=float(result["clips"] - result["same_frame_hashes"]), limit=0),
        Bar("manifests that differ when made again after a kill",
            value=float(not result["same_manifest"]), limit=0),
        Bar("planted faults not caught", value=float(missed), limit=0),
        Bar("clean set refused", value=float(result["clean"]["outcome"] == "refused"), limit=0),
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when a bar is missed, 2 when it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sets", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/")
    parser.add_argument("--work", type=Path, help="folder of checkpoints, kept; else temporary")
    parser.add_argument("--keep", type=Path, help="folder for the sets; an interrupted run goes on")
    parser.add_argument("--budget", default="3m", help="training of each missing network")
    parser.add_argument("--clips", type=int, default=60, help="clips in the set")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each")
    parser.add_argument("--seed", type=int, default=9, help="of the set")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--each", type=int, default=10, help="planted rows of a kind")
    parser.add_argument("--under", default="as found", help="what else the machine did, in words")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="forensics-sets-") as scratch:
        work = options.work or Path(scratch)
        try:
            work.mkdir(parents=True, exist_ok=True)
            people = people_of(options.shared / "data" / "clips", work)
            if options.budget != "none":
                train_pairs(people, work, options.budget)
            spec = specification(
                people, work, clips=options.clips, seconds=options.seconds, seed=options.seed
            )
            target = options.keep or Path(scratch) / "sets"
            result = measure(spec, target, workers=options.workers, each=options.each)
        except (ForensicsError, subprocess.CalledProcessError, OSError) as error:
            parser.error(str(error))
        finally:
            shutil.rmtree(Path(scratch) / "sets", ignore_errors=True)
    show(
        "Planted faults",
        ("kind", "planted", "caught"),
        [(r["kind"], str(r["planted"]), str(r["caught"])) for r in result["planted"]],
    )
    print(f"clean set: {result['clean']['outcome']}", *result["clean"]["findings"], sep="\n  ")
    result["under"] = options.under
    return finish("sets", result, bars_of(result), options.out)
