"""Every promise about detection and what was measured: ``python -m benchmarks.accuracy.promises``.

Reads the newest results of `accuracy`, `held-out`, `robustness` and `localisation`; measures
nothing. A promise whose benchmark was not run, or whose test split is still sealed, says so.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._results import RESULTS, show
from benchmarks.tables import newest
from forensics.evaluation.rates import wilson

Result = dict[str, Any]
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise.

    Attributes:
        on: What it is about.
        limit: The promised number.
        at_most: Whether the value must stay at or below it.
        value: What was measured; None when it was not.
        interval: Its 95 % interval.
        n: What was counted, in words.
        why: Why nothing was measured.
    """

    on: str
    limit: float
    at_most: bool = False
    value: float | None = None
    interval: Sequence[float] | None = None
    n: str = ""
    why: str = "not run"

    @property
    def outcome(self) -> str:
        """``met``, ``missed by``, or why there is no figure."""
        if self.value is None:
            return self.why
        room = self.limit - self.value if self.at_most else self.value - self.limit
        return "met" if room >= 0 else f"missed by {-room:.3f}"

    def cells(self) -> tuple[str, ...]:
        """Return a row: on, bar, measured, n, outcome."""
        sign = "at most" if self.at_most else "at least"
        measured = "-" if self.value is None else f"{self.value:.3f}"
        if self.value is not None and self.interval is not None:
            measured += f" [{self.interval[0]:.3f}, {self.interval[1]:.3f}]"
        return self.on, f"{sign} {self.limit:g}", measured, self.n or "-", self.outcome


HEAD = ("on", "bar", "measured [95 %]", "n", "")


def _of(name: str, folder: Path) -> Result:
    try:
        found: Result = json.loads(newest(name, folder).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _count(block: Result) -> str:
    return f"{block['n_real']} + {block['n_fake']}"


def _accuracy(result: Result) -> Iterator[Promise]:
    rows = {(row["set"], row["scorer"]): row for row in result.get("results", [])}
    for split, limit in (("once", 0.75), ("look", 0.66)):
        row = rows.get((f"DFDC crops, {split}", OURS))
        name = f"DFDC crops of split {split}, AUC"
        if row is None:
            why = "sealed: not opened yet" if split == "once" else "not run"
            yield Promise(name, limit, why=why)
            continue
        frame = row["frame"]
        yield Promise(name, limit, value=frame["auc"], interval=frame["auc_interval"],
                      n=_count(frame))  # fmt: skip
    clips = result.get("clips", [])
    row = rows.get(("clips, FF++ c40", OURS))
    if row is not None:
        frame = row["frame"]
        yield Promise("FaceForensics++ c40 clips, AUC", 0.75, value=frame["auc"],
                      interval=frame["auc_interval"], n=_count(frame))  # fmt: skip
        fakes = [c for c in clips if "FaceForensics++" in c["source"] and c["label"] == "fake"]
        found = sum(c["verdict"] == "suspect" for c in fakes)
        yield Promise("FaceForensics++ c40 fakes called suspect", 0.30, value=found / len(fakes),
                      interval=wilson(found, len(fakes)), n=str(len(fakes)))  # fmt: skip
    if "false_alarms" in result:
        alarms = result["false_alarms"]
        yield Promise("real clips called suspect", 0, at_most=True, value=float(alarms["suspect"]),
                      n=f"{alarms['real_clips']}; upper bound of the rate "
                      f"{alarms['upper_95']:.3f}")  # fmt: skip
    for pair in result.get("paired", []):
        if pair["set"] == "DFDC crops, look" and pair["against"].startswith("Meso"):
            yield Promise(f"ahead of {pair['against']} on DFDC crops", 0.0,
                          value=pair["difference"], interval=pair["interval"],
                          n=str(pair["n"]))  # fmt: skip


def _held_out(result: Result) -> Iterator[Promise]:
    if not result:
        yield Promise("own held-out test", 0.97)
        return
    group, clips = result["group"], result["clips"]
    yield Promise("own test, AUC by group", 0.97, value=group["auc"],
                  interval=group["auc_interval"], n=_count(group))  # fmt: skip
    worst = min(result["families"], key=lambda row: row["left_out"]["auc"])
    part = worst["left_out"]
    yield Promise(f"own test, worst family left out of the fit ({worst['family']}), AUC", 0.88,
                  value=part["auc"], interval=part["auc_interval"], n=_count(part))  # fmt: skip
    yield Promise("own test, TPR at FPR 1 %", 0.80, value=clips["tpr_at_fpr"]["0.01"],
                  interval=clips["tpr_at_fpr_interval"]["0.01"], n=_count(clips),
                  why="not supported by n: it needs 300 independent reals")  # fmt: skip
    yield Promise("own test, ECE at its share of fakes", 0.03, at_most=True,
                  value=clips["ece_prior_matched"], interval=clips["ece_prior_matched_interval"],
                  n=_count(clips))  # fmt: skip
    yield Promise("own test, Cllr above its least", 0.03, at_most=True,
                  value=clips["cllr"] - clips["cllr_min"], n=_count(clips))  # fmt: skip
    things = result["occlusion"]
    yield Promise("occlusion failures against the same things kept, AUC", 0.90,
                  value=things["auc"], interval=things["auc_interval"],
                  n=_count(things))  # fmt: skip
    pixels = result["occlusion_pixels"]
    yield Promise("occlusion failures, pixel average precision", 0.60, value=pixels["ap"],
                  interval=pixels["interval"], n=str(pixels["n"]))  # fmt: skip


def _localisation(result: Result) -> Iterator[Promise]:
    rows = (
        ("own swaps, pixel average precision", "pixel", "ap", 0.70),
        ("swapped person of two right", "person", "share", 0.98),
        ("part-swapped clips, F1 at tIoU .5", "seconds", "f1", 0.80),
    )
    for name, block, key, limit in rows:
        part = result.get(block)
        if part is None or part[key] is None:
            yield Promise(name, limit)
        else:
            yield Promise(name, limit, value=part[key], interval=part["interval"],
                          n=str(part["n"]))  # fmt: skip


def _robustness(result: Result) -> Iterator[Promise]:
    rows = (
        ("distorted, mean drop of the AUC", "mean drop of the AUC", 0.04, True),
        ("distorted, worst cell's AUC", "worst cell's AUC", 0.78, False),
        ("real clips that distortion made suspect", "real clips that distortion made suspect",
         0, True),
    )  # fmt: skip
    bars = {bar["name"]: bar["value"] for bar in result.get("bars", [])}
    for name, key, limit, at_most in rows:
        n = f"{result['n_real']} + {result['n_fake']}" if result else ""
        yield Promise(name, limit, at_most=at_most, value=bars.get(key), n=n)


def promises(folder: Path = RESULTS) -> list[Promise]:
    """Return all promises with what the newest results say of them."""
    return [
        *_accuracy(_of("accuracy", folder)),
        *_held_out(_of("held-out", folder)),
        *_localisation(_of("localisation", folder)),
        *_robustness(_of("robustness", folder)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when a promise is not kept or not measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.promises", description=__doc__
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    found = promises(parser.parse_args(arguments).results)
    show("Promises about detection", HEAD, [promise.cells() for promise in found])
    return 0 if all(promise.outcome == "met" for promise in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
