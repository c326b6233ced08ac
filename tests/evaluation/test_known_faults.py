"""Faults of the field's evaluators: each case gives the faulty way a wrong number, ours the right.

The numbering D1 to D8 is that of docs/benchmarks.md.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensics.detectors import _onnx
from forensics.errors import ModelMissingError
from forensics.evaluation.bootstrap import auc_interval
from forensics.evaluation.lint.leaks import leaks_in_rows
from forensics.evaluation.manifest import read_manifest
from forensics.evaluation.metrics import roc_auc
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
    # Twenty checkpoints that know nothing, 40 real and 40 fake clips a split.
    rng = np.random.default_rng(1)
    fake = np.repeat([False, True], 40)
    test, validate = rng.normal(size=(20, 80)), rng.normal(size=(20, 80))
    faulty = max(auc(scores, fake) for scores in test)
    chosen = int(np.argmax([auc(scores, fake) for scores in validate]))
    assert faulty > 0.58
    low, high = auc_interval(test[chosen], fake, [str(i) for i in range(80)]).bounds or (1, 0)
    assert low < 0.5 < high


def test_d1_training_never_sees_the_test_people(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from forensics.training import train

    opened = [
        word
        for word in ("train", "validate", "calibrate", "test")
        if f'["{word}"]' in inspect.getsource(train)
    ]
    assert opened == ["train", "validate"]


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
    # Ten clips of 100 pictures that say the same thing over and over.
    rng = np.random.default_rng(4)
    fake = np.repeat([False, True], 5)
    clip_scores = rng.normal(size=10) + 0.8 * fake
    scores = (clip_scores[:, None] + rng.normal(0, 0.05, (10, 100))).ravel()
    labels = np.repeat(fake, 100)
    as_frames = auc_interval(scores, labels, [str(i) for i in range(1000)]).bounds
    as_clips = auc_interval(scores, labels, [str(i // 100) for i in range(1000)]).bounds
    assert as_frames is not None and as_clips is not None
    assert as_clips[1] - as_clips[0] > 4 * (as_frames[1] - as_frames[0])


def test_d7_paths_are_joined_as_this_system_joins_them(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "c.png").write_bytes(b"x")
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"path": "a/b/c.png", "label": "real"}))
    if "\\" not in str(Path("a/b")):
        assert not Path(str(tmp_path) + "\\" + "a\\b\\c.png").exists()
    assert read_manifest(path).rows[0].resolved.exists()


def test_d8_weights_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # The fault loads whatever fits and leaves the rest at random; ours pins every byte.
    card = _onnx.read_card("blend") | {"sha256": "0" * 64}
    monkeypatch.setattr(_onnx, "read_card", lambda name: card)
    _onnx.open_session.cache_clear()
    with pytest.raises(ModelMissingError, match="bytes differ from the card"):
        _onnx.open_session("blend")
