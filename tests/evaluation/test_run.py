from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.errors import OutputError, OverLimitError, UnreadableInputError, UsageError
from forensics.evaluation import ScoredInput, evaluate, read_manifest
from forensics.evaluation.images import read_crop
from forensics.evaluation.metrics import roc_auc
from forensics.evaluation.scores_file import partial_path
from forensics.evaluation.summary import group_samples
from tests.evaluation.conftest import BrightnessScorer, MakeSet


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_comes_back_as_written_and_in_order(mixed_set: Path, tmp_path: Path) -> None:
    # D3 and D5: no first-N, and nothing that is hard to read vanishes.
    out = tmp_path / "scores.jsonl"
    result = evaluate(mixed_set, BrightnessScorer(), input="crops", scores_out=out, n_boot=50)
    manifest, rows = lines(mixed_set), lines(out)
    assert [row["path"] for row in rows] == [row["path"] for row in manifest]
    assert [row["label"] for row in rows] == [row["label"] for row in manifest]
    assert [row["group"] for row in rows] == [row["group"] for row in manifest]
    dark, text, gone = rows[5], rows[40], rows[41]
    assert dark["abstained"] and dark["reasons"] == ["too_dark"]
    assert dark["score"] == pytest.approx(10 / 255)
    for row in (text, gone):
        assert row["score"] is None and row["abstained"] and row["reasons"] == ["unreadable"]
    assert (text["cause"], gone["cause"]) == ("no picture in a known format", "no such file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "scores.jsonl", "set.jsonl"]
    assert (result["n"], result["n_scored"]) == (42, 40)
    assert result["n_unscored"] == {"real": 1, "fake": 1}
    assert result["n_abstained"] == {"real": 1, "fake": 2}
    assert result["reasons"] == {"too_dark": 1, "unreadable": 2}
    assert result["coverage"] == pytest.approx(39 / 42)


def test_figures_agree_with_the_scores_file(mixed_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    result = evaluate(mixed_set, BrightnessScorer(), input="crops", scores_out=out, n_boot=200)
    rows = [row for row in lines(out) if row["score"] is not None]
    auc = roc_auc([row["score"] for row in rows], [row["label"] == "fake" for row in rows]).value
    frame = result["frame"]
    assert frame["auc"] == pytest.approx(auc)
    assert frame["auc_interval"][0] < frame["auc"] < frame["auc_interval"][1]
    for name in ("eer", "ece", "brier", "cllr", "average_precision", "ece_prior_matched"):
        assert frame[name] is not None and len(frame[f"{name}_interval"]) == 2
    assert 0 <= frame["cllr_min"] <= frame["cllr"]
    assert (frame["n"], frame["n_real"], frame["n_fake"], frame["groups"]) == (40, 20, 20, 20)
    assert frame["tpr_at_fpr"] == {"0.01": None, "0.05": None}
    assert "not supported by n" in frame["unavailable"]["tpr_at_fpr.0.05"]
    # Declining is reported beside the figures and never improves them.
    assert result["accepted"]["frame"]["n"] == 39
    assert result["auc_if_unscored_were_wrong"] < frame["auc"]
    json.dumps(result, allow_nan=False)


def test_pixels_alone_reach_the_scorer(make_set: MakeSet) -> None:
    rows = [
        {"path": f"{i}.png", "label": label, "group": "g", "level": 100}
        for i, label in enumerate(("real", "fake", "fake"))
    ]
    scorer = BrightnessScorer()
    evaluate(make_set(*rows), scorer, input="crops", n_boot=0)
    assert scorer.seen == [(6, 8, 3)] * 3
    clips = BrightnessScorer()
    manifest = read_manifest(make_set(*rows))
    evaluate(manifest, clips, input="clips", n_boot=0)
    assert clips.seen == [(row.resolved,) for row in manifest.rows]


def test_methods_in_folders_of_one_name_stay_apart(make_set: MakeSet) -> None:
    # D2: averaging a strong and a weak method lifts the AUC without a better detector.
    rows = []
    for i in range(10):
        rows += [
            {"path": f"real/{i:03}/1.png", "label": "real", "level": 100 + i},
            {"path": f"DF/{i:03}/1.png", "label": "fake", "level": 250},
            {"path": f"NT/{i:03}/1.png", "label": "fake", "level": 50},
        ]
    result = evaluate(make_set(*rows), BrightnessScorer(), input="crops", n_boot=0)
    assert result["group"]["n_fake"] == 20
    assert result["group"]["auc"] == pytest.approx(0.5)


def test_group_samples_average_label_and_method_apart() -> None:
    def record(label: str, score: float | None, method: str | None = None) -> dict[str, Any]:
        base = {"label": label, "score": score, "probability": None, "llr": score, "group": "g"}
        return base | ({"method": method} if method else {})

    samples = group_samples(
        [
            record("real", 1),
            record("real", 3),
            record("fake", 5),
            record("fake", None),
            record("fake", 6, "DF"),
            record("fake", 8, "DF"),
            record("fake", 0, "NT"),
        ]
    )
    assert samples.score.tolist() == [2, 5, 7, 0]
    assert samples.fake.tolist() == [False, True, True, True]
    assert samples.llr.tolist() == [2, 5, 7, 0]
    assert np.isnan(samples.probability).all()


def test_independent_reals_are_counted_by_group(make_set: MakeSet) -> None:
    # D6: 80 frames of 4 clips do not support a claim at FPR 5 %, 80 clips do.
    rows = [
        {"path": f"{i}.png", "label": "real" if i < 80 else "fake", "level": 100 + i % 50}
        for i in range(100)
    ]
    few = [{**row, "group": f"g{i % 4}"} for i, row in enumerate(rows)]
    frames = evaluate(make_set(*few), BrightnessScorer(), input="crops", n_boot=0)["frame"]
    assert frames["tpr_at_fpr"]["0.05"] is None and frames["real_groups"] == 4
    clips = evaluate(make_set(*rows), BrightnessScorer(), input="crops", n_boot=0)["frame"]
    assert clips["tpr_at_fpr"]["0.05"] is not None and clips["real_groups"] == 80


@pytest.mark.parametrize("damage", [b"", b'{"path": "f/', b"rubbish\n"])
def test_an_interrupted_run_goes_on_to_the_same_result(
    mixed_set: Path, tmp_path: Path, damage: bytes
) -> None:
    whole = tmp_path / "whole.jsonl"
    expected = evaluate(mixed_set, BrightnessScorer(), input="crops", scores_out=whole, n_boot=50)
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        evaluate(mixed_set, BrightnessScorer(stop_after=17), input="crops", scores_out=out)
    assert not out.exists()
    with partial_path(out).open("ab") as file:
        file.write(damage)
    second = BrightnessScorer()
    told: list[tuple[int, int]] = []
    found = evaluate(
        mixed_set,
        second,
        input="crops",
        scores_out=out,
        n_boot=50,
        progress=lambda done, total: told.append((done, total)),
    )
    assert len(second.seen) == 40 - 17
    assert told[0] == (17, 42) and told[-1] == (42, 42)
    assert found == expected
    assert out.read_bytes() == whole.read_bytes()
    assert not partial_path(out).exists()


@pytest.mark.parametrize("change", ["scorer", "manifest", "split"])
def test_rows_of_another_run_are_not_reused(make_set: MakeSet, tmp_path: Path, change: str) -> None:
    rows = [{"path": f"{i}.png", "label": "real", "split": "s", "level": 100} for i in range(4)]
    out = tmp_path / "out.jsonl"
    path = make_set(*rows)
    with pytest.raises(KeyboardInterrupt):
        evaluate(path, BrightnessScorer(stop_after=2), input="crops", scores_out=out)
    if change == "manifest":
        path = make_set(*({**row, "label": "fake"} for row in rows))
    scorer = BrightnessScorer(version="2" if change == "scorer" else "1")
    manifest = read_manifest(path, split="s" if change == "split" else None)
    evaluate(manifest, scorer, input="crops", scores_out=out, n_boot=0)
    assert len(scorer.seen) == 4
    assert len(lines(out)) == 4


def test_clips_that_cannot_be_scored_are_kept_with_a_reason(tmp_path: Path) -> None:
    for name in ("slow.mp4", "noface.mp4", "nan.mp4", "a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"x" * 7)
    manifest = tmp_path / "set.jsonl"
    names = ("slow.mp4", "noface.mp4", "nan.mp4", "gone.mp4", "a.mp4", "b.mp4")
    manifest.write_text(
        "".join(
            json.dumps({"path": name, "label": "fake" if name > "b" else "real"}) + "\n"
            for name in names
        )
    )
    out = tmp_path / "out.jsonl"
    result = evaluate(manifest, BrightnessScorer(), scores_out=out, n_boot=20)
    slow, noface, nan, gone, *scored = lines(out)
    assert slow["reasons"] == ["unreadable", "timeout"]
    assert noface["reasons"] == ["no_face"]
    assert nan["reasons"] == ["score_not_finite"] and nan["score"] is None
    assert gone["reasons"] == ["unreadable"]
    assert [row["score"] for row in scored] == [0.7, 0.7]
    assert result["coverage"] == pytest.approx(2 / 6)
    assert result["frame"]["unavailable"]["ece"] == "no_probability"
    assert result["frame"]["unavailable"]["cllr"] == "no_llr"


def test_one_class_and_nothing_scored_give_reasons(make_set: MakeSet) -> None:
    one = evaluate(
        make_set({"path": "a.png", "label": "real", "level": 9}), BrightnessScorer(), input="crops"
    )
    assert one["frame"]["auc"] is None
    assert one["frame"]["unavailable"]["auc"] == "no_fake_samples"
    none = evaluate(
        make_set({"path": "gone.png", "label": "real"}), BrightnessScorer(), input="crops"
    )
    assert none["coverage"] == 0.0
    assert none["group"]["unavailable"]["auc"] == "no_samples"
    json.dumps([one, none], allow_nan=False)


def test_an_unexpected_error_is_not_hidden(make_set: MakeSet) -> None:
    class Broken(BrightnessScorer):
        def score_crop(self, image: Any) -> ScoredInput:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        evaluate(make_set({"path": "a.png", "label": "real", "level": 9}), Broken(), input="crops")


def test_inputs_are_never_overwritten(make_set: MakeSet, tmp_path: Path) -> None:
    path = make_set({"path": "a.png", "label": "real", "level": 9})
    for target in (path, tmp_path / "a.png"):
        before = target.read_bytes()
        with pytest.raises(UsageError, match="this is an input"):
            evaluate(path, BrightnessScorer(), input="crops", scores_out=target)
        assert target.read_bytes() == before
    with pytest.raises(OutputError, match="cannot be written"):
        evaluate(path, BrightnessScorer(), input="crops", scores_out=tmp_path / "no/out.jsonl")
    with pytest.raises(UsageError, match="clips, crops"):
        evaluate(path, BrightnessScorer(), input="frames")  # type: ignore[arg-type]


def test_read_crop_caps_and_refusals(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 16_000, 16_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header
    huge = tmp_path / "huge.png"
    huge.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk
        + struct.pack(">I", zlib.crc32(chunk[4:]))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )
    with pytest.raises(OverLimitError):
        read_crop(huge)
    ok = tmp_path / "ok.jpg"
    Image.effect_noise((64, 64), 50).save(ok)
    assert read_crop(ok).shape == (64, 64, 3)
    with pytest.raises(OverLimitError, match="bytes"):
        read_crop(ok, max_bytes=10)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(ok.read_bytes()[:400])
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    for path in (cut, empty, tmp_path):
        with pytest.raises(UnreadableInputError) as caught:
            read_crop(path)
        assert "\n" not in caught.value.cause and caught.value.cause


def test_read_crop_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    data = io.BytesIO()
    Image.new("L", (10, 4), 77).save(data, "JPEG", exif=exif)
    path = tmp_path / "turned.jpg"
    path.write_bytes(data.getvalue())
    assert read_crop(path).shape == (10, 4, 3)
