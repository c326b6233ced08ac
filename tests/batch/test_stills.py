from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.batch.stills import hide_bystanders, overlap, worst_moment
from forensics.faces import FaceFinder


def _report(*boxes: list[float]) -> dict[str, Any]:
    tracks = [
        {"id": n, "boxes": [{"pts": 1.0, "box": box}],
         "scores": [{"pts": 1.0, "score": 0.9 - n / 10}, {"pts": 2.0, "score": None}]}
        for n, box in enumerate(boxes)
    ]  # fmt: skip
    return {"tracks": tracks}


def test_only_the_face_in_question_stays_visible(head: NDArray[np.uint8]) -> None:
    picture = np.full((260, 640, 3), 90, np.uint8)
    picture[20:240, 40:220] = head
    picture[20:240, 420:600] = head[:, ::-1]
    finder = FaceFinder()
    boxes = sorted([float(edge) for edge in face.box] for face in finder.detect(picture))
    assert len(boxes) == 2
    report = _report(boxes[0])  # the scan missed the second person
    moment = worst_moment(report)
    assert moment == (0, 1.0)
    shown = hide_bystanders(picture, report, moment, finder)
    assert np.array_equal(shown[:, :300], picture[:, :300])
    left = [int(edge) for edge in boxes[1]]
    part = shown[left[1] : left[3], left[0] : left[2]]
    assert len(np.unique(part.reshape(-1, 3), axis=0)) <= 36
    assert len(finder.detect(shown)) == 1


def test_no_score_no_still() -> None:
    assert worst_moment({"tracks": []}) is None
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == 1 / 3
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0
