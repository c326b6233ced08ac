"""Measure the shipped detector beside its peers: ``python -m benchmarks.accuracy``.

Nothing is fitted here. The sealed split of the crop set is opened by ``--sets once --why REASON``
alone, and every opening is counted in ``benchmarks/results/openings.jsonl``. What it gives is a
result of its own, which later measurements of the other sets leave as it is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks import limits
from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.accuracy import subgroups
from benchmarks.accuracy.clips import ClipScorer, false_alarms, verdict_rows
from benchmarks.accuracy.compare import (
    by_subgroup,
    called_at_own_rate,
    cross_auc,
    false_positives,
    paired,
    stills_called,
)
from benchmarks.accuracy.curves import curve_block
from benchmarks.accuracy.kept import KeptScorer
from benchmarks.accuracy.openings import LOG, open_counted
from benchmarks.accuracy.others import SkippedError, peers_of
from benchmarks.accuracy.portraits import write_pairs
from benchmarks.accuracy.sets import SEALED, open_set, part_of, thinned
from benchmarks.accuracy.single import alone
from benchmarks.limits import Limit
from forensics.errors import ForensicsError
from forensics.evaluation import evaluate
from forensics.evaluation.manifest import Manifest
from forensics.evaluation.scorer import Scorer

OURS = "ours"

_CLIPS_COMPARED = "FaceForensics++ c40"
_COLUMNS = (
    "set", "scorer", "n", "groups", "AUC [95 %]", "TPR @ FPR 1 %", "TPR @ FPR 5 %",
    "ECE", "Cllr", "coverage",
)  # fmt: skip
Result = dict[str, Any]


class Benchmark:
    """Collects the results of the sets that are there; others are skipped with a reason.

    Args:
        options: From the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.scorer = ClipScorer()
        self.results: list[Result] = []
        self.skipped: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.verdicts: list[Result] = []
        self.bars: list[Bar] = []
        self.records: dict[tuple[str, str], list[Result]] = {}
        self.subgroups: list[Result] = []
        self.stills: list[Result] = []
        self.openings: int | None = None
        self.called: dict[str, set[str]] = {}
        self.kinds: dict[str, str] = {}
        self.crops: Path = options.shared / "data" / "fakes" / "dfdc-dev.jsonl"

    def measure(self, name: str, who: str, manifest: Manifest, scorer: Scorer, kind: Any) -> Result:
        """Evaluate one scorer on one set and keep the result, its curves and its rows."""
        # What a scan says of a clip is more than a score, see `ClipScorer`.
        if self.options.keep is not None and not (kind == "clips" and scorer is self.scorer):
            scorer = KeptScorer(scorer, self.options.keep)
        with (
            Progress(disable=not sys.stderr.isatty()) as bar,
            tempfile.TemporaryDirectory(prefix="forensics-accuracy-") as folder,
        ):
            task = bar.add_task(f"{name}, {who}", total=len(manifest))
            scores = Path(folder) / "scores.jsonl"
            result = evaluate(
                manifest, scorer, input=kind, n_boot=self.options.replicates, scores_out=scores,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )  # fmt: skip
            lines = scores.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        self.records[name, who] = records
        # Where the data lie on this machine is nobody's business.
        result["manifest"] |= {"path": manifest.path.name}
        self.results.append({"set": name, "scorer": who, **result, "curves": curve_block(records)})
        return result

    def measure_all(self, name: str, manifest: Manifest, kind: Any) -> Result:
        """Evaluate ours and every peer on the same rows; ours is returned."""
        manifest = thinned(manifest, self.options.limit)
        result = self.measure(name, OURS, manifest, self.scorer, kind)
        self.kinds[name] = kind
        # A scan's verdict for clips; a crop has none, see `called_at_own_rate`.
        self.called[name] = (
            self.scorer.called(manifest) if kind == "clips"
            else called_at_own_rate(self.records[name, OURS])
        )
        for column in self.options.by:
            self._part(name, column, subgroups.labelled(manifest, column))
        if kind == "crops":
            called = stills_called(self.records[name, OURS], self.scorer.still_threshold)
            self.stills.append({"set": name, **called})
            self._part(name, "face width", subgroups.face_width(manifest))
            self._part(name, "skin tone as filmed", subgroups.skin_tone(manifest))
            for who, detector in alone():
                self.measure(name, who, manifest, detector, kind)
        if not self.options.alone:
            self._peers(name, manifest, kind)
        return result

    def _peers(self, name: str, manifest: Manifest, kind: Any) -> None:
        try:
            for who, peer in peers_of(self.options.shared, self.options.peers, self.options.plug):
                self.measure(name, who, manifest, peer, kind)
        except ImportError as error:
            if (error.name or "").split(".")[0] in ("", "benchmarks", "forensics"):
                raise  # a fault of ours, not an extra that is not installed
            self.skipped["peers"] = f"needs {error.name}"

    def _part(self, name: str, by: str, values: dict[str, str]) -> None:
        if len(set(values.values())) < 2:
            return
        found = by_subgroup(
            self.records[name, OURS], values, self.called[name], n_boot=self.options.replicates
        )
        self.subgroups.append({"set": name, "by": by, "kind": self.kinds[name], **found})

    def look(self) -> None:
        """The study half of the crop set."""
        manifest = open_set(self.crops, split="look")
        result = self.measure_all("DFDC crops, look", manifest, "crops")
        self._bar(limits.LOOK, result)

    def once(self) -> None:
        """The sealed half: opened for a stated reason, and counted."""
        manifest, count = open_counted(
            self.crops, split=SEALED, why=self.options.why, log=self.options.log,
            weights_sha256=str(self.scorer.identity.get("weights_sha256")),
            again=self.options.again,
        )  # fmt: skip
        result = self.measure_all("DFDC crops, once", manifest, "crops")
        self.openings = count
        self._bar(limits.ONCE, result)
        rate = self.stills[-1]["real"]["rate"]
        self.bars.append(limits.STILLS_CALLED.bar(1.0 if rate is None else rate))

    def clips(self) -> None:
        """Every whole clip, and those of one benchmark set that has real and fake ones."""
        manifest = open_set(self.options.shared / "data" / "clips" / "clips.jsonl")
        self.measure_all("clips, all", manifest, "clips")
        part = part_of(manifest, _CLIPS_COMPARED)
        self.measure_all("clips, FF++ c40", part, "clips")
        self.verdicts = verdict_rows(manifest, self.scorer)

    def own(self) -> None:
        """Clips that the project made of held-out people."""
        if self.options.own is None:
            raise SkippedError("--own not given")
        manifest = open_set(self.options.own, split=self.options.own_split)
        self.measure_all("own clips", manifest, "clips")

    def portraits(self) -> None:
        """Held-out portraits against fresh self-blends."""
        if self.options.cache is None:
            raise SkippedError("--cache not given")
        for how, mild in (("lightly coded", True), ("coded hard", False)):
            name = f"held-out self-blends, {how}"
            with tempfile.TemporaryDirectory(prefix="forensics-accuracy-") as folder:
                path = write_pairs(
                    self.options.cache, Path(folder), each=self.options.pairs, mild=mild
                )
                self.measure_all(name, open_set(path), "crops")
            if mild:
                result = next(r for r in self.results if (r["set"], r["scorer"]) == (name, OURS))
                self._bar(limits.PORTRAITS, result)

    def compared(self) -> dict[str, Any]:
        """Return what follows from the rows of all sets together."""
        n_boot = self.options.replicates
        ours = {name: rows for (name, who), rows in self.records.items() if who == OURS}
        # A part of another set is no other domain.
        domains = {name: rows for name, rows in ours.items() if name != "clips, FF++ c40"}
        return {
            "paired": [
                {"set": name, "against": who, **paired(ours[name], rows, n_boot=n_boot)}
                for (name, who), rows in self.records.items()
                if who != OURS
            ],
            "cross_auc": cross_auc(domains, n_boot=n_boot) if len(domains) > 1 else None,
            "at_threshold": [
                {"set": name, **false_positives(rows, self.called[name])}
                for name, rows in ours.items()
                if self.kinds[name] == "clips"
            ],
            "subgroups": self.subgroups,
        }

    def _bar(self, limit: Limit, result: Result) -> None:
        auc = result["frame"]["auc"]
        self.bars.append(limit.bar(-1.0 if auc is None else auc))

    def run(self, names: Sequence[str]) -> None:
        """Measure the named sets.

        One that was not asked for in full is skipped with its reason; one that should have been
        there and could not be measured has failed, so that a missing bar is never taken for met.
        """
        for name in names:
            try:
                SETS[name](self)
            except SkippedError as error:
                self.skipped[name] = str(error)
            except ForensicsError as error:
                self.failed[name] = str(error)


