"""Engines by name: the ones that ship, and those of other packages by entry point."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

from forensics.engines.base import Engine
from forensics.errors import UsageError

GROUP = "forensics.engines"

Maker = Callable[[int, "str | None"], Engine]
"""Builds an engine from the number of workers and, for a cluster, its address."""


def _serial(workers: int, address: str | None) -> Engine:
    from forensics.engines.serial import SerialEngine

    return SerialEngine()


def _process(workers: int, address: str | None) -> Engine:
    from forensics.engines.process import ProcessEngine

    return ProcessEngine(workers)


def _ray(workers: int, address: str | None) -> Engine:
    from forensics.engines.cluster import RayEngine

    return RayEngine(workers, address)


ENGINES: dict[str, Maker] = {"serial": _serial, "process": _process, "ray": _ray}
"""The engines that come with the package."""


def make_engine(name: str, workers: int, address: str | None = None) -> Engine:
    """Build an engine.

    Args:
        name: Of the engine.
        workers: How many workers it may use.
        address: Of a cluster.

    Raises:
        UsageError: No engine has this name, two have it, or its packages are not installed.
    """
    if workers < 1:
        raise UsageError(f"--workers must be at least 1, got {workers}")
    known = dict(ENGINES)
    for point in entry_points(group=GROUP):
        if point.name in known:
            raise UsageError(f"engine {point.name!r} ({point.value}) is registered twice")
        known[point.name] = cast(Maker, point.load())
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"--engine must be one of {', '.join(known)}, got {name!r}{hint}")
    return known[name](workers, address)
