"""A clip, and one scanned case that the tests which only read may share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.web.running import finished, opened, send, settings_for


@pytest.fixture(scope="session")
def blended(models: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled self-blended clip of three seconds."""
    from forensics.cli._demo_clips import make_blended, read_portrait
    from forensics.models import model_path

    portrait = read_portrait(model_path("astronaut"))
    return make_blended(portrait, tmp_path_factory.mktemp("clips") / "blended.mp4", seconds=3.0)


@dataclass(frozen=True)
class Scanned:
    """A desk with one scanned clip."""

    client: Any
    case: str
    clip: Path

    def get(self, name: str, **options: Any) -> Any:
        """Ask for something of the case."""
        return self.client.get(f"/v1/scans/{self.case}/{name}", **options)


@pytest.fixture(scope="session")
def scanned(blended: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanned]:
    """Tests that use it must change nothing that another one reads."""
    with opened(settings_for(tmp_path_factory.mktemp("scanned"))) as client:
        case = send(client, blended, "面部 clip.mp4", policy="cn,eu", declared="no", level="fast")
        finished(client, case)
        yield Scanned(client, case, blended)