SETS: dict[str, Callable[[Benchmark], None]] = {
    "look": Benchmark.look,
    "clips": Benchmark.clips,
    "own": Benchmark.own,
    "portraits": Benchmark.portraits,
    SEALED: Benchmark.once,
}
_USUAL = ("look", "clips", "own", "portraits")


def _number(value: float | None, bounds: Sequence[float] | None = None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" + ("" if bounds is None else f" [{bounds[0]:.3f}, {bounds[1]:.3f}]")


def table_row(result: Result) -> tuple[str, ...]:
    """Return one row of the table; a figure that its n cannot carry is a dash."""
    frame = result["frame"]
    return (
        result["set"], result["scorer"], f"{result['n_real']} + {result['n_fake']}",
        str(result["groups"]), _number(frame["auc"], frame["auc_interval"]),
        *(_number(frame["tpr_at_fpr"][limit]) for limit in ("0.01", "0.05")),
        _number(frame["ece"]), _number(frame["cllr"]), _number(result["coverage"]),
    )  # fmt: skip


def print_verdicts(rows: Sequence[Result]) -> None:
    """List every clip's verdict, the wrong ones marked, and count the false alarms."""
    show(
        "Every clip",
        ("clip", "label", "verdict", "log LR", "", "reasons"),
        [
            (
                row["path"],
                row["label"],
                row["verdict"],
                _number(row.get("llr")),
                "WRONG" if row["wrong"] else "",
                " ".join(row.get("reasons", ())),
            )
            for row in rows
        ],
    )
    alarms = false_alarms(rows)
    print(
        f"Real clips called suspect: {alarms['suspect']} of {alarms['real_clips']} "
        f"({alarms['judged']} judged); by group {alarms['groups_suspect']} of "
        f"{alarms['groups']}, 95 % upper bound {_number(alarms['upper_95'])}\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when a bar is missed or a set failed, 2 when nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/ and peers/")
    parser.add_argument("--own", type=Path, help="manifest of own test clips")
    parser.add_argument("--own-split", help="split of the own manifest")
    parser.add_argument("--peers", type=Path, help="folder of peers trained by benchmarks.peers")
    parser.add_argument("--plug", action="append", default=[], metavar="FILE.py:CLASS",
                        help="another detector, see examples/third_party_scorer.py")
    parser.add_argument("--alone", action="store_true", help="no peers")
    parser.add_argument("--by", action="append", default=[], metavar="COLUMN",
                        help="compare subgroups by a column of the manifest")
    parser.add_argument("--why", default="", help="reason for opening the sealed split")
    parser.add_argument("--again", action="store_true", help="open it although it was before")
    parser.add_argument("--log", type=Path, default=LOG, help="log of openings")
    parser.add_argument("--cache", type=Path, help="portrait cache of the training run")
    parser.add_argument("--pairs", type=int, default=6, help="self-blends a portrait")
    parser.add_argument("--keep", type=Path, help="folder for scores; an interrupted run goes on")
    parser.add_argument("--limit", type=int, help="only so many rows of a set, for a quick look")
    parser.add_argument("--replicates", type=int, default=2000, help="bootstrap replicates")
    parser.add_argument("--sets", default=",".join(_USUAL), help="which of them, comma-separated")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args(arguments)
    names = options.sets.split(",")
    if unknown := [name for name in names if name not in SETS]:
        parser.error(f"no set is called {unknown[0]!r}; known: {', '.join(SETS)}")
    if SEALED in names and len(names) > 1:
        parser.error("the sealed split is measured by itself: --sets once --why REASON")
    if (options.own_split or "").strip().lower() == SEALED:
        parser.error("split 'once' is sealed and is never opened by this benchmark")
    try:
        benchmark = Benchmark(options)
    except ForensicsError as error:
        parser.error(str(error))
    benchmark.run(names)
    for name, reason in benchmark.skipped.items():
        print(f"skipped {name}: {reason}")
    for name, reason in benchmark.failed.items():
        print(f"failed {name}: {reason}", file=sys.stderr)
    if not benchmark.results:
        return 2
    show("Accuracy (n: real + fake)", _COLUMNS, [table_row(r) for r in benchmark.results])
    if benchmark.verdicts:
        print_verdicts(benchmark.verdicts)
    met = show_bars(benchmark.bars)
    result = {
        "results": benchmark.results,
        "skipped": benchmark.skipped,
        "failed": benchmark.failed,
        "clips": benchmark.verdicts,
        "openings_of_once": benchmark.openings,
        "stills_called": benchmark.stills,
        **benchmark.compared(),
        "false_alarms": false_alarms(benchmark.verdicts) if benchmark.verdicts else None,
        "bars": [bar.record() for bar in benchmark.bars],
    }
    print(write_result(SEALED if SEALED in names else "accuracy", result, options.out))
    return 0 if met and not benchmark.failed else 1
