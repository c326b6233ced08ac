"""The cheap methods of a set."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from generator.sets.spec import MethodSpec


@pytest.fixture
def methods() -> tuple[MethodSpec, ...]:
    return (MethodSpec(name="landmark"), MethodSpec(name="self-blend"))
