"""Where the time of a scan goes: the calls of each stage, timed from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

# Stage, then the places where the pipeline looks its function up. None of them calls another.
STAGES: dict[str, tuple[str, ...]] = {
    "open and hash": ("forensics.engines.scanner:open_clip",),
    "wait for decoding": ("forensics.media.reader:FrameStream.__next__",),
    "detect faces": ("forensics.faces.detect:FaceFinder.detect",),
    "mesh": ("forensics.faces.mesh:FaceMesh.points",),
    "align and quality": (
        "forensics.faces.track:align_face",
        "forensics.faces.track:mesh_in_crop",
        "forensics.faces.track:measure_quality",
    ),
    "network": ("forensics.detectors.blend:blend.score",),
}
REST = "everything else"


@contextmanager
def _timed(target: str, note: Callable[[float], None]) -> Iterator[None]:
    """Replace a function by one that also notes its seconds, for as long as the context lasts."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    function = getattr(owner, name)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            note(time.perf_counter() - start)

    setattr(owner, name, wrapper)
    try:
        yield
    finally:
        setattr(owner, name, function)


def stage_times(path: Path, scan: Callable[[Path], Any]) -> dict[str, tuple[float, int]]:
    """Scan once and return (seconds, calls) by stage; the last entry is what no stage covers."""
    seconds: dict[str, list[float]] = {stage: [] for stage in STAGES}
    with ExitStack() as stack:
        for stage, targets in STAGES.items():
            for target in targets:
                stack.enter_context(_timed(target, seconds[stage].append))
        start = time.perf_counter()
        scan(path)
        whole = time.perf_counter() - start
    found = {stage: (sum(spent), len(spent)) for stage, spent in seconds.items()}
    found[REST] = (whole - sum(spent for spent, _ in found.values()), 1)
    return found
