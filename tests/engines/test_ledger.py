from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forensics.detectors import Detector
from forensics.engines.ledger import Ledger
from forensics.testing import make_crops
from forensics.types import CropQuality, Evidence, FaceCrops


class Counting(Detector):
    """Give each crop its time as its logit."""

    name, cost = "counting", 0

    def score(self, crops: FaceCrops) -> list[Evidence]:
        return [Evidence(self.name, kind="time", track_id=crops.track_id,
                         artifacts={"pts": crops.pts, "logits": crops.pts.copy()})]  # fmt: skip


class Heavy(Counting):
    """The same at a high price."""

    name, cost = "heavy", 2


class Bursts(Detector):
    """Give each burst the number of its first picture."""

    name, cost, input = "bursts", 0, "track"

    def score(self, crops: FaceCrops) -> list[Evidence]:
        first = crops.pts[::3]
        return [Evidence("bursts", kind="motion", track_id=crops.track_id,
                         values={"bursts": len(first)},
                         artifacts={"pts": first, "logits": first.copy()})]  # fmt: skip


def crops_with(codes: list[tuple[str, ...]]) -> FaceCrops:
    plain = make_crops(len(codes), size=32)
    quality = tuple(
        CropQuality(40.0, sharpness=1.0, exposure=0.5, yaw=0.0, mesh_confidence=1.0, codes=code)
        for code in codes
    )
    return replace(plain, quality=quality)


CODES: list[tuple[str, ...]] = [("too_dark",), (), ("too_dark", "too_blurred"), (), ()]


def test_only_usable_crops_are_measured() -> None:
    ledger = Ledger([Counting()])
    ledger.take(crops_with(CODES))
    (face,) = ledger.faces.values()
    assert face.logits["counting"] == pytest.approx([0.2, 0.6, 0.8])
    assert face.codes() == ("too_dark", "too_blurred")
    assert face.medians()["usable_share"] == pytest.approx(0.6)
    assert face.medians()["crops"] == 5


def test_evaluation_measures_all_and_tells_them_apart() -> None:
    ledger = Ledger([Counting()], keep_unusable=True)
    ledger.take(crops_with(CODES))
    face = ledger.faces[3]
    assert len(face.logits["counting"]) == 5
    assert face.usable["counting"] == [False, True, False, True, True]
    assert face.measured()["counting"] == pytest.approx([0.2, 0.6, 0.8])
    assert len(face.measured(usable_only=False)["counting"]) == 5


def test_a_still_gets_the_closer_look() -> None:
    class Closer(Counting):
        name = "closer"

        def score_still(self, crops: FaceCrops) -> list[Evidence]:
            return [Evidence("closer", kind="time", track_id=crops.track_id,
                             artifacts={"pts": crops.pts, "logits": crops.pts + 9.0})]  # fmt: skip

    for still, least in ((True, 9.0), (False, 0.0)):
        ledger = Ledger([Closer()], still=still)
        ledger.take(make_crops(1, size=32))
        face = ledger.faces[3]
        assert face.still is still
        assert face.logits["closer"] == pytest.approx([least])


def test_pictures_kept_are_few_and_the_most_suspicious() -> None:
    ledger = Ledger([Counting()])
    for _ in range(3):
        ledger.take(make_crops(6, size=32))
    kept = ledger.faces[3].pictures
    assert sorted(picture.logit for picture in kept) == [1.0, 1.0, 1.0]
    assert np.array_equal(kept[0].crops.data[0], make_crops(6, size=32).data[5])


def test_heavy_detectors_look_at_every_other_crop_until_asked_again() -> None:
    ledger = Ledger([Counting(), Heavy()])
    for start in (0, 3, 6):
        part = make_crops(3, size=32)
        ledger.take(replace(part, pts=part.pts + start * 0.2))
    face = ledger.faces[3]
    assert len(face.logits["counting"]) == 9
    assert face.pts["heavy"] == pytest.approx([0.0, 0.4, 0.8, 1.2, 1.6])
    assert ledger.second_look(3)
    assert face.logits["heavy"] == face.pts["heavy"] == pytest.approx(np.arange(9) / 5)
    assert len(face.logits["counting"]) == 9
    assert not ledger.second_look(3)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forensics.engines.ledger._HELD", 2)
    ledger = Ledger([Heavy()])
    for start in range(4):
        part = make_crops(4, size=32)
        ledger.take(replace(part, pts=part.pts + start))
    assert sum(len(crops) for crops in ledger.faces[3].held) == 2
    ledger.second_look(3)
    assert len(ledger.faces[3].logits["heavy"]) == 16


def test_bursts_are_measured_together_and_let_go() -> None:
    ledger = Ledger([Bursts(), Counting()])
    ledger.take(make_crops(4, size=32))
    for start in (0.0, 5.0):
        part = make_crops(3, size=32)
        ledger.take_burst(replace(part, pts=part.pts / 10 + start))
    ledger.finish()
    face = ledger.faces[3]
    assert face.logits["bursts"] == [0.0, 5.0]
    assert face.values["bursts"] == {"bursts": 2}
    assert face.bursts == []


def test_bursts_without_a_detector_are_not_kept() -> None:
    ledger = Ledger([Counting()])
    ledger.take_burst(make_crops(3, size=32))
    assert ledger.faces == {}
