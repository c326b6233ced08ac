"""Clips of two 'people' made of one public-domain portrait, and a set of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from forensics.media import write_video
from generator.consent import new_consent
from generator.sets.spec import MethodSpec, PersonSpec


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
def people(head: np.ndarray, tmp_path: Path) -> tuple[PersonSpec, ...]:
    """Four names, each with a clip that differs from the others."""
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


@pytest.fixture
def methods() -> tuple[MethodSpec, ...]:
    return (MethodSpec(name="landmark"), MethodSpec(name="self-blend"))
