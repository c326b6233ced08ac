"""Known folder layouts, each as a small tree: labels, splits, groups, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import UnreadableInputError, UsageError
from forensics.evaluation import evaluate, read_manifest
from forensics.evaluation.adapters import (
    deepfakebench_tree,
    get_adapter,
    list_adapters,
    manifest_rows,
)
from tests.evaluation.conftest import BrightnessScorer, MakeSet


def tree(root: Path, *names: str, **lists: Any) -> Path:
    """Make empty files, and lists given by their path with ``__`` for the dot."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name, content in lists.items():
        path = root / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def rows(layout: str, folder: Path, by: Any = "people", **options: Any) -> dict[str, Any]:
    """Return manifest rows by path, relative to the set."""
    found = get_adapter(layout).read(folder, options.get("root"))
    base = folder if folder.is_dir() else folder.parent
    return {row["path"]: row for row in manifest_rows(found.entries, base, by)}


@pytest.fixture
def ffpp(tmp_path: Path) -> Path:
    youtube, swap = "original_sequences/youtube", "manipulated_sequences"
    return tree(
        tmp_path / "ff",
        *(f"{youtube}/c23/videos/{i:03}.mp4" for i in range(6)),
        f"{youtube}/c40/videos/000.mp4",
        f"{swap}/Deepfakes/c23/videos/000_001.mp4",
        f"{swap}/Deepfakes/c23/videos/001_000.mp4",
        f"{swap}/Deepfakes/masks/videos/000_001.mp4",
        f"{swap}/FaceSwap/c23/videos/000_001.mp4",
        f"{swap}/FaceSwap/c23/frames/002_003/0001.png",
        f"{swap}/FaceSwap/c23/videos/001_002.mp4",
        f"{swap}/FaceSwap/c23/videos/notes.mp4",
        "original_sequences/actors/c23/videos/01__walk.mp4",
        f"{swap}/DeepFakeDetection/c23/videos/01_02__walk__ABCD1234.mp4",
        train__json=[["000", "001"]], val__json=[["002", "003"]], test__json=[["004", "005"]],
    )  # fmt: skip


def test_faceforensics(ffpp: Path) -> None:
    found = rows("ffpp", ffpp)
    fake = found["manipulated_sequences/Deepfakes/c23/videos/000_001.mp4"]
    assert fake == {
        "path": "manipulated_sequences/Deepfakes/c23/videos/000_001.mp4",
        "label": "fake", "group": fake["group"], "split": "train", "source": "FF++ c23",
        "method": "Deepfakes", "compression": "c23",
        "mask": "manipulated_sequences/Deepfakes/masks/videos/000_001.mp4",
    }  # fmt: skip
    assert found["original_sequences/youtube/c23/videos/005.mp4"]["split"] == "test"
    assert found["manipulated_sequences/FaceSwap/c23/frames/002_003/0001.png"]["split"] == "val"
    # A pair over two splits belongs to neither, and joins their groups.
    torn = found["manipulated_sequences/FaceSwap/c23/videos/001_002.mp4"]
    assert "split" not in torn
    together = {
        found[f"original_sequences/youtube/c23/videos/{i:03}.mp4"]["group"] for i in range(4)
    }
    assert together == {torn["group"]}
    assert found["original_sequences/youtube/c40/videos/000.mp4"]["group"] == torn["group"]
    assert found["original_sequences/youtube/c23/videos/004.mp4"]["group"] != torn["group"]
    assert not any("DeepFakeDetection" in path or "notes" in path for path in found)


def test_faceforensics_without_lists_warns(ffpp: Path) -> None:
    (ffpp / "val.json").unlink()
    found = get_adapter("ffpp").read(ffpp, None)
    assert found.warnings == ("no val.json: those clips have no split",)
    (ffpp / "val.json").write_text('[["000", "002"]]')
    with pytest.raises(UnreadableInputError, match="clip 000 is in val and in train"):
        get_adapter("ffpp").read(ffpp, None)


def test_dfd(ffpp: Path) -> None:
    found = rows("dfd", ffpp)
    assert {row["label"] for row in found.values()} == {"real", "fake"}
    assert len({row["group"] for row in found.values()}) == 1
    fake = next(row for row in found.values() if row["label"] == "fake")
    assert fake["identity"] == ["dfd:01", "dfd:02"]


