"""What file names of the known sets tell about footage and people.

Keys carry the name of the set that the footage comes from, so that FF++ and sets built on it
(DF40, DeepfakeBench) give the same key to the same footage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FFPP = re.compile(r"(\d{3})(?:_(\d{3}))?")
_CELEB = re.compile(r"(id\d+)(?:_(id\d+))?_(\d+)")
_DFD = re.compile(r"(\d\d)(?:_(\d\d))?__(.+?)(?:__([A-Z0-9]{8}))?")


@dataclass(frozen=True, slots=True)
class Origin:
    """Keys of the footage and of the people behind one clip, the shown clip first."""

    footage: tuple[str, ...]
    people: tuple[str, ...] = ()


def ffpp_origin(clip: str) -> Origin | None:
    """Read an FF++ name: ``000`` is an original, ``000_003`` has 000's footage and 003's face."""
    match = _FFPP.fullmatch(clip)
    if match is None:
        return None
    return Origin(tuple(f"ffpp:{part}" for part in match.groups() if part))


def celeb_origin(clip: str) -> Origin | None:
    """Read a Celeb-DF name: ``id0_0001`` is an original, ``id0_id1_0001`` shows it with the face
    of person id1, of whom it is not known which clip was used."""
    match = _CELEB.fullmatch(clip)
    if match is None:
        return None
    target, donor, number = match.groups()
    people = tuple(f"celeb:{person}" for person in (target, donor) if person)
    return Origin((f"celeb:{target}_{number}",), people)


def dfd_origin(clip: str) -> Origin | None:
    """Read a DFD name: ``01__scene`` is an original, ``01_02__scene__HASH`` shows it with the
    face of actor 02."""
    match = _DFD.fullmatch(clip)
    if match is None:
        return None
    target, donor, scene, _ = match.groups()
    people = tuple(f"dfd:{person}" for person in (target, donor) if person)
    return Origin((f"dfd:{target}__{scene}",), people)


def origin_of(clip: str, otherwise: str) -> Origin:
    """Read a name of any of these sets; ``otherwise`` is the key of a clip that none explains."""
    for read in (ffpp_origin, celeb_origin, dfd_origin):
        origin = read(clip)
        if origin is not None:
            return origin
    return Origin((otherwise,))
