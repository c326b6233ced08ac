"""Everything that the docs and the leaderboard say about detection, by one command.

    python -m benchmarks all --shared FOLDER --work FOLDER

Needs a clone, the ``train`` and ``dev`` extras, pulled models, and the shared data. Trains the
peers and the networks of the own set first, where ``--work`` lacks them; measures; then writes the
figures of README and docs, and ``docs/leaderboard.html``. Steps whose material is in ``--work``
are not made again; ``--only`` names single steps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import tables
from benchmarks._results import RESULTS
from forensics.errors import ForensicsError

MISSED = 1
FAILED = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things are and how much is done.

    Attributes:
        shared: Folder with ``data`` and ``peers``.
        work: Folder for trained networks, portrait cache and made sets; kept.
        results: Folder for the results files.
        root: Folder of README.md and docs.
        minutes: Training of each peer.
        budget: Training of each network of the own set, such as ``3m``.
        clips: Clips of the own set.
        seconds: Length of each.
        replicates: Bootstrap replicates.
        repeats: Turns of the speed benchmark.
    """

    shared: Path
    work: Path
    results: Path
    root: Path
    minutes: float
    budget: str
    clips: int
    seconds: float
    replicates: int
    repeats: int

    @property
    def own(self) -> Path:
        """Manifest of the own set, once it is made."""
        return self.work / "kept" / "first" / "manifest.jsonl"

    @property
    def cache(self) -> Path:
        """Portrait cache."""
        return self.work / "cache"

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
    from benchmarks.peers.train import main as run

    missing = [name for name in NAMES if not (plan.peers / f"{name}.json").exists()]
    if not missing:
        return 0
    return run(["--cache", str(plan.cache), "--out", str(plan.peers), "--minutes",
                str(plan.minutes), "--only", ",".join(missing)])  # fmt: skip


def _sets(plan: Plan) -> int:
    from benchmarks.sets.run import main as run

    return run(["--shared", str(plan.shared), "--work", str(plan.work), "--keep",
                str(plan.work / "kept"), "--budget", plan.budget, "--clips", str(plan.clips),
                "--seconds", str(plan.seconds), "--out", str(plan.results)])  # fmt: skip


def _accuracy(plan: Plan) -> int:
    from benchmarks.accuracy.run import main as run

    peers = ["--peers", str(plan.peers)] if (plan.peers / "sbi.json").exists() else []
    own = ["--own", str(plan.own)] if plan.own.exists() else []
    return run(["--shared", str(plan.shared), "--cache", str(plan.cache), *own, *peers,
                "--replicates", str(plan.replicates), "--out", str(plan.results)])  # fmt: skip


def _robustness(plan: Plan) -> int:
    from benchmarks.robustness.run import main as run

    return run(["--own", str(plan.own), "--replicates", str(plan.replicates), "--out",
                str(plan.results)])  # fmt: skip


def _localisation(plan: Plan) -> int:
    from benchmarks.localisation.run import main as run

    return run(["--own", str(plan.own), "--replicates", str(plan.replicates), "--out",
                str(plan.results)])  # fmt: skip


def _speed(plan: Plan) -> int:
    from benchmarks.speed.run import main as run

    return run(["--repeats", str(plan.repeats), "--out", str(plan.results)])


def _docs(plan: Plan) -> int:
    return tables.main(["--results", str(plan.results), "--root", str(plan.root)])


def _leaderboard(plan: Plan) -> int:
    from benchmarks.leaderboard.page import main as run

    page = plan.root / "docs" / "leaderboard.html"
    return run(["--results", str(plan.results), "--out", str(page)])


STEPS: dict[str, Callable[[Plan], int]] = {
    "portraits": _portraits,
    "peers": _peers,
    "sets": _sets,
    "accuracy": _accuracy,
    "robustness": _robustness,
    "localisation": _localisation,
    "speed": _speed,
    "docs": _docs,
    "leaderboard": _leaderboard,
}


def run_steps(plan: Plan, names: Sequence[str]) -> dict[str, str]:
    """Run steps in order; one that fails does not keep the others from being run.

    Returns:
        What became of each: ``done``, ``bar missed``, or ``failed`` with the reason on stderr.
    """
    outcome: dict[str, str] = {}
    for name in names:
        print(f"== {name}", flush=True)
        try:
            code = STEPS[name](plan)
        except SystemExit as ended:  # a usage error of that benchmark, already said
            code = ended.code if isinstance(ended.code, int) else FAILED
        except (ForensicsError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            code = FAILED
        outcome[name] = {0: "done", MISSED: "bar missed"}.get(code, "failed")
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps; 1 when a bar was missed, 2 when a step failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", choices=["all"])
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/ and peers/")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is made; kept")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results files")
    parser.add_argument("--root", type=Path, default=tables.ROOT, help="of README.md and docs")
    parser.add_argument("--minutes", type=float, default=8.0, help="training of each peer")
    parser.add_argument("--budget", default="3m", help="training of each network of the own set")
    parser.add_argument("--clips", type=int, default=60, help="clips of the own set")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each")
    parser.add_argument("--replicates", type=int, default=2000, help="bootstrap replicates")
    parser.add_argument("--repeats", type=int, default=9, help="turns of the speed benchmark")
    parser.add_argument("--only", default=",".join(STEPS), help="steps, comma-separated")
    options = vars(parser.parse_args(arguments))
    names = options.pop("only").split(",")
    if unknown := [name for name in names if name not in STEPS]:
        parser.error(f"no step is called {unknown[0]!r}; there are: {', '.join(STEPS)}")
    options.pop("what")
    plan = Plan(**options)
    plan.work.mkdir(parents=True, exist_ok=True)
    outcome = run_steps(plan, names)
    for name, said in outcome.items():
        print(f"{name}: {said}")
    said = set(outcome.values())
    return FAILED if "failed" in said else MISSED if "bar missed" in said else 0
