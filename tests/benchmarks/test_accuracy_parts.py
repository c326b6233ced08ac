"""Curves, comparisons, subgroups and the log of openings; and the whole benchmark at toy size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy.compare import (
    by_subgroup,
    called_at_own_rate,
    cross_auc,
    false_positives,
    paired,
)
from benchmarks.accuracy.curves import POINTS, curve_block
from benchmarks.accuracy.kept import KeptScorer
from benchmarks.accuracy.openings import open_counted, read_openings
from benchmarks.accuracy.others import plugged
from benchmarks.accuracy.run import main
from benchmarks.accuracy.sets import thinned
from benchmarks.accuracy.subgroups import labelled, typology_angle
from forensics.errors import UsageError
from forensics.evaluation import read_manifest
from forensics.evaluation.scorer import ScoredInput

ROOT = Path(__file__).resolve().parents[2]


def records(n: int, shift: float, *, seed: int = 0, offset: float = 0.0) -> list[dict[str, Any]]:
    """Return n pairs; fakes score ``shift`` higher, everything ``offset``."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(2 * n):
        score = float(rng.normal() + shift * (i % 2) + offset)
        rows.append({
            "path": f"{i}", "label": "fake" if i % 2 else "real", "group": f"g{i // 2}",
            "score": score, "llr": score, "probability": 1 / (1 + np.exp(-score)),
            "abstained": False,
        })  # fmt: skip
    return rows


def test_curves_by_hand() -> None:
    rows = [
        {"path": str(i), "label": label, "group": str(i), "score": p, "probability": p}
        for i, (label, p) in enumerate([("real", 0.1), ("fake", 0.9), ("real", 0.6), ("fake", 0.8)])
    ]
    block = curve_block([*rows, {"label": "fake", "score": None, "group": "x", "path": "x"}])
    assert block is not None
    assert block["roc"] == [[0, 0], [0, 0.5], [0, 1], [0.5, 1], [1, 1]]
    # The row without a score is never kept; the least sure call (0.6, real) is wrong.
    assert block["risk_coverage"] == [[0.2, 0], [0.4, 0], [0.6, 0], [0.8, 0.25]]
    assert [n for _, _, n in block["reliability"]] == [1, 1, 1, 1]
    assert curve_block(rows[:1]) is None


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    block = curve_block(records(3000, 1.0))
    assert block is not None and len(block["roc"]) <= POINTS
    assert block["roc"][0] == [0, 0] and block["roc"][-1] == [1, 1]


def test_paired_comparison_uses_the_rows_that_both_scored() -> None:
    ours, theirs = records(60, 2.0), records(60, 0.0, seed=1)
    theirs[0]["score"] = None
    found = paired(ours, theirs, n_boot=200)
    assert found["n"] == 119
    assert found["difference"] > 0.2 and found["interval"][0] > 0
    same = paired(ours, ours, n_boot=50)
    assert same["difference"] == 0 and same["interval"] == [0, 0]


def test_cross_auc_shows_a_shift_that_the_sets_hide() -> None:
    # Both sets are perfectly ranked; the second scores everything 10 higher.
    one, two = records(40, 8.0), records(40, 8.0, seed=2, offset=10.0)
    found = cross_auc({"one": one, "two": two}, n_boot=50)
    assert found["within"] > 0.99
    assert found["auc"][0][1] > 0.99 and found["auc"][1][0] < 0.2
    assert found["across"] < 0.7
    reals = [row for row in one if row["label"] == "real"]
    found = cross_auc({"reals": reals, "two": two}, n_boot=0)
    assert found["auc"][0][0] is None and found["auc"][0][1] is not None


def test_an_fpr_claim_needs_enough_groups() -> None:
    found = false_positives(records(30, 1.0), called=())
    assert (found["hits"], found["groups"], found["supported"]) == (0, 30, False)
    assert found["interval"][1] > 0.05
    assert false_positives(records(80, 1.0), called=())["supported"]


