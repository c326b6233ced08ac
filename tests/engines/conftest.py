"""One warm scanner and the end of its decoding process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.engines import Scanner, ScanOptions
from forensics.media._child import POOL
from forensics.testing import make_clip


@pytest.fixture(scope="session", autouse=True)
def _end_the_decoder() -> Iterator[None]:
    yield
    POOL.close()


@pytest.fixture(scope="session")
def scanner(models: None) -> Scanner:
    return Scanner(ScanOptions(frames=4))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, head: NDArray[np.uint8]) -> Path:
    """Eight frames with one face that is large enough to judge."""
    return make_clip(
        tmp_path_factory.mktemp("clips") / "head.mp4", [head], count=8, size=(320, 240)
    )
