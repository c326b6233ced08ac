"""What a set shall hold, and how its pairs are drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from forensics.errors import UnreadableInputError, UsageError
from generator.sets.plan import assign_splits, components, draw_pairs
from generator.sets.spec import Encoding, MethodSpec, PersonSpec, SetSpec, read_spec


def person(name: str, *clips: str) -> PersonSpec:
    paths = tuple(Path(clip) for clip in clips or (f"{name}.mp4",))
    return PersonSpec(name=name, clips=paths, consent=Path("c.toml"), licence="CC0")


def spec(**changes: object) -> SetSpec:
    fields: dict[str, object] = {
        "name": "s",
        "clips": 40,
        "people": tuple(person(name) for name in "abcdef"),
        "methods": (MethodSpec(name="landmark"), MethodSpec(name="self-blend", weight=0.5)),
        "splits": (("train", 0.5), ("test", 0.5)),
    }
    return SetSpec(**(fields | changes))  # type: ignore[arg-type]


LENGTHS = {name: [10.0] for name in "abcdef"}


def test_a_plan_is_a_function_of_the_seed() -> None:
    assert draw_pairs(spec(), LENGTHS) == draw_pairs(spec(), LENGTHS)
    assert draw_pairs(spec(), LENGTHS) != draw_pairs(spec(seed=1), LENGTHS)


def test_nobody_occurs_in_two_splits() -> None:
    pairs = draw_pairs(spec(), LENGTHS)
    seen: dict[str, set[str]] = {}
    for pair in pairs:
        seen.setdefault(pair.split, set()).update({pair.target.name, pair.paints})
    assert set(seen) == {"train", "test"}
    assert not seen["train"] & seen["test"]


def test_everybody_is_a_target_as_often() -> None:
    counts = dict.fromkeys("abcdef", 0)
    for pair in draw_pairs(spec(clips=24), LENGTHS):
        counts[pair.target.name] += 1
    assert set(counts.values()) == {2}


def test_people_of_one_checkpoint_or_one_clip_stay_together(tmp_path: Path) -> None:
    joined = MethodSpec(name="autoencoder", model=tmp_path, people=(("a", "a"), ("b", "b")))
    people = (*(person(name) for name in "abcd"), person("e", "d.mp4"))
    wanted = spec(people=people, methods=(joined, MethodSpec(name="self-blend")))
    assert components(wanted) == [("a", "b"), ("c",), ("d", "e")]
    split_of = assign_splits(wanted)
    assert split_of["a"] == split_of["b"]
    assert split_of["d"] == split_of["e"]


def test_a_checkpoint_paints_only_its_two_people(tmp_path: Path) -> None:
    joined = MethodSpec(name="autoencoder", model=tmp_path, people=(("a", "a"), ("b", "b")))
    wanted = spec(methods=(joined, MethodSpec(name="self-blend")))
    swaps = [p for p in draw_pairs(wanted, LENGTHS) if p.method is joined]
    assert swaps
    for pair in swaps:
        assert {pair.target.name, pair.paints} == {"a", "b"}
        assert pair.letter == pair.paints


def test_more_splits_than_groups_are_refused() -> None:
    with pytest.raises(UsageError, match="2 splits need as many groups"):
        assign_splits(spec(people=(person("a"),)))


def test_too_short_footage_is_refused() -> None:
    with pytest.raises(UsageError, match="no clip of 'c' lasts 3 seconds"):
        draw_pairs(spec(), LENGTHS | {"c": [1.0, 2.0]})


def test_partial_swaps_lie_within_the_clip() -> None:
    for pair in draw_pairs(spec(partial=1.0), LENGTHS):
        begin, end = pair.span
        assert 0 <= begin < end <= 3.0
        assert 0.25 * 3 - 0.01 <= end - begin <= 0.6 * 3 + 0.01
    assert {p.span for p in draw_pairs(spec(), LENGTHS)} == {(0.0, 3.0)}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"clips": 3}, "clips must be even"),
        ({"seconds": 0.0}, "seconds must lie"),
        ({"partial": 1.5}, "partial must lie"),
        ({"people": ()}, "people must have different names"),
        ({"methods": ()}, "no method"),
        ({"occluders": ("tree",)}, "no occluder 'tree'"),
        ({"encodings": (Encoding(codec="mpeg9"),)}, "cannot encode mpeg9"),
        ({"encodings": (Encoding(height=7),)}, "height must lie"),
        ({"methods": (MethodSpec(name="autoencoder"),)}, "give model"),
        ({"methods": (MethodSpec(name="landmark", weight=0),)}, "weight must be above 0"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        replace(spec(), **changes)


TOML = """
name = "toy"
clips = 4
splits = {train = 0.5, test = 0.5}
encodings = [{codec = "h264", crf = 30}]
methods = {landmark = 2.0, self-blend = {weight = 1.0}}
[people.a]
clips = ["a.mp4"]
consent = "c.toml"
licence = "CC0"
[people.b]
clips = ["b.mp4"]
consent = "c.toml"
licence = "CC0"
"""


def test_a_specification_is_read(tmp_path: Path) -> None:
    path = tmp_path / "toy.toml"
    path.write_text(TOML)
    read = read_spec(path)
    assert [m.weight for m in read.methods] == [2.0, 1.0]
    assert read.people[0].clips == (tmp_path / "a.mp4",)
    assert read.encodings == (Encoding(codec="h264", crf=30),)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("clips = 4", ""), "clips"),
        (("clips = 4", "clips = 4\nfoo = 1"), "foo"),
        (('consent = "c.toml"', ""), "lacks 'consent'"),
        (('licence = "CC0"', 'licence = "CC0"\nage = 3'), "age"),
        (('codec = "h264"', 'colour = "red"'), "colour"),
    ],
)
def test_a_wrong_field_is_named(change: tuple[str, str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "toy.toml"
    path.write_text(TOML.replace(*change))
    with pytest.raises(UsageError, match=says):
        read_spec(path)


def test_what_is_no_toml_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "toy.toml"
    path.write_bytes(b"\xff\xfe nonsense")
    with pytest.raises(UnreadableInputError, match="not a TOML"):
        read_spec(path)
    path.write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(UnreadableInputError, match="longer than"):
        read_spec(path)
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        read_spec(tmp_path / "gone.toml")


def test_the_example_can_be_read() -> None:
    example = Path(__file__).parents[2] / "examples" / "set.toml"
    assert draw_pairs(read_spec(example), {"anna": [9.0], "ben": [9.0]})
