"""Synthetic people: drawn faces of 256 px, so that no picture of a real person is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
pytest.importorskip("torch")

from generator.consent import new_consent  # noqa: E402
from generator.faceset import FaceEntry, FaceSet, write_faceset  # noqa: E402
from generator.methods import AlignedFace  # noqa: E402

SKINS = {"a": (224, 172, 140), "b": (120, 150, 205)}


def draw_face(rng: np.random.Generator, skin: tuple[int, int, int]) -> AlignedFace:
    """Draw a face with eyes and a mouth somewhere near the middle."""
    picture = np.full((256, 256, 3), 90, np.uint8)
    x, y = (int(v) for v in 128 + rng.integers(-6, 7, 2))
    cv2.ellipse(picture, (x, y), (60, 76), 0, 0, 360, skin, -1)
    for side in (-25, 25):
        cv2.circle(picture, (x + side, y - 14), 8, (20, 20, 20), -1)
    cv2.ellipse(picture, (x, y + 36), (22, int(rng.integers(3, 14))), 0, 0, 360, (150, 30, 40), -1)
    turn = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    mesh = np.stack([x + 58 * np.cos(turn), y + 74 * np.sin(turn), 0 * turn], axis=1)
    return AlignedFace(picture, mesh=mesh.astype(np.float32))


def make_set(folder: Path, who: str, count: int = 24, *, consent: bool = True) -> FaceSet:
    """Write a small face set of one drawn person."""
    rng = np.random.default_rng(ord(who))
    skin = SKINS.get(who, tuple(int(v) for v in rng.integers(60, 250, 3)))
    faces = [
        FaceEntry(draw_face(rng, skin), source=f"{who}.mp4", source_sha256=who * 64)
        for _ in range(count)
    ]
    made = write_faceset(folder, faces, {"drawn": True})
    if consent:
        new_consent(folder / "consent.toml", subject=who, basis="self", scope="tests")
    return made


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that are made on first use must not land in the user's home."""
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of two drawn people's face sets."""
    folder = tmp_path_factory.mktemp("people")
    for who in "ab":
        make_set(folder / who, who)
    return folder / "a", folder / "b"
