"""Divide photographed occluders between training and measuring, whole families at a time."""

from __future__ import annotations

from collections.abc import Sequence

from generator.occlude import Occluder


def family(occluder: Occluder) -> str:
    """Return what a template shares with its variants: ``surgical_blue`` is a ``surgical``."""
    return occluder.name.split("_")[0].casefold()


def for_training(occluders: Sequence[Occluder]) -> list[Occluder]:
    """Return the second, fourth, ... family in alphabetical order; these are never measured."""
    taken = sorted({family(o) for o in occluders})[1::2]
    return [o for o in occluders if family(o) in taken]


def for_measuring(occluders: Sequence[Occluder]) -> list[Occluder]:
    """Return the families that `for_training` leaves."""
    taken = {family(o) for o in for_training(occluders)}
    return [o for o in occluders if family(o) not in taken]
