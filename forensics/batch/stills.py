"""Stills of the most suspicious moment of each file, with other people's faces hidden on request.

A still is decoded anew from the file. With ``blur``, every face that the face finder sees in it is
hidden, except the one in question; and so is every box in which a scan saw another face within half
a second, because a face that is missed once is often found a moment later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import ForensicsError, OutputError, printable
from forensics.faces import FaceFinder
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.store import Case, Filter, Store

Box = tuple[float, float, float, float]

_CELLS = 6  # blocks across a hidden face: too few to know anyone by
_MARGIN = 0.35  # of a box's side that is hidden around it
_NEAR = 0.5  # seconds
_SAME = 0.3  # overlap from which two boxes are one face


def export_stills(
    store: Store, wanted: Filter, folder: Path, *, blur: bool
) -> tuple[int, list[str]]:
    """Write one PNG a case that has a scored face.

    Args:
        store: Where the cases are.
        wanted: Which.
        folder: Made when it is missing.
        blur: Hide bystanders.

    Returns:
        The number of stills, and one line for each file of which none could be made.

    Raises:
        OutputError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = error.strerror or str(error)
        raise OutputError(f"{printable(folder)}: cannot make the folder: {cause}") from error
    finder = FaceFinder() if blur else None
    count, lost = 0, []
    for case in store.each(wanted):
        report = json.loads(store.report(case.id) or "null")
        moment = None if report is None else worst_moment(report)
        if moment is None:
            continue
        try:
            picture = _picture(case, moment[1])
        except ForensicsError as error:
            lost.append(str(error))
            continue
        if finder is not None:
            picture = hide_bystanders(picture, report, moment, finder)
        target = folder / f"{case.id}.png"
        if not cv2.imwrite(str(target), picture[..., ::-1]):
            raise OutputError(f"{printable(target)}: cannot be written")
        count += 1
    return count, lost


def worst_moment(report: Mapping[str, Any]) -> tuple[int, float] | None:
    """Return track and time (seconds) of the highest score, or None without one."""
    found = [
        (score["score"], track["id"], score["pts"])
        for track in report["tracks"]
        for score in track["scores"]
        if score["score"] is not None
    ]
    return max(found)[1:] if found else None


def hide_bystanders(
    picture: NDArray[np.uint8],
    report: Mapping[str, Any],
    moment: tuple[int, float],
    finder: FaceFinder,
) -> NDArray[np.uint8]:
    """Return a copy of an (h, w, 3) RGB picture in which only the face in question is shown."""
    track, pts = moment
    kept: Box | None = None
    others: list[Box] = []
    for item in report["tracks"]:
        boxes = [(abs(b["pts"] - pts), tuple(b["box"])) for b in item["boxes"]]
        near = [box for gap, box in sorted(boxes) if gap <= _NEAR]
        if item["id"] == track:
            kept = near[0] if near else None
        else:
            others += near
    for face in finder.detect(picture):
        left, top, right, bottom = (float(edge) for edge in face.box)
        box = (left, top, right, bottom)
        if kept is None or overlap(box, kept) < _SAME:
            others.append(box)
    shown = picture.copy()
    for box in others:
        _hide(shown, box)
    if kept is not None:  # a bystander's margin must not cover the face in question
        x0, y0, x1, y1 = _within(kept, picture.shape, 0.0)
        clear = [box for box in others if overlap(box, kept) > 0]
        shown[y0:y1, x0:x1] = picture[y0:y1, x0:x1]
        for box in clear:
            _hide(shown, box, margin=0.0)
    return shown


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def _hide(picture: NDArray[np.uint8], box: Box, margin: float = _MARGIN) -> None:
    left, top, right, bottom = _within(box, picture.shape, margin)
    if right <= left or bottom <= top:
        return
    part = picture[top:bottom, left:right]
    small = cv2.resize(part, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    size = (right - left, bottom - top)
    picture[top:bottom, left:right] = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)


def _within(box: Box, shape: tuple[int, ...], margin: float) -> tuple[int, int, int, int]:
    wide, high = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    left, top = max(0, int(box[0] - wide)), max(0, int(box[1] - high))
    return left, top, min(shape[1], int(box[2] + wide) + 1), min(shape[0], int(box[3] + high) + 1)


def _picture(case: Case, pts: float) -> NDArray[np.uint8]:
    """Decode the picture of a file that is nearest to a time.

    Raises:
        UnreadableInputError: The file is gone or cannot be read any more.
    """
    clip = open_clip(case.file)
    best, gap = None, float("inf")
    with stream_frames(clip, SamplingPlan(all=True)) as stream:
        for frame in stream:
            if abs(frame.pts - pts) < gap:
                best, gap = frame.image, abs(frame.pts - pts)
            elif frame.pts > pts:
                break
    assert best is not None  # a clip without a picture does not open
    return best
