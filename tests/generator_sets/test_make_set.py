"""A set made at toy size: labelled, marked alike, reproducible, going on after a kill."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from forensics.errors import UsageError
from forensics.evaluation.manifest import read_manifest
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.provenance.aigc import read_aigc
from forensics.provenance.watermark import WatermarkReader
from generator.sets import make as module
from generator.sets.item import make_pair
from generator.sets.make import make_set
from generator.sets.spec import Encoding, MethodSpec, PersonSpec, SetSpec

People = tuple[PersonSpec, ...]
Methods = tuple[MethodSpec, ...]

pytestmark = pytest.mark.usefixtures("own_home")


def wanted(people: People, methods: Methods, **changes: Any) -> SetSpec:
    fields: dict[str, Any] = {
        "name": "toy",
        "seed": 5,
        "clips": 4,
        "seconds": 0.7,
        "people": people,
        "methods": methods,
        "encodings": (Encoding(crf=20), Encoding(codec="h265", crf=22)),
        "splits": (("train", 0.5), ("test", 0.5)),
    }
    return SetSpec(**(fields | changes))


def kind(path: Path) -> str | None:
    reader = WatermarkReader()
    for frame in stream_frames(open_clip(path), SamplingPlan(all=True)):
        reader.add(frame.image)
    return reader.result().kind


def test_real_and_fake_are_marked_and_described_alike(
    people: People, methods: Methods, tmp_path: Path
) -> None:
    spec = wanted(people, methods, occluded=1.0, partial=1.0)
    out = tmp_path / "set"
    result = make_set(spec, out, workers=1)
    assert result.clips == 4
    rows = [json.loads(line) for line in result.manifest.read_text().splitlines()]
    for real, fake in zip(rows[::2], rows[1::2], strict=True):
        assert (real["label"], fake["label"]) == ("real", "fake")
        for field in ("group", "split", "codec", "crf", "frames", "occluder"):
            assert real[field] == fake[field]
        assert real["frames_sha256"] != fake["frames_sha256"]
        assert (out / fake["mask"]).exists()
        assert (out / fake["occluder_mask"]).exists()
        assert not read_aigc(out / real["path"])
        assert read_aigc(out / fake["path"])
    assert (kind(out / rows[0]["path"]), kind(out / rows[1]["path"])) == ("control", "synthetic")
    # Only the declared part of a partial swap differs from the footage.
    begin, end = rows[1]["segments"][0]
    sidecar = json.loads((out / "fake" / "00000.sidecar.json").read_text())
    for frame in sidecar["frames"]:
        assert (frame["label"] != "pass-through") == (begin <= frame["pts"] < end)
    read = read_manifest(result.manifest)
    assert {row.split for row in read.rows} <= {"train", "test"}
    bench = json.loads((out / "deepfakebench.json").read_text())["toy"]
    # As its loader walks a set that is not FaceForensics++: label, split, clip.
    parts = [part for splits in bench.values() for part in splits.values()]
    clips = [clip for part in parts for clip in part.values()]
    assert sorted(path for clip in clips for path in clip["frames"]) == sorted(
        row["path"] for row in rows
    )
    assert {clip["label"] for clip in clips} == set(bench)
    from forensics.evaluation.adapters import get_adapter

    entries = get_adapter("deepfakebench").read(out / "deepfakebench.json", None).entries
    assert {e.path: e.label for e in entries} == {out / r["path"]: r["label"] for r in rows}
    assert "| train, fake |" in (out / "CARD.md").read_text()
    assert (out / "contact.png").exists()


def test_croissant_reads_the_rows(people: People, methods: Methods, tmp_path: Path) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    out = tmp_path / "set"
    make_set(wanted(people, methods, clips=2), out, workers=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library's own dependencies
        read = croissant.Dataset(jsonld=str(out / "croissant.json"))
        rows = list(read.records("rows"))
    assert not read.metadata.ctx.issues.errors
    assert [row["rows/label"] for row in rows] == [b"real", b"fake"]


def test_a_killed_run_goes_on_to_the_same_manifest(
    people: People, methods: Methods, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = wanted(people, methods)
    whole = make_set(spec, tmp_path / "whole", workers=1).manifest.read_text()
    made: list[int] = []

    def dying(spec: SetSpec, pair: Any, out: Path) -> Any:
        if made:
            raise KeyboardInterrupt
        made.append(pair.number)
        return make_pair(spec, pair, out)

    monkeypatch.setattr(module, "make_pair", dying)
    with pytest.raises(KeyboardInterrupt):
        make_set(spec, tmp_path / "cut", workers=1)
    monkeypatch.setattr(module, "make_pair", make_pair)
    again: list[tuple[int, int]] = []
    result = make_set(spec, tmp_path / "cut", workers=1, hook=lambda *n: again.append(n))
    assert again[0] == (1, 2)
    assert result.manifest.read_text() == whole


def test_a_folder_holds_one_set(people: People, methods: Methods, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty and holds no set"):
        make_set(wanted(people, methods), tmp_path / "full", workers=1)
    out = tmp_path / "set"
    make_set(wanted(people, methods, clips=2), out, workers=1)
    with pytest.raises(UsageError, match="another specification"):
        make_set(wanted(people, methods, clips=2, seed=6), out, workers=1)


def test_footage_without_a_face_is_left_out_with_the_reason(
    people: People, methods: Methods, tmp_path: Path
) -> None:
    import numpy as np

    from forensics.media import write_video

    empty = tmp_path / "empty.mp4"
    write_video(empty, [np.full((120, 160, 3), 90, np.uint8)] * 15, fps=25)
    nobody = PersonSpec(
        name="nobody", clips=(empty,), consent=people[0].consent, licence="public domain"
    )
    spec = wanted(
        (nobody,), (MethodSpec(name="self-blend"),), clips=2, seconds=0.4, splits=(("test", 1.0),)
    )
    result = make_set(spec, tmp_path / "set", workers=1)
    assert result.clips == 0
    assert "shows no face" in result.left_out[0]
    assert not list((tmp_path / "set" / "real").iterdir())
