"""Every promise about detection and what was measured: ``python -m benchmarks.accuracy.promises``.

Reads the newest results of `accuracy`, `held-out`, `robustness` and `localisation`; measures
nothing. A promise whose benchmark was not run, or whose test split is still sealed, says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import limits
from benchmarks._results import RESULTS, show
from benchmarks.limits import Limit
from benchmarks.tables import newest, read
from forensics.evaluation.rates import wilson

Result = dict[str, Any]
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise.

    Attributes:
        limit: What was promised, and how much.
        value: What was measured; None when it was not.
        interval: Its 95 % interval.
        n: What was counted, in words.
        why: Why nothing was measured.
    """

    limit: Limit
    value: float | None = None
    interval: Sequence[float] | None = None
    n: str = ""
    why: str = "not run"

    @property
    def outcome(self) -> str:
        """``met``, ``missed by``, or why there is no figure."""
        if self.value is None:
            return self.why
        limit = self.limit
        room = limit.value - self.value if limit.at_most else self.value - limit.value
        return "met" if room >= 0 else f"missed by {limit.text(-room)}"

    def cells(self) -> tuple[str, ...]:
        """Return a row: on, bar, measured, n, outcome."""
        limit = self.limit
        sign = "at most" if limit.at_most else "at least"
        measured = "-" if self.value is None else limit.text(self.value)
        if self.value is not None and self.interval is not None:
            measured += f" [{self.interval[0]:.3f}, {self.interval[1]:.3f}]"
        return limit.on, f"{sign} {limit.value:g}", measured, self.n or "-", self.outcome


HEAD = ("on", "bar", "measured [95 %]", "n", "")


def _count(block: Result) -> str:
    return f"{block['n_real']} + {block['n_fake']}"


def _once(result: Result) -> Iterator[Promise]:
    if not result:
        for limit in (limits.ONCE, limits.STILLS_CALLED):
            yield Promise(limit, why="sealed: not opened yet")
        return
    yield _ranked(limits.ONCE, next(r["frame"] for r in result["results"] if r["scorer"] == OURS))
    (row,) = result["stills_called"]
    real = row["real"]
    yield Promise(limits.STILLS_CALLED, real["rate"], real["interval"], str(real["n"]))


def _accuracy(result: Result) -> Iterator[Promise]:
    rows = {(row["set"], row["scorer"]): row["frame"] for row in result.get("results", [])}
    for limit, name in (
        (limits.LOOK, "DFDC crops, look"),
        (limits.PORTRAITS, "held-out self-blends, lightly coded"),
        (limits.FFPP, "clips, FF++ c40"),
    ):
        frame = rows.get((name, OURS))
        yield Promise(limit) if frame is None else _ranked(limit, frame)
    fakes = [
        clip for clip in result.get("clips", [])
        if "FaceForensics++" in clip["source"] and clip["label"] == "fake"
    ]  # fmt: skip
    if fakes:
        found = sum(clip["verdict"] == "suspect" for clip in fakes)
        yield Promise(limits.FFPP_CALLED, found / len(fakes), wilson(found, len(fakes)),
                      str(len(fakes)))  # fmt: skip
    if alarms := result.get("false_alarms"):
        yield Promise(limits.REAL_CALLED, float(alarms["suspect"]),
                      n=f"{alarms['real_clips']}; upper bound of the rate "
                      f"{alarms['upper_95']:.3f}")  # fmt: skip
    for pair in result.get("paired", []):
        if pair["set"] == "DFDC crops, look" and pair["against"].startswith("Meso"):
            limit = replace(limits.AHEAD, on=limits.AHEAD.on.format(pair["against"]))
            yield Promise(limit, pair["difference"], pair["interval"], str(pair["n"]))


def _ranked(limit: Limit, block: Result, n: str = "") -> Promise:
    return Promise(limit, block["auc"], block["auc_interval"], n or _count(block))


def _held_out(result: Result) -> Iterator[Promise]:
    if not result:
        yield Promise(limits.OWN)
        return
    clips = result["clips"]
    yield _ranked(limits.OWN, result["group"])
    worst = min(result["families"], key=lambda row: row["left_out"]["auc"])
    part = worst["left_out"]
    yield _ranked(limits.OWN_FAMILY, part, f"{_count(part)} ({worst['family']})")
    if found := result.get("found"):  # absent from results of before it was counted
        few = "" if found["claim"] else f" of {found['real_groups']} people, too few for a claim"
        yield Promise(limits.OWN_TPR, found["tpr"], found["interval"], _count(found) + few)
    else:
        yield Promise(limits.OWN_TPR)
    yield Promise(limits.OWN_ECE, clips["ece_prior_matched"],
                  clips["ece_prior_matched_interval"], _count(clips))  # fmt: skip
    yield Promise(limits.OWN_CLLR, clips["cllr"] - clips["cllr_min"], n=_count(clips))
    yield _ranked(limits.THINGS, result["occlusion"])
    pixels = result["occlusion_pixels"]
    yield Promise(limits.THING_PIXELS, pixels["ap"], pixels["interval"], str(pixels["n"]))


def _localisation(result: Result) -> Iterator[Promise]:
    for limit, block, key in (
        (limits.PIXELS, "pixel", "ap"),
        (limits.PERSON, "person", "share"),
        (limits.SECONDS, "seconds", "f1"),
    ):
        part = result.get(block)
        if part is None or part[key] is None:
            yield Promise(limit)
        else:
            yield Promise(limit, part[key], part["interval"], str(part["n"]))


def _robustness(result: Result) -> Iterator[Promise]:
    if not result:
        yield from map(Promise, (limits.DROP, limits.WORST, limits.FLIPS))
        return
    n, cells = _count(result), result["cells"]
    worst = min(cells, key=lambda row: row["auc"])
    yield Promise(limits.DROP, result["mean_drop"]["value"], result["mean_drop"]["interval"], n)
    yield _ranked(limits.WORST, worst, f"{n} ({worst['kind']}, level {worst['level']})")
    flips = sum(row["real_to_suspect"] for row in cells)
    yield Promise(limits.FLIPS, float(flips), n=f"{result['n_real']} in {len(cells)} cells")


SOURCES: dict[str, Callable[[Result], Iterator[Promise]]] = {
    "once": _once,
    "accuracy": _accuracy,
    "held-out": _held_out,
    "localisation": _localisation,
    "robustness": _robustness,
}


def promises(results: Mapping[str, Result]) -> list[Promise]:
    """Return all promises with what results say of them, given by the benchmark's name."""
    return [promise for name, of in SOURCES.items() for promise in of(results.get(name, {}))]


def from_folder(folder: Path = RESULTS) -> list[Promise]:
    """Return all promises with what the newest results say of them."""
    found = {}
    for name in SOURCES:
        with suppress(FileNotFoundError):
            found[name] = read(newest(name, folder))
    return promises(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when a promise is not kept or not measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.promises", description=__doc__
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    found = from_folder(parser.parse_args(arguments).results)
    show("Promises about detection", HEAD, [promise.cells() for promise in found])
    return 0 if all(promise.outcome == "met" for promise in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
