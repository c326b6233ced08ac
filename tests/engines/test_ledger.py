from __future__ import annotations

import numpy as np
import pytest

from forensics.detectors import Detector
from forensics.engines.ledger import Ledger
from forensics.testing import make_crops
from forensics.types import CropQuality, Evidence, FaceCrops


class Counting(Detector):
    """Give each crop its time as its logit."""

    name = "counting"

    def score(self, crops: FaceCrops) -> list[Evidence]:
        return [Evidence("counting", kind="time", track_id=crops.track_id,
                         artifacts={"pts": crops.pts, "logits": crops.pts.copy()})]  # fmt: skip


def crops_with(codes: list[tuple[str, ...]]) -> FaceCrops:
    plain = make_crops(len(codes), size=32)
    quality = tuple(
        CropQuality(40.0, sharpness=1.0, exposure=0.5, yaw=0.0, mesh_confidence=1.0, codes=code)
        for code in codes
    )
    return FaceCrops(plain.track_id, pts=plain.pts, data=plain.data, to_frame=plain.to_frame,
                     mesh=plain.mesh, quality=quality)  # fmt: skip


CODES: list[tuple[str, ...]] = [("too_dark",), (), ("too_dark", "too_blurred"), (), ()]


def test_only_usable_crops_are_measured() -> None:
    ledger = Ledger([Counting()])
    ledger.take(crops_with(CODES))
    (face,) = ledger.faces.values()
    assert face.logits["counting"] == pytest.approx([0.2, 0.6, 0.8])
    assert face.codes() == ("too_dark", "too_blurred")
    assert face.medians()["usable_share"] == pytest.approx(0.6)
    assert face.medians()["crops"] == 5


def test_evaluation_measures_all() -> None:
    ledger = Ledger([Counting()], keep_unusable=True)
    ledger.take(crops_with(CODES))
    assert len(ledger.faces[3].logits["counting"]) == 5
    assert ledger.faces[3].usable["counting"] == [False, True, False, True, True]


def test_pictures_kept_are_few_and_the_most_suspicious() -> None:
    ledger = Ledger([Counting()])
    for _ in range(3):
        ledger.take(make_crops(6, size=32))
    kept = ledger.faces[3].pictures
    assert sorted(picture.logit for picture in kept) == [1.0, 1.0, 1.0]
    assert np.array_equal(kept[0].crop, make_crops(6, size=32).data[5])