def test_celeb_df_v2(tmp_path: Path) -> None:
    folder = tree(
        tmp_path,
        "Celeb-real/id0_0000.mp4", "Celeb-real/id0_0001.mp4", "Celeb-real/id1_0000.mp4",
        "Celeb-synthesis/id0_id1_0000.mp4", "Celeb-synthesis/id0_id1_0001.mp4",
        "YouTube-real/00170.mp4", "YouTube-real/00171.mp4",
        List_of_testing_videos__txt=(
            "1 YouTube-real/00170.mp4\n0 Celeb-synthesis/id0_id1_0000.mp4\n"
            "1 Celeb-real/id9_0000.mp4\n"
        ),
    )  # fmt: skip
    found = rows("celeb-df", folder)
    assert found["YouTube-real/00170.mp4"]["split"] == "test"
    assert found["YouTube-real/00171.mp4"]["split"] == "train"
    assert found["Celeb-synthesis/id0_id1_0000.mp4"]["identity"] == ["celeb:id0", "celeb:id1"]
    # By people id0 and id1 hang together; by footage a fake only with its own original.
    assert len({row["group"] for path, row in found.items() if "id" in path}) == 1
    fine = rows("celeb-df", folder, "footage")
    assert (
        fine["Celeb-synthesis/id0_id1_0000.mp4"]["group"]
        == fine["Celeb-real/id0_0000.mp4"]["group"]
        != fine["Celeb-real/id0_0001.mp4"]["group"]
    )
    assert get_adapter("celeb-df").read(folder, None).warnings == (
        "1 clips of List_of_testing_videos.txt are not in the folder",
    )


def test_celeb_df_list_that_contradicts_the_folders(tmp_path: Path) -> None:
    folder = tree(
        tmp_path, "Celeb-real/id0_0000.mp4",
        List_of_testing_videos__txt="0 Celeb-real/id0_0000.mp4\n",
    )  # fmt: skip
    with pytest.raises(UnreadableInputError, match="listed as fake"):
        get_adapter("celeb-df").read(folder, None)
    (folder / "List_of_testing_videos.txt").write_text("yes Celeb-real/id0_0000.mp4\n")
    with pytest.raises(UnreadableInputError, match="line 1: expected"):
        get_adapter("celeb-df").read(folder, None)


def test_dfdc(tmp_path: Path) -> None:
    part = {
        "a.mp4": {"label": "REAL", "split": "train", "original": None},
        "b.mp4": {"label": "FAKE", "split": "train", "original": "a.mp4"},
        "c.mp4": {"label": "REAL", "split": "train", "original": None},
    }
    folder = tree(
        tmp_path, "dfdc_train_part_0/a.mp4", "dfdc_train_part_0/b.mp4", "test/videos/t.mp4",
        **{"dfdc_train_part_0/metadata__json": part,
           "test/labels__csv": "filename,label,original\nt.mp4,1,\nu.mp4,0,\n"},
    )  # fmt: skip
    found = rows("dfdc", folder)
    a, b, c = (found[f"dfdc_train_part_0/{name}.mp4"] for name in "abc")
    assert a["group"] == b["group"] != c["group"]
    assert (a["label"], b["label"], b["method"]) == ("real", "fake", "DFDC")
    assert found["test/videos/t.mp4"]["split"] == "test"
    # A listed clip that is nowhere stays a row: a missing file is for lint-set to name.
    assert found["test/u.mp4"]["label"] == "real"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[1]", "not an object"),
        ('{"a.mp4": {"label": "MAYBE"}}', "label must be REAL or FAKE"),
        ('{"../../etc/passwd": {"label": "REAL"}}', "not a file name"),
        ("{" * 200_000, "not JSON|nested too deeply"),
        ('{"a": ' * 100_000, "not JSON|nested too deeply"),
        ("\0\1", "not JSON"),
    ],
)
def test_a_broken_list_is_one_clear_line(tmp_path: Path, content: str, says: str) -> None:
    tree(tmp_path, **{"part/metadata__json": content})
    with pytest.raises(UnreadableInputError, match=says):
        get_adapter("dfdc").read(tmp_path, None)


def test_dfdc_preview(tmp_path: Path) -> None:
    table = {
        "original_videos/11/11_A.mp4": {"label": "real", "set": "train", "target_id": 11},
        "method_A/11/22_11/11_A_x.mp4": {
            "label": "fake", "set": "train", "target_id": 11, "swapped_id": 22,
        },
        "original_videos/33/33_A.mp4": {"label": "real", "set": "test", "target_id": 33},
    }  # fmt: skip
    found = rows("dfdc-preview", tree(tmp_path, dataset__json=table))
    groups = [row["group"] for row in found.values()]
    assert len(found) == 3 and len(set(groups)) == 2
    fake = next(row for row in found.values() if row["label"] == "fake")
    assert fake["method"] == "method_A" and "dfdcp:22" in fake["identity"]
    assert fake["group"] == found["original_videos/11/11_A.mp4"]["group"]


def test_df40(tmp_path: Path) -> None:
    folder = tree(
        tmp_path, "fsgan/ff/frames/000_003/001.png", "fsgan/cdf/id0_id1_0000/001.png",
        "sd2.1/ff/0001.png", train__json=[["000", "003"]], val__json=[], test__json=[],
    )  # fmt: skip
    found = rows("df40", folder)
    assert found["fsgan/ff/frames/000_003/001.png"]["split"] == "train"
    assert found["fsgan/cdf/id0_id1_0000/001.png"]["split"] == "test"
    assert {row["method"] for row in found.values()} == {"fsgan", "sd2.1"}
    assert any("fakes only" in line for line in get_adapter("df40").read(folder, None).warnings)