def test_crops_are_called_at_the_rate_of_their_own_set() -> None:
    # A clip's threshold would call none of these; the set's own point calls 5 % of its reals.
    rows = [
        {"path": f"{i}", "label": "fake" if i >= 100 else "real", "group": f"g{i}",
         "score": (i % 100) / 1000}
        for i in range(200)
    ]  # fmt: skip
    called = called_at_own_rate(rows)
    assert sum(int(path) < 100 for path in called) == 5
    assert len(called) == 10
    rows.append({"path": "dark", "label": "real", "group": "d", "score": None})
    assert called_at_own_rate(rows) == called
    assert called_at_own_rate([r for r in rows if r["label"] == "fake"]) == set()


def test_subgroups_show_where_alarms_fall() -> None:
    rows = records(80, 1.0)
    values = {row["path"]: "dark" if int(row["group"][1:]) % 2 else "light" for row in rows}
    for row in rows:
        if values[row["path"]] == "dark":
            row["score"] += 3
    called = {row["path"] for row in rows if row["score"] >= 2.0}
    found = by_subgroup(rows, values, called, n_boot=200)
    dark, light = found["rows"]
    assert (dark["name"], light["name"]) == ("dark", "light")
    assert dark["fpr"] > light["fpr"] + 0.5
    assert found["gap"] == pytest.approx(dark["fpr"] - light["fpr"])
    assert found["gap_interval"][0] > 0.4
    alone = by_subgroup(rows, dict.fromkeys(values, "all"), called, n_boot=10)
    assert alone["gap"] is None


def test_columns_of_the_manifest_make_subgroups(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(
        json.dumps({"path": f"{i}", "label": "real", "sex": "fm"[i % 2], "age": 20 + i}) + "\n"
        for i in range(30)
    ))  # fmt: skip
    manifest = read_manifest(path)
    assert set(labelled(manifest, "sex").values()) == {"sex f", "sex m"}
    ages = labelled(manifest, "age")
    assert len(set(ages.values())) == 3 and ages["0"].startswith("age up to")
    assert labelled(manifest, "height") == {}


def test_typology_angle_orders_skin() -> None:
    light, dark = (np.full((64, 64, 3), c, np.uint8) for c in ((235, 205, 185), (90, 60, 45)))
    assert typology_angle(light) > 41 and typology_angle(dark) < 10


def test_a_quick_look_keeps_both_labels_and_spreads(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(
        json.dumps({"path": f"{i}", "label": "real" if i % 2 else "fake"}) + "\n"
        for i in range(40)
    ))  # fmt: skip
    manifest = read_manifest(path)
    few = thinned(manifest, 10)
    assert [row.label for row in few.rows].count("real") == len(few) // 2 == 5
    assert int(few.rows[-1].path) > 30
    assert thinned(manifest, None) is manifest and thinned(manifest, 40) is manifest


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    path.write_text('{"path": "a", "label": "real", "split": "once"}\n')
    return path


def test_openings_are_counted_and_need_a_reason(sealed: Path, tmp_path: Path) -> None:
    log = tmp_path / "results" / "openings.jsonl"
    facts: dict[str, Any] = {"split": "once", "weights_sha256": "f00", "log": log}
    with pytest.raises(UsageError, match="say why"):
        open_counted(sealed, why=" ", **facts)
    assert read_openings(log) == []
    manifest, count = open_counted(sealed, why="first figure", **facts)
    assert len(manifest) == 1 and count == 1
    with pytest.raises(UsageError, match="was opened 1 times"):
        open_counted(sealed, why="again", **facts)
    assert len(read_openings(log)) == 1
    assert open_counted(sealed, why="new weights", again=True, **facts)[1] == 2
    assert [entry["why"] for entry in read_openings(log)] == ["first figure", "new weights"]
    log.write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        open_counted(sealed, why="x", again=True, **facts)


def test_a_plugged_scorer_is_named_or_refused(tmp_path: Path) -> None:
    example = ROOT / "examples" / "third_party_scorer.py"
    assert np.isfinite(plugged(f"{example}:Sharpness").logit(np.zeros((50, 50, 3), np.uint8)))
    for wrong in (f"{example}:Gone", f"{tmp_path}/no.py:A", str(example)):
        with pytest.raises(UsageError, match="expected FILE.py:CLASS"):
            plugged(wrong)


