"""Draw every clip of a set: a pure function of the specification and the clips' lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.errors import UsageError
from forensics.evaluation.components import Components
from generator.methods import get_method
from generator.sets.spec import Encoding, MethodSpec, PersonSpec, SetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One real clip of the set and the fake made of the same footage.

    Attributes:
        number: From 0; with the set's seed it decides everything drawn.
        split: Of both clips.
        target: Whose clip it is.
        clip: Position in that person's clips.
        start: Seconds into it.
        method: How the fake is made.
        paints: Person whose face the fake shows; the target where the method keeps it.
        letter: Decoder that paints, for methods with a checkpoint.
        span: Seconds of the segment in which the face is replaced.
        occluder: Shape in front of the face in both clips, or None.
        encoding: Of both clips.
    """

    number: int
    split: str
    target: PersonSpec
    clip: int
    start: float
    method: MethodSpec
    paints: str
    letter: str | None
    span: tuple[float, float]
    occluder: str | None
    encoding: Encoding

    @property
    def stem(self) -> str:
        """Beginning of both file names."""
        return f"{self.number:05d}"


def components(spec: SetSpec) -> list[tuple[str, ...]]:
    """Return the people that a checkpoint joins, as sorted tuples: they must share a split."""
    joined: Components[str] = Components()
    for method in spec.methods:
        joined.join(name for _, name in method.people)
    # Two names with one clip are one person as far as leakage goes.
    owner: dict[str, str] = {}
    for person in spec.people:
        for clip in person.clips:
            joined.join((owner.setdefault(str(clip), person.name), person.name))
    groups: dict[str, list[str]] = {}
    for person in spec.people:
        groups.setdefault(joined.root(person.name), []).append(person.name)
    return sorted(tuple(sorted(group)) for group in groups.values())


def assign_splits(spec: SetSpec) -> dict[str, str]:
    """Give every person a split; people of one component share it.

    Raises:
        UsageError: There are fewer components than splits.
    """
    groups = components(spec)
    if len(groups) < len(spec.splits):
        raise UsageError(
            f"set {spec.name!r}: {len(spec.splits)} splits need as many groups of people that no "
            f"checkpoint joins, there are {len(groups)}"
        )
    rng = np.random.default_rng((spec.seed, 1))
    order = [groups[i] for i in rng.permutation(len(groups))]
    order.sort(key=len, reverse=True)
    total = sum(share for _, share in spec.splits)
    wanted = {name: share / total * len(spec.people) for name, share in spec.splits}
    held = dict.fromkeys(wanted, 0)
    split_of: dict[str, str] = {}
    for index, group in enumerate(order):
        empty = [name for name, n in held.items() if n == 0]
        # The last groups go where nothing is yet; the others where most is missing.
        open_to = empty if len(order) - index <= len(empty) else list(wanted)
        split = max(open_to, key=lambda name: wanted[name] - held[name])
        held[split] += len(group)
        split_of.update(dict.fromkeys(group, split))
    return split_of


def draw_pairs(spec: SetSpec, lengths: Mapping[str, Sequence[float]]) -> list[Pair]:
    """Draw the pairs of a set.

    Args:
        spec: What is wanted.
        lengths: Seconds of each person's clips, in order.

    Raises:
        UsageError: A person has no clip that is long enough, or no method fits anybody.
    """
    split_of = assign_splits(spec)
    for person in spec.people:
        if max(lengths[person.name]) < spec.seconds - 0.05:
            raise UsageError(
                f"set {spec.name!r}: no clip of {person.name!r} lasts {spec.seconds:g} seconds"
            )
    return [_draw(spec, number, lengths, split_of) for number in range(spec.clips // 2)]


def _draw(
    spec: SetSpec, number: int, lengths: Mapping[str, Sequence[float]], split_of: Mapping[str, str]
) -> Pair:
    rng = np.random.default_rng((spec.seed, 2, number))
    people = {person.name: person for person in spec.people}
    target, method, paints, letter = _cast(spec, number, people, split_of, rng)
    fits = [i for i, s in enumerate(lengths[target.name]) if s >= spec.seconds - 0.05]
    clip = fits[int(rng.integers(len(fits)))]
    room = max(lengths[target.name][clip] - spec.seconds, 0.0)
    span = (0.0, spec.seconds)
    if rng.random() < spec.partial:
        length = spec.seconds * rng.uniform(0.25, 0.6)
        begin = rng.uniform(0.0, spec.seconds - length)
        span = (round(float(begin), 3), round(float(begin + length), 3))
    occluder = None
    if spec.occluders and rng.random() < spec.occluded:
        occluder = spec.occluders[int(rng.integers(len(spec.occluders)))]
    return Pair(
        number=number,
        split=split_of[target.name],
        target=target,
        clip=clip,
        start=round(float(rng.uniform(0.0, room)), 3),
        method=method,
        paints=paints,
        letter=letter,
        span=span,
        occluder=occluder,
        encoding=spec.encodings[int(rng.integers(len(spec.encodings)))],
    )


def _cast(
    spec: SetSpec,
    number: int,
    people: Mapping[str, PersonSpec],
    split_of: Mapping[str, str],
    rng: np.random.Generator,
) -> tuple[PersonSpec, MethodSpec, str, str | None]:
    """Choose target, method and face: everybody in turn, then a method that fits."""
    turn = np.random.default_rng((spec.seed, 3)).permutation(len(spec.people))
    for step in range(len(turn)):
        target = spec.people[turn[(number + step) % len(turn)]]
        fits = []
        for method in spec.methods:
            paints, letter = _painted(method, target, people, split_of, rng)
            if paints is not None:
                fits.append((method, paints, letter))
        if fits:
            weights = np.array([method.weight for method, _, _ in fits])
            method, paints, letter = fits[int(rng.choice(len(fits), p=weights / weights.sum()))]
            return target, method, paints, letter
    raise UsageError(f"set {spec.name!r}: no method fits the people of one split")


def _painted(
    method: MethodSpec,
    target: PersonSpec,
    people: Mapping[str, PersonSpec],
    split_of: Mapping[str, str],
    rng: np.random.Generator,
) -> tuple[str | None, str | None]:
    """Choose whom the fake shows and which decoder paints; (None, None) when nothing fits."""
    cls = get_method(method.name)
    if cls.label != "swap":
        letters = [letter for letter, name in method.people if name == target.name]
        if cls.needs_model and not letters:
            return None, None
        return target.name, letters[0] if letters else None
    if cls.needs_model:
        # A network reads only the two faces that it was trained on.
        names = dict(method.people)
        if target.name not in names.values():
            return None, None
        others = [(letter, name) for letter, name in names.items() if name != target.name]
    else:
        others = [
            ("", name)
            for name in sorted(people)
            if name != target.name and split_of[name] == split_of[target.name]
        ]
    if not others:
        return None, None
    letter, name = others[int(rng.integers(len(others)))]
    return name, letter or None