def test_ffiw(tmp_path: Path) -> None:
    found = rows(
        "ffiw",
        tree(
            tmp_path, "FFIW10K/source/train/a.mp4", "FFIW10K/target/train/a.mp4",
            "FFIW10K/target_mask/train/a.mp4", "FFIW10K/source/val/a.mp4",
        ),
    )  # fmt: skip
    fake = found["FFIW10K/target/train/a.mp4"]
    assert fake["mask"] == "FFIW10K/target_mask/train/a.mp4"
    assert fake["group"] == found["FFIW10K/source/train/a.mp4"]["group"]
    # The same name in another split is another clip.
    assert fake["group"] != found["FFIW10K/source/val/a.mp4"]["group"]


def bench(split: str = "train", **clips: Any) -> dict[str, Any]:
    return {"FaceForensics++": {"FF-DF": {split: {"c23": clips}}}}


def test_deepfakebench_in_and_out(tmp_path: Path) -> None:
    clip = {"label": "FF-DF", "frames": ["ff\\000_003\\2.png", "ff\\000_003\\1.png"], "masks": []}
    content = bench(**{"000_003": clip})
    content["FaceForensics++"]["FF-real"] = {
        "train": {"c23": {"000": {"label": "FF-real", "frames": ["ff/000/1.png"]}}}
    }
    folder = tree(tmp_path, set__json=content)
    found = rows("deepfakebench", folder / "set.json")
    assert list(found) == ["ff/000_003/1.png", "ff/000_003/2.png", "ff/000/1.png"]
    assert {row["label"] for row in found.values()} == {"real", "fake"}
    assert len({row["group"] for row in found.values()}) == 1
    elsewhere = get_adapter("deepfakebench").read(folder / "set.json", Path("/data")).entries
    assert elsewhere[0].path == Path("/data/ff/000_003/1.png")


def test_a_clip_in_all_splits_has_none(tmp_path: Path) -> None:
    clip = {"frames": ["a/1.png"]}
    content = {"DFD": {"DFD_real": {split: {"a": clip} for split in ("train", "test")}}}
    found = get_adapter("deepfakebench").read(tree(tmp_path, d__json=content) / "d.json", None)
    assert len(found.entries) == 1 and found.entries[0].split is None
    assert "several splits" in found.warnings[0]


def test_clips_of_one_name_are_never_joined(tmp_path: Path) -> None:
    # Fault D2: four methods, one clip name.
    labels = {
        name: {"test": {"c23": {"000_003": {"frames": [f"{name}/1.png"]}}}}
        for name in ("FF-DF", "FF-F2F", "FF-FS", "FF-NT")
    }
    found = rows("deepfakebench", tree(tmp_path, d__json={"FF": labels}) / "d.json")
    assert {row["method"] for row in found.values()} == set(labels)


def test_a_set_or_method_that_is_called_real_stays_fake(tmp_path: Path) -> None:
    clip = {"1": {"frames": ["1.png"]}}
    content = {"real-world": {"real-world_swap": {"test": clip}, "real-world_real": {"test": clip}}}
    found = get_adapter("deepfakebench").read(tree(tmp_path, d__json=content) / "d.json", None)
    assert [entry.label for entry in found.entries] == ["fake", "real"]
    odd = replace(found.entries[0], method="sur_real")
    (label,) = deepfakebench_tree("s", [odd], ["1.png"], [None])["s"]
    assert label == "s_sur_real_fake"


@pytest.mark.parametrize("layout", [a.name for a in list_adapters() if a.name != "jsonl"])
def test_a_folder_of_another_layout_is_named(layout: str, tmp_path: Path) -> None:
    tree(tmp_path, "holiday.jpg")
    with pytest.raises(UnreadableInputError, match=str(tmp_path)):
        get_adapter(layout).read(tmp_path, None)


def test_an_unknown_layout_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no adapter 'ff'; there are ffpp"):
        get_adapter("ff")


def test_rows_can_be_evaluated_at_once(make_set: MakeSet, tmp_path: Path) -> None:
    # Real pictures in the layout of FF++ frames.
    make_set(
        {"path": "original_sequences/youtube/c23/frames/000/1.png", "level": 90},
        {"path": "original_sequences/youtube/c23/frames/002/1.png", "level": 100},
        {"path": "manipulated_sequences/Deepfakes/c23/frames/000_001/1.png", "level": 200},
        {"path": "manipulated_sequences/Deepfakes/c23/frames/002_003/1.png", "level": 210},
    )
    entries = get_adapter("ffpp").read(tmp_path, None).entries
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in manifest_rows(entries, tmp_path)))
    result = evaluate(path, BrightnessScorer(), input="crops", n_boot=20)
    assert result["frame"]["auc"] == 1.0 and result["groups"] == 2
    assert len(read_manifest(path)) == 4
