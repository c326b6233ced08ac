from __future__ import annotations

import importlib.util
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import forensics as fx
from forensics.detectors import register_detector
from forensics.errors import UsageError
from forensics.testing import check_detector, make_crops

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "third_party_detector.py"

Make = Callable[[fx.FaceCrops], dict[str, Any]]


@pytest.fixture
def example(registry: None) -> ModuleType:
    spec = importlib.util.spec_from_file_location("third_party_detector", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_keeps_the_rules(example: ModuleType) -> None:
    check_detector("skin_noise")
    check_detector(example.skin_noise, inner=0.3)


def test_the_example_measures_what_it_says(example: ModuleType) -> None:
    crops = make_crops(2)
    smooth = crops.data.copy()
    smooth[:, 64:192, 64:192] = 128
    (plain,) = example.skin_noise().score(crops)
    (painted,) = example.skin_noise().score(make_crops(2, data=smooth))
    assert (painted.artifacts["logits"] > plain.artifacts["logits"] + 0.5).all()


def steady(crops: fx.FaceCrops) -> dict[str, Any]:
    return {"artifacts": {"pts": crops.pts, "logits": crops.data.mean((1, 2, 3)) / 255}}


def detector(make: Make, **changes: Any) -> type[fx.Detector]:
    """Build a detector that keeps every rule but the one under test."""

    class odd(fx.Detector):
        """Measure the mean grey."""

        def score(self, crops: fx.FaceCrops) -> list[fx.Evidence]:
            if not len(crops) and not changes.get("eager"):
                return []
            fields: dict[str, Any] = {
                "kind": "grey",
                "track_id": crops.track_id,
                "span": (float(crops.pts[0]), float(crops.pts[-1])) if len(crops) else (0.0, 0.0),
            }
            fields |= make(crops)
            return [fx.Evidence(fields.pop("source", self.name), **fields)]

    cls = register_detector(version="1")(odd)
    for name, value in changes.items():
        setattr(cls, name, value)
    return cls


def test_a_sound_detector_passes(registry: None) -> None:
    check_detector(detector(steady))


def with_logits(make: Callable[[fx.FaceCrops], Any]) -> Make:
    return lambda crops: {"artifacts": {"pts": crops.pts, "logits": make(crops)}}


_calls = count()

BROKEN: dict[str, tuple[Make, str]] = {
    "random": (with_logits(lambda c: np.full(len(c), float(next(_calls)))), "deterministic"),
    "batch": (with_logits(lambda c: c.data.mean((1, 2, 3)) - c.data.mean()), "batched"),
    "nan": (with_logits(lambda c: np.log(c.data.std((1, 2, 3)))), "not finite on black"),
    "shape": (with_logits(lambda c: np.zeros((len(c), 1))), "must be"),
    "length": (with_logits(lambda c: np.zeros(len(c) + 1)), "time of the crop"),
    "source": (lambda c: steady(c) | {"source": "another"}, "evidence.source"),
    "track": (lambda c: steady(c) | {"track_id": 99}, "evidence.track_id"),
    "llr": (lambda c: steady(c) | {"llr": 1.0}, "calibration"),
    "span": (lambda c: steady(c) | {"span": (0.0, 99.0)}, "beyond the crops"),
    "values": (lambda c: steady(c) | {"values": {"a": np.zeros(2)}}, "JSON-ready"),
    "crash": (with_logits(lambda c: 1 / 0), "fails on six crops"),
    "region": (
        lambda c: {"artifacts": steady(c)["artifacts"] | {"region": np.full((len(c), 2, 2), 7.0)}},
        "within 0..1",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_rule_is_named(name: str, registry: None) -> None:
    make, text = BROKEN[name]
    with pytest.raises(AssertionError, match=text):
        check_detector(detector(make))


def test_evidence_without_crops_is_refused(registry: None) -> None:
    with pytest.raises(AssertionError, match="no crops"):
        check_detector(detector(steady, eager=True))


def test_cost_and_input_are_checked(registry: None) -> None:
    with pytest.raises(AssertionError, match="cost"):
        check_detector(detector(steady, cost=9))
    with pytest.raises(AssertionError, match="reads container"):
        check_detector(detector(steady, input="container"))


def test_parameters_must_be_stored_as_given(registry: None) -> None:
    class forgetful(fx.Detector):
        """Forget."""

        def __init__(self, window: int = 8) -> None:
            self.width = window

    class bending(fx.Detector):
        """Change."""

        def __init__(self, window: int = 8) -> None:
            self.window = window + 1

    class greedy(fx.Detector):
        """Take anything."""

        def __init__(self, **parameters: int) -> None:
            self.parameters = parameters

    for cls, text in ((forgetful, "must store"), (bending, "changed"), (greedy, "must name")):
        with pytest.raises(AssertionError, match=text):
            check_detector(register_detector(version="1")(cls))


def test_what_is_no_registered_detector_is_refused() -> None:
    class loose(fx.Detector):
        """Not registered."""

    with pytest.raises(AssertionError, match="not registered"):
        check_detector(loose)
    with pytest.raises(AssertionError, match="not a subclass"):
        check_detector(dict)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no detector"):
        check_detector("nothing_of_the_kind")
