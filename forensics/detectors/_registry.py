"""Detectors by name: the ones that ship, and those of other packages by entry point."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

from forensics.detectors._base import Detector, Input
from forensics.errors import UsageError

GROUP = "forensics.detectors"

_NAMES = ("blend", "frequency", "geometry", "occlusion", "temporal")
_SHIPPED = tuple(f"forensics.detectors.{name}" for name in _NAMES)

T = TypeVar("T", bound=type[Detector])


@dataclass(frozen=True, slots=True)
class DetectorInfo:
    """One registered detector.

    Attributes:
        name: The class's name.
        summary: First line of its docstring.
        input: What it reads.
        version: Version of its scores.
        cost: 0 to 3.
        default: Whether a scan uses it when none is named.
        card: Facts about its weights.
    """

    name: str
    summary: str
    input: Input
    version: str
    cost: int
    default: bool
    card: dict[str, Any]


_classes: dict[str, type[Detector]] = {}
_defaults: set[str] = set()
_found = False


def register_detector(
    *, input: Input = "face_crops", version: str, cost: int = 2, default: bool = False
) -> Callable[[T], T]:
    """Class decorator that makes a detector known under its class name.

    Args:
        input: What the detector reads.
        version: Version of its scores.
        cost: 0 (free) to 3 (heavy).
        default: Use it in a scan when no detector is named.

    Raises:
        ValueError: Another class has the name already.
    """

    def register(cls: T) -> T:
        name = cls.__name__
        known = _classes.get(name)
        if known is not None and known.__module__ != cls.__module__:
            raise ValueError(
                f"detector {name!r} of {cls.__module__} is already registered by {known.__module__}"
            )
        cls.name, cls.input, cls.version, cls.cost = name, input, version, cost
        _classes[name] = cls
        if default:
            _defaults.add(name)
        return cls

    return register


def _find() -> None:
    global _found
    if _found:
        return
    for module in _SHIPPED:
        import_module(module)
    for entry in entry_points(group=GROUP):
        entry.load()
    _found = True


def list_detectors(pattern: str = "*", *, default: bool = False) -> list[str]:
    """Return the names that match a shell pattern, cheapest first.

    Args:
        pattern: For example ``*flicker*``.
        default: Only those that a scan uses when none is named.
    """
    _find()
    names = fnmatch.filter(_classes, pattern)
    names = [name for name in names if name in _defaults or not default]
    return sorted(names, key=lambda name: (_classes[name].cost, name))


def create_detector(name: str, **parameters: Any) -> Detector:
    """Build a detector by name and load its weights.

    Raises:
        UsageError: No detector has this name; the nearest one is suggested.
        ModelMissingError: Its weights are missing or altered.
    """
    _find()
    if name not in _classes:
        near = difflib.get_close_matches(name, _classes, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no detector is called {name!r}{hint} (see: forensics detectors list)")
    detector = _classes[name](**parameters)
    detector.load()
    return detector


def detector_info(name: str) -> DetectorInfo:
    """Describe a detector.

    Raises:
        UsageError: No detector has this name.
    """
    detector = create_detector(name)
    cls = type(detector)
    summary = (cls.__doc__ or "").strip().splitlines()
    return DetectorInfo(
        name=name,
        summary=summary[0] if summary else "",
        input=cls.input,
        version=cls.version,
        cost=cls.cost,
        default=name in _defaults,
        card=detector.card(),
    )
