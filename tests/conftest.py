"""The real models and the two public samples, shared by the tests that look at faces."""

from __future__ import annotations

import contextlib
import os
import sys

# Before anything loads BLAS or torch: the tests' arrays are small, threads only cost time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.errors import ForensicsError


@pytest.fixture(scope="session")
def models() -> None:
    """Bring the face models and samples into the cache; skip when that is impossible."""
    from forensics.models import pull

    try:
        pull()
    except ForensicsError as error:
        pytest.skip(f"the models cannot be pulled: {error}")


@pytest.fixture(scope="session")
def astronaut(models: None) -> NDArray[np.uint8]:
    """A (512, 512, 3) RGB portrait with one face about 100 px wide."""
    import cv2

    from forensics.models import model_path

    image = cv2.imread(str(model_path("astronaut")))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1])


@pytest.fixture(scope="session")
def head(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The astronaut's head alone, (220, 180, 3)."""
    return astronaut[10:230, 130:310]


@pytest.fixture(scope="session")
def carphone(models: None) -> Path:
    """A real talking head of 176x144 pixels."""
    from forensics.models import model_path

    return model_path("carphone")


@pytest.fixture
def own_home(models: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the pulled models and a signing key of the test's own."""
    from forensics.models import model_path

    cache = model_path("blazeface_full").parent
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(cache, target_is_directory=True)
    monkeypatch.setenv("FORENSICS_HOME", str(home))
    return home


@pytest.fixture
def people(head: NDArray[np.uint8], tmp_path: Path) -> tuple[Any, ...]:
    """Four people of a set (`PersonSpec`) made of one portrait, each with a clip of its own."""
    from forensics.media import write_video
    from generator.consent import new_consent
    from generator.sets.spec import PersonSpec

    consent = tmp_path / "consent.toml"
    new_consent(consent, subject="astronaut", basis="public-domain", scope="tests")
    found = []
    for index, name in enumerate(("ann", "ben", "cat", "dan")):
        face = (head[:, :: 1 - 2 * (index % 2)] * (1 - 0.1 * index)).astype(np.uint8)
        wide = np.pad(face, ((10, 10), (30, 30), (0, 0)), mode="edge")
        clip = tmp_path / f"{name}.mp4"
        write_video(clip, [np.roll(wide, (i % 5, i % 7), (0, 1)) for i in range(20)], fps=25)
        found.append(
            PersonSpec(name=name, clips=(clip,), consent=consent, licence="public domain")
        )
    return tuple(found)


@pytest.fixture(autouse=True)
def ordinary_scheduling(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the run from real-time priority, under which a browser starves the whole machine.

    Seen on one machine: from some test on, all threads ran as SCHED_FIFO 99, children inherited
    it, and a busy page kept even the disk from being served. Whatever sets it, put it back.
    """
    yield
    if not hasattr(os, "sched_getscheduler") or os.sched_getscheduler(0) == os.SCHED_OTHER:
        return
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))
    print(f"real-time scheduling put back after {request.node.nodeid}", file=sys.__stderr__)
