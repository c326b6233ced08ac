"""Faults of the field's evaluators: each case gives the faulty way a wrong number, ours the right.

The numbering D1 to D8 is that of docs/benchmarks.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from forensics.detectors import _onnx, _tabular
from forensics.detectors._tabular import Tabular
from forensics.errors import ModelMissingError, UsageError
from forensics.evaluation.bootstrap import auc_interval
from forensics.evaluation.lint.leaks import leaks_in_rows
from forensics.evaluation.manifest import read_manifest
from forensics.evaluation.metrics import expected_calibration_error, roc_auc
from forensics.evaluation.summary import group_samples, worst_case_auc
from forensics.media import SamplingPlan
from forensics.types import TrackResult
from forensics.verdict.calibration import Likelihood
from forensics.verdict.decide import OperatingPoint, combine_tracks, decide


def auc(scores: Sequence[float], fake: Sequence[bool]) -> float:
    value = roc_auc(np.array(scores), np.array(fake)).value
    assert value is not None
    return value


def test_d1_choosing_a_checkpoint_on_the_test_set_flatters() -> None:
    # Sixty studies, each of twenty checkpoints that know nothing: the true AUC of all is .5.
    rng = np.random.default_rng(1)
    fake = np.repeat([False, True], 40)
    faulty, ours = [], []
    for _ in range(60):
        test, validate = rng.normal(size=(20, 80)), rng.normal(size=(20, 80))
        faulty.append(max(auc(scores, fake) for scores in test))
        chosen = int(np.argmax([auc(scores, fake) for scores in validate]))
        ours.append(auc(test[chosen], fake))
    assert min(faulty) > 0.5 and float(np.mean(faulty)) > 0.6
    assert abs(float(np.mean(ours)) - 0.5) < 3 * 0.065 / 60**0.5  # .065: of one AUC, n = 40 + 40


def test_d1_whoever_chooses_is_not_handed_the_test_split(tmp_path: Path) -> None:
    from benchmarks.accuracy.sets import open_set

    path = tmp_path / "set.jsonl"
    splits = ("look", "look", "once", "once")
    path.write_text("".join(
        json.dumps({"path": f"{i}.png", "label": "fake" if i % 2 else "real", "split": split})
        + "\n" for i, split in enumerate(splits)
    ))  # fmt: skip
    assert len(open_set(path, split="look")) == 2
    for asked in ("once", None):  # the rest of the file brings the sealed rows with it
        with pytest.raises(UsageError, match="sealed"):
            open_set(path, split=asked)


def test_d2_manipulations_in_folders_of_one_name_are_not_averaged() -> None:
    # One source clip, four methods, one folder name: 0.1 0.9 0.9 0.9 averages to a sure fake.
    rows = []
    for clip in range(20):
        for method in ("DF", "F2F", "FS", "NT"):
            score = 0.4 if method == "NT" else 0.9
            rows.append({"group": f"{clip:03}", "label": "fake", "method": method, "score": score})
        rows.append({"group": f"{clip:03}", "label": "real", "method": None, "score": 0.5})
    merged: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        merged.setdefault((row["group"], row["label"]), []).append(row["score"])  # type: ignore[arg-type, index]
    faulty = auc([float(np.mean(v)) for v in merged.values()], [k[1] == "fake" for k in merged])
    assert faulty == 1.0
    samples = group_samples(rows)  # type: ignore[arg-type]
    assert auc(list(samples.score), list(samples.fake)) == pytest.approx(0.75)


def test_d3_pictures_are_spread_over_the_whole_clip() -> None:
    # A clip of 32 pictures, manipulated in its last quarter; 8 are looked at.
    total, wanted, begin = 32, 8, 24.0
    step = wanted // wanted  # the fault: the total is overwritten before the step is taken
    assert not any(i >= begin for i in range(0, wanted * step, step))
    times = SamplingPlan(frames=wanted).target_times(float(total))
    assert len(times) == wanted
    assert sum(t >= begin for t in times) == wanted // 4


def test_d4_a_clip_in_several_splits_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    rows = [
        {"path": f"{i}.mp4", "label": "real", "group": f"g{i % 4}", "split": split}
        for i, split in enumerate(("train", "train", "test", "test", "test", "test"))
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    # g0 and g1 occur on both sides; a reader that only filters by split says nothing.
    assert read_manifest(path, split="test").shared_groups == 2
    # And the check of sets refuses it, naming every row of the two groups.
    found = [f for f in leaks_in_rows(read_manifest(path).rows) if f.code == "group_shared"]
    assert [f.severity for f in found] == ["refused"] * 2
    assert [f.lines for f in found] == [(1, 5), (2, 6)]


def test_d4_what_a_leak_is_worth_and_that_the_named_rows_are_it(tmp_path: Path) -> None:
    # Two pictures a clip, labels that the picture does not tell: an honest AUC is .5. A detector
    # that remembers answers what the nearest training picture was.
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    seen: dict[str, Any] = {}
    for clip in range(200):
        face, label = rng.normal(size=8), ("real", "fake")[int(rng.integers(2))]
        # Every second clip has a picture on each side.
        sides = ("train", "test") if clip % 2 == 0 else (("train", "test")[clip % 4 // 2],) * 2
        for number, split in enumerate(sides):
            path = f"{clip}-{number}.png"
            seen[path] = face + rng.normal(0, 0.01, 8)
            rows.append({"path": path, "label": label, "group": f"g{clip}", "split": split})

    def remembered(rows: list[dict[str, Any]]) -> float:
        train, test = ([r for r in rows if r["split"] == split] for split in ("train", "test"))
        known = np.array([seen[r["path"]] for r in train])
        nearest = [int(np.square(known - seen[r["path"]]).sum(1).argmin()) for r in test]
        scores = [float(train[n]["label"] == "fake") for n in nearest]
        return auc(scores, [r["label"] == "fake" for r in test])

    assert remembered(rows) > 0.7
    manifest = tmp_path / "set.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    named = {n for finding in leaks_in_rows(read_manifest(manifest).rows) for n in finding.lines}
    clips = {row["group"] for n, row in enumerate(rows, 1) if n in named}
    assert {int(clip[1:]) % 2 for clip in clips} == {0}
    kept = [row for n, row in enumerate(rows, 1) if n not in named]
    assert abs(remembered(kept) - 0.5) < 0.1


def test_d5_a_second_face_counts_and_a_clip_without_one_stays_in_n() -> None:
    small_fake, large_real = Likelihood(4.0, 0.5), Likelihood(-3.0, 0.5)
    point = OperatingPoint(suspect=2.0, clear=0.0, prior=0.5)
    largest_only = combine_tracks([large_real]).llr
    assert largest_only < point.clear
    assert combine_tracks([large_real, small_fake]).llr > point.suspect
    tracks = [TrackResult(i, span=(0.0, 1.0)) for i in range(2)]
    assert decide(tracks, [large_real, small_fake], point).label == "suspect"
    assert decide([], [], point).reasons == ("no_face",)

    records: list[dict[str, Any]] = [
        {"label": "real", "score": 0.1}, {"label": "fake", "score": 0.9},
        {"label": "fake", "score": None},
    ]  # fmt: skip
    kept = [r for r in records if r["score"] is not None]
    assert auc([r["score"] for r in kept], [r["label"] == "fake" for r in kept]) == 1.0
    assert worst_case_auc(records) == 0.5


def test_d6_pictures_of_one_clip_are_not_independent() -> None:
    # Thirty studies of 12 clips of 40 pictures that say the same thing over and over. An interval
    # at 95 % should hold the true AUC in about 28 of them.
    rng = np.random.default_rng(4)
    fake = np.repeat([False, True], 6)
    true = NormalDist().cdf(0.8 / 2**0.5)
    held = {"pictures": 0, "clips": 0}
    for _ in range(30):
        clips = rng.normal(size=12) + 0.8 * fake
        scores = (clips[:, None] + rng.normal(0, 0.05, (12, 40))).ravel()
        for name, groups in (("pictures", range(480)), ("clips", (i // 40 for i in range(480)))):
            bounds = auc_interval(scores, np.repeat(fake, 40), [str(g) for g in groups],
                                  n_boot=200).bounds  # fmt: skip
            held[name] += bounds is not None and bounds[0] <= true <= bounds[1]
    assert held["pictures"] < 12
    assert held["clips"] > 24


def test_d6_a_fixed_threshold_of_one_half_hides_what_is_ranked() -> None:
    # Perfectly ranked, all probabilities low: accuracy at .5 says that nothing was learnt.
    p, fake = np.r_[np.full(50, 0.1), np.full(50, 0.3)], np.repeat([False, True], 50)
    assert float(np.mean((p >= 0.5) == fake)) == 0.5
    assert auc(p.tolist(), fake.tolist()) == 1.0
    # That the probabilities are wrong is reported apart.
    assert (expected_calibration_error(p, fake).value or 0.0) > 0.3


def test_d7_paths_are_joined_as_this_system_joins_them(tmp_path: Path) -> None:
    rows = []
    for n in range(3):
        (tmp_path / "a" / str(n)).mkdir(parents=True)
        (tmp_path / "a" / str(n) / "c.png").write_bytes(b"x")
        rows.append({"path": f"a/{n}/c.png", "label": "real"})
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if "\\" not in str(Path("a/b")):
        faulty = [Path("\\".join((str(tmp_path), *row["path"].split("/")))) for row in rows]
        assert sum(file.exists() for file in faulty) == 0
    assert sum(row.resolved.exists() for row in read_manifest(path).rows) == 3


def test_d8_what_does_not_fit_stays_random_and_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A detector of two features, and a file that holds another network's layers.
    rng = np.random.default_rng(0)
    fake = np.repeat([False, True], 100)
    features = np.c_[rng.normal(size=200), 3 * fake + rng.normal(size=200)]
    ours = {"mean": [0, 0], "scale": [1, 1], "layers": [[[[0.0], [1.0]], [0.0]]]}
    other = {"mean": [0] * 3, "scale": [1] * 3, "layers": [[[[1.0]] * 3, [0.0]]]}

    def load_what_fits(stored: dict[str, Any]) -> Tabular:
        weights = np.array(stored["layers"][0][0])
        if weights.shape != (2, 1):
            weights = np.random.default_rng(2).normal(size=(2, 1))  # silently
        return Tabular(np.zeros(2), np.ones(2), ((weights, np.zeros(1)),))

    assert auc(load_what_fits(ours).logits(features).tolist(), fake.tolist()) > 0.95
    assert auc(load_what_fits(other).logits(features).tolist(), fake.tolist()) < 0.3

    (tmp_path / "weights").mkdir()
    monkeypatch.setattr(_tabular, "files", lambda package: tmp_path)

    def load(stored: dict[str, Any], sha256: str) -> Tabular:
        text = json.dumps({"sha256": sha256, "model": stored})
        (tmp_path / "weights" / "two.json").write_text(text)
        _tabular.load_tabular.cache_clear()
        return _tabular.load_tabular("two")[0]

    pinned = _tabular.digest(ours)
    found = load(ours, pinned).logits(features)
    assert auc(found.tolist(), fake.tolist()) > 0.95
    with pytest.raises(ModelMissingError, match="differ from the card"):
        load(other, pinned)
    _tabular.load_tabular.cache_clear()


def test_d8_weights_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    card = _onnx.read_card("blend") | {"sha256": "0" * 64}
    monkeypatch.setattr(_onnx, "read_card", lambda name: card)
    _onnx.open_session.cache_clear()
    with pytest.raises(ModelMissingError, match="bytes differ from the card"):
        _onnx.open_session("blend")
