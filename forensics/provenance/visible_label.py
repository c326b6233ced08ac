"""Look for a visible AI label in the opening seconds of a clip, with a text recogniser.

GB 45438-2025, 5.4: text with an AI element and a synthesis element, at an edge or corner of the
opening pictures, at least 5 % of the shorter side high, for at least 2 s. The recogniser is
RapidOCR (Apache-2.0), whose wheel carries its models; it is an extra, since it is large.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ForensicsError
from forensics.provenance.visible import VisibleLabel

_SECONDS = 3.0
_STEP = 0.5
_SIDE = 960  # the longer side given to the recogniser; a label fills 5 % of the shorter one
_SURE = 0.80
_AI = re.compile(r"人工智能|AI|A\.I\.|ARTIFICIAL ?INTELLIGENCE", re.IGNORECASE)
_MADE = re.compile(
    r"生成|合成|GENERATED|SYNTHETIC|SYNTHESI[SZ]ED|MANIPULATED|MODIFIED|ALTERED|DEEP ?FAKE",
    re.IGNORECASE,
)

Line = tuple[str, float, float]
"""Text, its height in pixels, and the recogniser's confidence 0..1."""
Recogniser = Callable[[NDArray[np.uint8]], list[Line]]


def says_ai_generated(text: str) -> bool:
    """Tell whether a text holds both elements: AI, and generated or synthetic."""
    return bool(_AI.search(text) and _MADE.search(text))


def find_visible_label(path: Path, *, recogniser: Recogniser | None = None) -> VisibleLabel:
    """Look at a few of the opening pictures.

    Args:
        path: Clip or still picture.
        recogniser: Reads the lines of a (h, w, 3) RGB picture; RapidOCR when None.

    Returns:
        What was found. Never raises for a bad file or a missing recogniser: those are
        ``not_examined`` with the reason.
    """
    from forensics.media import SamplingPlan, open_clip, stream_frames

    try:
        read = recogniser or _rapidocr()
    except ImportError:
        return VisibleLabel(
            "not_examined", reason="needs pip install 'deepfake-forensics[ocr]'"
        )
    seen: list[tuple[float, list[Line], int]] = []
    try:
        clip = open_clip(path)
        with stream_frames(clip, SamplingPlan(every=_STEP)) as frames:
            for frame in frames:
                if frame.pts > _SECONDS:
                    break
                seen.append((frame.pts, read(_reduced(frame.image)), _short_side(frame.image)))
    except ForensicsError as error:
        return VisibleLabel("not_examined", reason=error.reason)
    if not seen:
        return VisibleLabel("not_examined", reason="no picture")
    return _judge(seen, still=clip.kind == "image")


def _judge(seen: list[tuple[float, list[Line], int]], *, still: bool) -> VisibleLabel:
    found = [(pts, hit, side) for pts, lines, side in seen for hit in [_label(lines)] if hit]
    if not found:
        return VisibleLabel("absent")
    _, (text, height, confidence), side = found[0]
    share = height / side
    first, last = found[0][0], found[-1][0]
    # The label was there at both times; it lasted until the next look at most.
    seconds = 0.0 if still else last - first + _STEP / 2
    at_start = first <= seen[0][0] + 1e-6
    unsure = confidence < _SURE or not at_start
    reason = "" if not unsure else "read with little certainty" if at_start else "not at the start"
    return VisibleLabel(
        "unsure" if unsure else "found", text=text[:80], height=share,
        seconds=max(seconds, 2.0) if still else seconds, reason=reason,
    )  # fmt: skip


def _label(lines: list[Line]) -> Line | None:
    """Return the line that is a label; two lines of one label may stand one under the other."""
    for line in lines:
        if says_ai_generated(line[0]):
            return line
    joined = " ".join(text for text, _, _ in lines if _AI.search(text) or _MADE.search(text))
    if says_ai_generated(joined):
        parts = [line for line in lines if _AI.search(line[0]) or _MADE.search(line[0])]
        return joined, max(h for _, h, _ in parts), min(c for _, _, c in parts)
    return None


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    scale = _SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _short_side(image: NDArray[np.uint8]) -> int:
    return int(min(_reduced(image).shape[:2]))


@lru_cache(maxsize=1)
def _rapidocr() -> Recogniser:
    """Load the recogniser once; its models lie in its own package.

    Raises:
        ImportError: It is not installed.
    """
    import logging

    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    engine: Any = RapidOCR(params={"Global.log_level": "error"})

    def read(image: NDArray[np.uint8]) -> list[Line]:
        result = engine(np.ascontiguousarray(image[..., ::-1]))
        if result.boxes is None:
            return []
        return [
            (str(text), _height(box), float(score))
            for box, text, score in zip(result.boxes, result.txts, result.scores, strict=True)
        ]

    return read


def _height(box: Any) -> float:
    corners = np.asarray(box, np.float64).reshape(4, 2)
    return float(
        (np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2
    )
