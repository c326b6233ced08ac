from __future__ import annotations

from typing import Any

import pytest

import forensics as fx
from forensics.detectors import Detector, create_detector, detector_info, list_detectors
from forensics.detectors import register_detector as register
from forensics.errors import UsageError


def new_class(name: str, module: str = __name__) -> type[Detector]:
    return type(name, (Detector,), {"__module__": module, "__doc__": "Measure nothing."})


def test_a_registered_class_is_found_by_name_and_pattern(registry: None) -> None:
    register(version="7", cost=0)(new_class("odd_flicker"))
    assert list_detectors("*flicker*") == ["odd_flicker"]
    assert list_detectors()[0] == "odd_flicker"  # the cheapest
    assert "odd_flicker" not in list_detectors(default=True)
    info = detector_info("odd_flicker")
    assert (info.summary, info.version, info.cost) == ("Measure nothing.", "7", 0)
    assert create_detector("odd_flicker").name == "odd_flicker"


def test_two_packages_cannot_share_a_name(registry: None) -> None:
    register(version="1")(new_class("twin", "one_package"))
    with pytest.raises(ValueError, match="one_package") as caught:
        register(version="1")(new_class("twin", "other_package"))
    assert "other_package" in str(caught.value)


def test_a_module_that_is_loaded_again_replaces_its_own_class(registry: None) -> None:
    register(version="1")(new_class("again"))
    register(version="2")(new_class("again"))
    assert detector_info("again").version == "2"


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'blend'"):
        create_detector("blendd")
    with pytest.raises(UsageError, match="no detector is called 'qqqqqq'"):
        detector_info("qqqqqq")


def test_blend_is_the_default() -> None:
    assert "blend" in list_detectors(default=True)


def test_parameters_reach_the_constructor(registry: None) -> None:
    class windowed(Detector):
        def __init__(self, window: int = 8) -> None:
            self.window = window

    register(version="1")(windowed)
    detector: Any = create_detector("windowed", window=16)
    assert detector.window == 16


def test_base_has_no_score() -> None:
    with pytest.raises(NotImplementedError, match="no score"):
        fx.Detector().score(None)  # type: ignore[arg-type]
