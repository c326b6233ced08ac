"""What a set shall hold, as a small TOML file."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from forensics.errors import UnreadableInputError, UsageError, printable
from generator._encoder import CODECS
from generator._occluder_shapes import SHAPES
from generator.methods import get_method

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MAX_BYTES = 1 << 20
_MAX_CLIPS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSpec:
    """One person of the set.

    Attributes:
        name: Code of the person.
        clips: Real clips of that person.
        consent: Consent record.
        licence: Licence of the clips.
        source: Where the clips come from.
    """

    name: str
    clips: tuple[Path, ...]
    consent: Path
    licence: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """One way in which fakes are made.

    Attributes:
        name: A method of the registry.
        weight: How often it is drawn, relative to the others.
        model: Checkpoint folder, for methods that need one.
        people: Whom a checkpoint paints: decoder letter and person, for example
            ``{"a": "anna", "b": "ben"}``.
    """

    name: str
    weight: float = 1.0
    model: Path | None = None
    people: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """One rung of the codec ladder.

    Attributes:
        codec: ``h264``, ``h265``, ``vp9`` or ``av1``.
        crf: Constant rate factor.
        height: Height of the picture in pixels; the clip's own when None. Never enlarged.
    """

    codec: str = "h264"
    crf: int = 23
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSpec:
    """Everything that decides a set.

    Attributes:
        name: Name of the set.
        seed: Of every choice.
        clips: Clips in all; half of them are real.
        seconds: Length of each.
        partial: Share of the fakes that are swapped only in part of their time, 0..1.
        occluded: Share of the real-fake pairs with something in front of the face, 0..1.
        occluders: Names of drawn shapes to choose from.
        splits: Share of the people of each split.
        people: Whose clips are used.
        methods: How fakes are made.
        encodings: The codec ladder; real and fake of a pair share one rung.
    """

    name: str
    seed: int = 0
    clips: int
    seconds: float = 3.0
    partial: float = 0.0
    occluded: float = 0.0
    occluders: tuple[str, ...] = tuple(sorted(SHAPES))
    splits: tuple[tuple[str, float], ...] = (("test", 1.0),)
    people: tuple[PersonSpec, ...]
    methods: tuple[MethodSpec, ...]
    encodings: tuple[Encoding, ...] = (Encoding(),)

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            UsageError: A value is not allowed; the message names it.
        """
        known = {person.name for person in self.people}
        checks = (
            (self.clips >= 2 and self.clips % 2 == 0 and self.clips <= _MAX_CLIPS,
             f"clips must be even, 2 to {_MAX_CLIPS}, got {self.clips}"),
            (0.2 <= self.seconds <= 600, f"seconds must lie in 0.2..600, got {self.seconds}"),
            (0 <= self.partial <= 1, f"partial must lie in 0..1, got {self.partial}"),
            (0 <= self.occluded <= 1, f"occluded must lie in 0..1, got {self.occluded}"),
            (len(known) == len(self.people) > 0, "people must have different names, at least one"),
            (bool(self.methods), "no method is given"),
            (bool(self.encodings), "no encoding is given"),
            (all(share > 0 for _, share in self.splits) and self.splits,
             "splits must have shares above 0"),
        )  # fmt: skip
        for good, message in checks:
            if not good:
                raise UsageError(f"set {self.name!r}: {message}")
        for shape in self.occluders:
            if shape not in SHAPES:
                raise UsageError(
                    f"set {self.name!r}: no occluder {shape!r}; there are: {', '.join(SHAPES)}"
                )
        for method in self.methods:
            self._check_method(method, known)
        for rung in self.encodings:
            if rung.codec not in CODECS or not 0 <= rung.crf <= 63:
                raise UsageError(f"set {self.name!r}: cannot encode {rung.codec} at {rung.crf}")
            if rung.height is not None and not 64 <= rung.height <= 4320:
                raise UsageError(f"set {self.name!r}: height must lie in 64..4320")

    def _check_method(self, method: MethodSpec, known: set[str]) -> None:
        cls = get_method(method.name)
        where = f"set {self.name!r}, method {method.name!r}"
        if not method.weight > 0:
            raise UsageError(f"{where}: weight must be above 0, got {method.weight}")
        if cls.needs_model and (method.model is None or not method.people):
            raise UsageError(f"{where}: give model = FOLDER and people = {{a = NAME, b = NAME}}")
        for letter, person in method.people:
            if letter not in ("a", "b") or person not in known:
                raise UsageError(f"{where}: no person {person!r} for decoder {letter!r}")


def read_spec(path: Path) -> SetSpec:
    """Read a set's TOML file; paths in it are relative to it.

    Raises:
        UnreadableInputError: No TOML, or too large.
        UsageError: A field is missing, unknown or has a value that is not allowed.
    """
    try:
        raw = path.read_bytes()[: _MAX_BYTES + 1]
    except OSError as error:
        raise UnreadableInputError(path, f"cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise UnreadableInputError(path, f"longer than {_MAX_BYTES} bytes, no set specification")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableInputError(path, f"not a TOML set specification ({error})") from error
    base = path.parent
    try:
        people = tuple(_person(name, row, base) for name, row in table.pop("people", {}).items())
        methods = tuple(_method(name, row, base) for name, row in _rows(table.pop("methods", {})))
        encodings = tuple(Encoding(**row) for row in table.pop("encodings", [{}]))
        splits = tuple((str(k), float(v)) for k, v in table.pop("splits", {"test": 1.0}).items())
        if "occluders" in table:
            table["occluders"] = tuple(table["occluders"])
        table.setdefault("name", path.stem)
        return SetSpec(
            people=people, methods=methods, encodings=encodings, splits=splits, **table
        )
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(f"{printable(path)}: {_plain(error)}") from error


def _rows(methods: Any) -> list[tuple[str, dict[str, Any]]]:
    """Methods as a table of names, or names with several rows (one for each checkpoint)."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for name, value in methods.items():
        several = value if isinstance(value, list) else [value]
        rows += [(name, row if isinstance(row, dict) else {"weight": row}) for row in several]
    return rows


def _person(name: str, row: dict[str, Any], base: Path) -> PersonSpec:
    clips = tuple(base / str(clip) for clip in row["clips"])
    rest = {k: str(row[k]) for k in ("licence", "source") if k in row}
    unknown = set(row) - {f.name for f in fields(PersonSpec)}
    if unknown or not clips:
        raise ValueError(f"person {name!r}: unknown {sorted(unknown)}" if unknown else
                         f"person {name!r} has no clips")
    return PersonSpec(name=name, clips=clips, consent=base / str(row["consent"]), **rest)


def _method(name: str, row: dict[str, Any], base: Path) -> MethodSpec:
    row = dict(row)
    model = row.pop("model", None)
    people = tuple(sorted((str(k), str(v)) for k, v in row.pop("people", {}).items()))
    return MethodSpec(
        name=name, model=None if model is None else base / str(model), people=people, **row
    )


def _plain(error: Exception) -> str:
    """Say a constructor's complaint without Python's own words around it."""
    if isinstance(error, KeyError):
        return f"lacks {error.args[0]!r}"
    return str(error).replace("__init__()", "the specification").split(".", 1)[-1].strip()
