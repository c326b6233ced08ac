"""Everything that the docs and the leaderboard say about detection, by one command.

    python -m benchmarks all --shared FOLDER --work FOLDER

Needs a clone, the ``train`` and ``dev`` extras, pulled models, and the shared data. Trains the
peers and the networks of the own set first, where ``--work`` lacks them; measures; then writes the
figures of README and docs, and ``docs/leaderboard.html``.

It goes on where it stopped: what is in ``--work`` is not made again, and a part of which there is a
result with the same weights and settings is not measured again (``--again`` does). ``--only`` names
single steps. ``--quick`` rehearses every step on a little of the real data, within minutes, writes
into ``--work/quick`` alone and publishes nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks._results import RESULTS, weights_digest
from benchmarks.steps import (
    FAILED,
    MISSED,
    NEEDED_BY,
    PREPARE,
    QUICK,
    STEPS,
    WITHOUT_WEIGHTS,
    WRITE,
    WRITTEN_BY,
    Amounts,
    Plan,
    written_since,
)
from forensics.errors import ForensicsError


class Finished:
    """Which parts were measured with these weights and amounts.

    Those that ran here are kept in ``finished.json`` of the work folder. A result that a part's own
    command wrote, or that came with the clone, counts too, when all is measured in full and the
    part, if it looks at the detectors, looked at the ones that are shipped now.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._path, self._results = plan.work / "finished.json", plan.results
        self._weights = weights_digest()
        self._key = {"amounts": json.loads(json.dumps(asdict(plan.amounts))),
                     "weights_sha256": self._weights}  # fmt: skip
        self._full = plan.amounts == Amounts()
        self._parts: dict[str, Any] = {}
        if self._path.exists():
            self._parts = json.loads(self._path.read_text(encoding="utf-8"))

    def outcome(self, name: str) -> str | None:
        """Return what became of a part, or None when it has to be measured."""
        part = self._parts.get(name)
        if part is not None and part["key"] == self._key:
            there = part["files"] and all((self._results / f).exists() for f in part["files"])
            if there:
                return str(part["outcome"])
        return self._published(name) if self._full else None

    def _published(self, name: str) -> str | None:
        """Return what the newest results of a part say, where they may stand for it."""
        outcome = "done"
        for result in WRITTEN_BY.get(name, ()):
            try:
                content = json.loads(tables.newest(result, self._results).read_text("utf-8"))
            except FileNotFoundError:
                return None
            same = content["environment"].get("weights_sha256") == self._weights
            if not same and name not in WITHOUT_WEIGHTS:
                return None
            if not all(bar["met"] for bar in content.get("bars", [])):
                outcome = "bar missed"
        return outcome if name in WRITTEN_BY else None

    def keep(self, name: str, outcome: str, begun: float) -> None:
        """Keep a part with the results files that it wrote since ``begun``."""
        files = [path.name for path in written_since(begun, self._results)]
        minutes = round((time.time() - begun) / 60, 1)
        self._parts[name] = {"key": self._key, "outcome": outcome, "files": files,
                             "minutes": minutes}  # fmt: skip
        self._path.write_text(json.dumps(self._parts, indent=1), encoding="utf-8")


def _earlier(plan: Plan, name: str, names: Sequence[str], finished: Finished) -> str | None:
    """Return what became of a part that need not be run, else None."""
    users = [user for user in NEEDED_BY.get(name, ()) if user in names]
    idle = bool(users) and all(finished.outcome(user) for user in users)
    if name in PREPARE:
        return "not needed" if idle else None
    said = finished.outcome(name)
    # The set that others look at must be there, whatever is known of how it was made before.
    return said if idle or not users or plan.own.exists() else None


def run_steps(plan: Plan, names: Sequence[str], *, again: bool = False) -> dict[str, str]:
    """Run steps in order; one that fails does not keep the others from being run.

    Returns:
        What became of each: ``done``, ``bar missed``, ``not needed``, or ``failed`` with the reason
        on stderr.
    """
    outcome: dict[str, str] = {}
    finished = Finished(plan)
    for name in names:
        earlier = None if again else _earlier(plan, name, names, finished)
        if earlier is not None:
            why = "" if name in PREPARE else ", measured before"
            print(f"== {name}: {earlier}{why}", flush=True)
            outcome[name] = earlier
            continue
        print(f"== {name}", flush=True)
        begun = time.time()
        try:
            code = STEPS[name](plan)
        except SystemExit as ended:  # a usage error of that benchmark, already said
            code = ended.code if isinstance(ended.code, int) else FAILED
        except (ForensicsError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            code = FAILED
        outcome[name] = {0: "done", MISSED: "bar missed"}.get(code, "failed")
        print(f"== {name}: {outcome[name]} after {(time.time() - begun) / 60:.1f} min", flush=True)
        if outcome[name] != "failed" and name not in (*PREPARE, *WRITE):
            finished.keep(name, outcome[name], begun)
    return outcome


def rehearsal(plan: Plan) -> Plan:
    """Return a plan whose results and documents lie in the work folder, as copies."""
    work = plan.work / "quick"
    shutil.copytree(plan.results, work / "results", dirs_exist_ok=True)
    for path in tables.documents(plan.root):
        copy = work / path.relative_to(plan.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return replace(plan, work=work, results=work / "results", root=work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", choices=["all"])
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/ and peers/")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is made; kept")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results files")
    parser.add_argument("--root", type=Path, default=tables.ROOT, help="of README.md and docs")
    parser.add_argument("--only", default=",".join(STEPS), help="steps, comma-separated")
    parser.add_argument("--again", action="store_true", help="measure finished parts once more")
    parser.add_argument("--quick", action="store_true", help="rehearse, publish nothing")
    parser.add_argument("--minutes", type=float, help="of one core, training of each peer")
    parser.add_argument("--budget", help="training of each network of the own set")
    parser.add_argument("--clips", type=int, help="clips of the own set")
    parser.add_argument("--seconds", type=float, help="length of each")
    parser.add_argument("--replicates", type=int, help="bootstrap replicates")
    parser.add_argument("--repeats", type=int, help="turns of the speed benchmark")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps; 1 when a bar was missed, 2 when a step failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    names = options.only.split(",")
    if unknown := [name for name in names if name not in STEPS]:
        parser.error(f"no step is called {unknown[0]!r}; there are: {', '.join(STEPS)}")
    given = {field.name: value for field in fields(Amounts)
             if (value := getattr(options, field.name, None)) is not None}  # fmt: skip
    plan = Plan(
        options.shared.resolve(), options.work.resolve() / "cache", options.work.resolve(),
        options.results.resolve(), options.root.resolve(),
        replace(QUICK if options.quick else Amounts(), **given),
    )  # fmt: skip
    plan.work.mkdir(parents=True, exist_ok=True)
    if options.quick:
        plan = rehearsal(plan)
    outcome = run_steps(plan, names, again=options.again)
    for name, said in outcome.items():
        print(f"{name}: {said}")
    said = set(outcome.values())
    return FAILED if "failed" in said else MISSED if "bar missed" in said else 0