class Counting:
    """Scores by brightness, and counts how often it is asked."""

    identity = {"name": "counting"}

    def __init__(self) -> None:
        self.asked = 0

    def score_crop(self, image: np.ndarray) -> ScoredInput:
        self.asked += 1
        return ScoredInput(float(image.mean()), llr=1.0, reasons=("too_dark",))

    def score_clip(self, path: Path) -> ScoredInput:
        self.asked += 1
        return ScoredInput(None, abstained=True)


def test_kept_scores_are_those_that_were_said(tmp_path: Path) -> None:
    crops = [np.full((4, 4, 3), value, np.uint8) for value in (1, 2)]
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"clip")
    scorer = Counting()
    said = [KeptScorer(scorer, tmp_path / "k").score_crop(crop) for crop in (*crops, crops[0])]
    said.append(KeptScorer(scorer, tmp_path / "k").score_clip(clip))
    assert scorer.asked == 3 and said[0] == said[2] != said[1]
    again = KeptScorer(scorer, tmp_path / "k")
    assert [again.score_crop(crops[0]), again.score_crop(crops[1]), again.score_clip(clip)] == [
        said[0], said[1], said[3],
    ]  # fmt: skip
    assert scorer.asked == 3
    clip.write_bytes(b"another")
    again.score_clip(clip)
    other = Counting()
    other.identity = {"name": "other weights"}
    KeptScorer(other, tmp_path / "k").score_crop(crops[0])
    assert (scorer.asked, other.asked) == (4, 1)


def test_the_example_is_about_twenty_lines() -> None:
    assert len((ROOT / "examples" / "third_party_scorer.py").read_text().splitlines()) <= 25


def test_the_whole_benchmark_at_toy_size(
    toy_shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], models: None
) -> None:
    log, out = tmp_path / "openings.jsonl", tmp_path / "out"
    plug = f"{ROOT / 'examples' / 'third_party_scorer.py'}:Sharpness"
    common = ["--shared", str(toy_shared), "--out", str(out), "--replicates", "20"]
    assert main([*common, "--sets", "look,clips", "--plug", plug, "--by", "source"]) in (0, 1)
    (path,) = out.glob("accuracy-*.json")
    text = path.read_text()
    result = json.loads(text)
    assert str(tmp_path) not in text
    rows = {(row["set"], row["scorer"]): row for row in result["results"]}
    others = {"blend alone", "chance", "Sharpness"}
    assert {who for _, who in rows} == {"ours", *others}
    assert ("clips, all", "blend alone") not in rows
    assert rows["DFDC crops, look", "ours"]["curves"]["roc"][-1] == [1, 1]
    assert rows["clips, all", "chance"]["n_scored"] == 4
    assert {row["against"] for row in result["paired"]} == others
    assert result["cross_auc"]["sets"] == ["DFDC crops, look", "clips, all"]
    assert {row["by"] for row in result["subgroups"]} >= {"face width", "source"}
    # What a scan calls suspect is known of clips alone.
    assert {row["set"] for row in result["at_threshold"]} == {"clips, all", "clips, FF++ c40"}
    assert result["openings_of_once"] is None and not log.exists()
    assert "was opened" not in capsys.readouterr().err

    sealed = [*common, "--sets", "once", "--alone", "--log", str(log)]
    assert main(sealed) == 2
    assert "say why" in capsys.readouterr().err
    assert main([*sealed, "--why", "a test"]) in (0, 1)
    assert [entry["rows"] for entry in read_openings(log)] == [4]
    (opened,) = out.glob("once-*.json")
    assert {row["set"] for row in json.loads(opened.read_text())["results"]} == {"DFDC crops, once"}
    assert path.read_text() == text, "the other sets keep their result"
    with pytest.raises(SystemExit):
        main([*common, "--sets", "look,once", "--why", "a test", "--again", "--log", str(log)])
    assert len(read_openings(log)) == 1
