from __future__ import annotations

import json
from pathlib import Path

from forensics.training.clips import make_clips
from forensics.training.disturbance import DISTURBANCES


def rows(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


def test_scenes_can_be_filmed_one_after_the_other(cache: Path, tmp_path: Path) -> None:
    """Into one folder; what is there is left alone, and an interrupted run makes the same."""
    how = {"splits": ("validate",), "seed": 0, "people": 1}
    make_clips(cache, tmp_path / "a", scenes=("plain",), **how)  # type: ignore[arg-type]
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").glob("*.mp4")}
    make_clips(cache, tmp_path / "a", scenes=("plain", "hard"), **how)  # type: ignore[arg-type]
    make_clips(cache, tmp_path / "b", scenes=("plain", "hard"), **how)  # type: ignore[arg-type]
    there = {path.name: path.read_bytes() for path in (tmp_path / "a").glob("*.mp4")}
    assert {name: there[name] for name in first} == first
    assert {row["scene"] for row in rows(tmp_path / "a")} == {"plain", "hard"}
    assert len(rows(tmp_path / "a")) == len(there)
    again = {path.name: path.read_bytes() for path in (tmp_path / "b").glob("*.mp4")}
    assert again == there


def test_a_poor_channel_befalls_the_real_clip_and_its_fake_alike(
    cache: Path, tmp_path: Path
) -> None:
    drawn = set()
    for seed in range(4):
        out = tmp_path / str(seed)
        make_clips(cache, out, splits=("validate",), seed=seed, people=1, scenes=("disturbed",))
        made = rows(out)
        assert [row["label"] for row in made] == ["real", "fake"]
        assert len({row["treatment"] for row in made}) == 1
        drawn.add(made[0]["treatment"])
    assert drawn <= DISTURBANCES.keys() and len(drawn) > 1


def test_a_further_take_shows_the_same_people_in_other_clips(cache: Path, tmp_path: Path) -> None:
    for take in (0, 1, 1):  # the second time there is nothing left to film
        make_clips(cache, tmp_path, splits=("validate",), seed=0, people=1, scenes=("plain",),
                   take=take)  # fmt: skip
    made = rows(tmp_path)
    assert len({row["group"] for row in made}) == 1
    assert len({row["path"] for row in made}) == len(made) == 6
    assert len({row["scene_of"] for row in made}) == 2
    files = {(tmp_path / row["path"]).read_bytes() for row in made}
    assert len(files) == len(made)
