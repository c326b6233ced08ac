from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from forensics.detectors import _onnx, create_detector
from forensics.errors import ModelMissingError
from forensics.testing import check_detector, make_crops


def test_blend_keeps_the_rules() -> None:
    check_detector("blend")


@pytest.mark.parametrize("name", ["blend", "blend_still"])
def test_shipped_weights_are_those_of_the_card(name: str) -> None:
    data = (files("forensics") / "weights" / f"{name}.onnx").read_bytes()
    card = _onnx.read_card(name)
    assert hashlib.sha256(data).hexdigest() == card["sha256"]
    assert create_detector("blend").weights()[name] == card["sha256"]
    assert card["name"] == name and card["licence"] == "Apache-2.0"
    assert card["stands_on"]["licences"]


def test_evidence_holds_a_logit_and_a_map_for_each_crop() -> None:
    crops = make_crops(9)  # more than one batch
    (item,) = create_detector("blend").score(crops)
    assert item.kind == "blend_boundary"
    assert item.artifacts["logits"].shape == (9,)
    assert item.artifacts["region"].shape == (9, 24, 24)
    assert len(np.unique(item.artifacts["logits"])) == 9


def test_mirror_makes_the_score_blind_to_side() -> None:
    crops = make_crops(2)
    turned = make_crops(2, data=np.ascontiguousarray(crops.data[:, :, ::-1]))
    detector = create_detector("blend", mirror=True)
    (one,), (other,) = detector.score(crops), detector.score(turned)
    assert np.allclose(one.artifacts["logits"], other.artifacts["logits"], atol=1e-4)
    assert np.allclose(one.artifacts["region"], other.artifacts["region"][:, :, ::-1], atol=1e-4)


def test_a_still_is_looked_at_mirrored_and_by_a_second_network() -> None:
    crops = make_crops(2)
    turned = make_crops(2, data=np.ascontiguousarray(crops.data[:, :, ::-1]))
    detector = create_detector("blend")
    (still,), (other,) = detector.score_still(crops), detector.score_still(turned)
    assert still.artifacts["region"].shape == (2, 24, 24)
    assert np.allclose(still.artifacts["logits"], other.artifacts["logits"], atol=1e-4)
    assert np.allclose(still.artifacts["region"], other.artifacts["region"][:, :, ::-1], atol=1e-4)
    (first,) = create_detector("blend", mirror=True).score(crops)
    assert not np.allclose(still.artifacts["logits"], first.artifacts["logits"])


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    card = _onnx.read_card("blend") | {"sha256": "0" * 64}
    monkeypatch.setattr(_onnx, "read_card", lambda name: card)
    with pytest.raises(ModelMissingError, match="differ from the card"):
        _onnx.open_session.__wrapped__("blend")


def test_missing_weights_are_named() -> None:
    with pytest.raises(ModelMissingError, match="'absent'"):
        _onnx.read_card("absent")
    with pytest.raises(ModelMissingError, match="'absent'"):
        _onnx.open_session("absent")
