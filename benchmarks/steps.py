"""The steps of ``python -m benchmarks all``: each runs one benchmark on what earlier steps made."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

MISSED = 1
FAILED = 2
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """How much is done.

    Attributes:
        minutes: Training of each peer, minutes of one core.
        budget: Training of each network of the own set, such as ``3m``.
        clips: Clips of the own set.
        seconds: Length of each.
        replicates: Bootstrap replicates.
        repeats: Turns of the speed benchmark.
        limit: Rows of a set that are scored at most; None for all.
        stored: Rows of the store that is queried.
        files: Files of the throughput and of the fault run.
        networks: Networks of the swapper whose speed is measured.
        steps: Training steps of each.
        people: Of each split that the clips of `forensics.training.clips` show; None for all.
        recipe: Steps of each training that goes without one thing.
    """

    minutes: float = 12.0
    budget: str = "3m"
    clips: int = 60
    seconds: float = 3.0
    replicates: int = 2000
    repeats: int = 9
    limit: int | None = None
    stored: int = 100_000
    files: tuple[int, int] = (60, 300)
    networks: tuple[str, ...] = ("tiny", "shared-dual")
    steps: int = 20
    people: int | None = None
    recipe: int = 120


QUICK = Amounts(
    minutes=0.1, budget="15s", clips=8, seconds=1.0, replicates=100, repeats=5, limit=60,
    stored=2000, files=(6, 20), networks=("tiny",), steps=2,
    people=8, recipe=4,
)  # fmt: skip
"""A rehearsal: every step on real data in minutes, and no figure to publish."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things are and how much is done.

    Attributes:
        shared: Folder with ``data`` and ``peers``.
        cache: Portrait cache.
        work: Folder for trained networks and made sets; kept.
        results: Folder for the results files.
        root: Folder of README.md and docs.
        amounts: How much.
    """

    shared: Path
    cache: Path
    work: Path
    results: Path
    root: Path
    amounts: Amounts

    @property
    def own(self) -> Path:
        """Manifest of the own set, once it is made."""
        return self.work / "kept" / "first" / "manifest.jsonl"

    @property
    def clips(self) -> Path:
        """Folder with the clips of people held out, by split."""
        return self.work / "clips"

    @property
    def peers(self) -> Path:
        """Trained peers."""
        return self.work / "peers"


def _portraits(plan: Plan) -> int:
    from forensics.training.portraits import build_cache

    if not (plan.cache / "portraits.json").exists():
        print(f"{build_cache(plan.shared / 'data' / 'faces', plan.cache)} portraits")
    return 0


def _peers(plan: Plan) -> int:
    from benchmarks.peers.train import NAMES

    missing = [name for name in NAMES if not (plan.peers / f"{name}.json").exists()]
    if not missing:
        return 0
    return here("peers.train", cache=plan.cache, out=plan.peers, minutes=plan.amounts.minutes,
                only=",".join(missing))  # fmt: skip


def _sets(plan: Plan) -> int:
    amounts = plan.amounts
    return here("sets.run", shared=plan.shared, work=plan.work, keep=plan.work / "kept",
                budget=amounts.budget, clips=amounts.clips, seconds=amounts.seconds,
                out=plan.results)  # fmt: skip


def _accuracy(plan: Plan) -> int:
    return here("accuracy.run", shared=plan.shared, cache=plan.cache, by="source",
                own=plan.own if plan.own.exists() else None,
                peers=plan.peers if (plan.peers / "sbi.json").exists() else None,
                keep=plan.work / "scores", limit=plan.amounts.limit,
                replicates=plan.amounts.replicates, out=plan.results)  # fmt: skip


def _robustness(plan: Plan) -> int:
    return here("robustness.run", own=plan.own, keep=plan.work / "scores",
                replicates=plan.amounts.replicates, out=plan.results)  # fmt: skip


def _localisation(plan: Plan) -> int:
    return here("localisation.run", own=plan.own, replicates=plan.amounts.replicates,
                out=plan.results)  # fmt: skip


def _clips(plan: Plan) -> int:
    from forensics.training.clips import make_clips
    from forensics.training.footage import film_again

    most = plan.amounts.people
    for split, seed, people, scenes, crf, take in _FILMED:
        # What its manifest holds already is not filmed again.
        make_clips(plan.cache, plan.clips / split, splits=(split,), seed=seed, crf=crf, take=take,
                   people=people if most is None else most, scenes=scenes,
                   occluders=plan.shared / "data" / "occluders")  # fmt: skip
    film_again(sorted((plan.shared / "data" / "clips" / "grid").glob("*.mpg")),
               plan.clips / "filmed")  # fmt: skip
    return 0


def _held_out(plan: Plan) -> int:
    return here("accuracy.held_out", test=plan.clips / "test" / "manifest.jsonl",
                fit=plan.clips / "calibrate" / "manifest.jsonl", work=_looks(plan),
                replicates=plan.amounts.replicates, out=plan.results)  # fmt: skip


def _ablation(plan: Plan) -> int:
    return here("ablation.run", clips=plan.clips, work=_looks(plan), out=plan.results)


def _recipe(plan: Plan) -> int:
    return here("ablation.recipe", shared=plan.shared, cache=plan.cache,
                clips=plan.clips / "validate" / "manifest.jsonl", work=plan.work,
                steps=plan.amounts.recipe, out=plan.results)  # fmt: skip


def _inputs(plan: Plan) -> int:
    return here("ablation.inputs", clips=plan.clips / "validate" / "manifest.jsonl",
                work=_looks(plan), crops=plan.shared / "data" / "fakes" / "dfdc-dev.jsonl",
                limit=plan.amounts.limit, out=plan.results)  # fmt: skip


def _looks(plan: Plan) -> Path:
    folder = plan.work / "looks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _speed(plan: Plan) -> int:
    return here("speed.run", repeats=plan.amounts.repeats, out=plan.results)


def _scale(plan: Plan) -> int:
    files, hostile = plan.amounts.files
    engines = "process,ray" if find_spec("ray") else "process"
    return max(
        apart(plan, "scale.rows", _words(rows=plan.amounts.stored)),
        apart(plan, "scale.throughput", _words(files=files, engines=engines)),
        apart(plan, "scale.fault", _words(files=hostile, engines=engines)),
    )


def _swapper(plan: Plan) -> int:
    """Measure speed alone: whether a swap is good needs networks that trained for an hour."""
    words = ["--models", *plan.amounts.networks, "--steps", str(plan.amounts.steps)]
    trained = plan.work / "m" / "g1-g3"
    if (trained / "model.json").exists():
        clip = plan.shared / "data" / "clips" / "grid" / "id2_vcd_swwp2s.mpg"
        words += ["--swap", str(clip), str(trained)]
    return apart(plan, "swapper.speed", words)


def _promises(plan: Plan) -> int:
    return here("accuracy.promises", results=plan.results)


def _docs(plan: Plan) -> int:
    return here("tables", results=plan.results, root=plan.root)


def _leaderboard(plan: Plan) -> int:
    page = plan.root / "docs" / "leaderboard.html"
    return here("leaderboard.page", results=plan.results, out=page)


# Split, seed, people at most, scenes, CRF, take. The shipped calibration's scenes with things and
# with disturbances were filmed in runs of their own, and a scene's seed is its place in the run.
# Two takes of the test people give the 300 clips of either label that the promises ask for.
_FILMED: tuple[tuple[str, int, int | None, tuple[str, ...], int | None, int], ...] = (
    ("calibrate", 0, None, ("plain", "hard"), None, 0),
    ("calibrate", 0, None, ("covered",), None, 0),
    ("calibrate", 0, None, ("disturbed",), None, 0),
    ("validate", 0, 36, ("plain", "hard", "covered"), None, 0),
    ("validate", 0, 36, ("disturbed",), None, 0),
    ("test", 1, None, ("plain", "hard", "covered"), 23, 0),
    ("test", 1, None, ("plain", "hard", "covered"), 23, 1),
)


def here(module: str, **options: object) -> int:
    """Run a benchmark in this process; an option that is None is not given."""
    run: Callable[[list[str]], int] = import_module(f"benchmarks.{module}").main
    return run(_words(**options))


def _words(**options: object) -> list[str]:
    given = {name: value for name, value in options.items() if value is not None}
    return [word for name, value in given.items() for word in (f"--{name}", str(value))]


def written_since(begun: float, results: Path) -> list[Path]:
    """Return the results files written since a time of `time.time`."""
    return [path for path in results.glob("*.json") if path.stat().st_mtime >= begun]


def apart(plan: Plan, name: str, words: list[str]) -> int:
    """Run a benchmark in a process of its own, whose memory and workers end with it."""
    begun = time.time()
    command = [sys.executable, "-m", f"benchmarks.{name}", *words, "--out", str(plan.results)]
    code = subprocess.run(command, cwd=_HERE.parent).returncode
    # A crash ends with 1 too, but leaves no result.
    return code if code in (0, MISSED) and written_since(begun, plan.results) else FAILED


PREPARE = ("portraits", "peers", "clips")
WRITE = ("docs", "leaderboard", "promises")
WITHOUT_WEIGHTS = ("sets", "swapper", "recipe")
NEEDED_BY = {
    "portraits": ("accuracy", "held_out", "ablation", "inputs", "recipe"),
    "peers": ("accuracy",),
    "clips": ("held_out", "ablation", "inputs", "recipe"),
    "sets": ("accuracy", "robustness", "localisation"),
}
"""Parts that use what a part makes."""

WRITTEN_BY = {
    "sets": ("sets",),
    "accuracy": ("accuracy",),
    "held_out": ("held-out",),
    "ablation": ("ablation",),
    "inputs": ("inputs",),
    "recipe": ("recipe",),
    "robustness": ("robustness",),
    "localisation": ("localisation",),
    "speed": ("speed",),
    "scale": ("scale-rows", "scale-throughput", "scale-fault"),
    "swapper": ("swapper-speed",),
}
"""Names of the results of each part that measures."""

STEPS: dict[str, Callable[[Plan], int]] = {
    "portraits": _portraits,
    "peers": _peers,
    "sets": _sets,
    "clips": _clips,
    "accuracy": _accuracy,
    "held_out": _held_out,
    "ablation": _ablation,
    "inputs": _inputs,
    "recipe": _recipe,
    "robustness": _robustness,
    "localisation": _localisation,
    "speed": _speed,
    "scale": _scale,
    "swapper": _swapper,
    "docs": _docs,
    "leaderboard": _leaderboard,
    "promises": _promises,
}
