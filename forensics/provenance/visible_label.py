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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ForensicsError
from forensics.provenance.visible import VisibleLabel

if TYPE_CHECKING:
    from forensics.media import Limits

_SECONDS = 2.2
_STEP = 0.7  # the fourth look is the first one behind the two seconds that the standard asks for
_SIDE = 480  # the shorter side given to the recogniser; a label is 24 of its pixels high
_SURE = 0.80
_INK = 0.25  # of a line's contrast: rows below it are margin, or the tips of a few letters
_LEAST = 2.0
# Recognisers take the capital I for an l or a 1; a space behind it is often lost.
_AI = re.compile(
    r"人工智能|(?<![A-Za-z])(?:A[Il1|]|ai|A\.I\.)(?![A-Za-z])"
    r"|(?<![A-Za-z])A[Il1|](?=[-_ ]?(?:[Gg]en|GEN|[Ss]yn|SYN|[Mm]od|MOD|[Mm]an|MAN))"
    r"|(?i:artificial ?intelligence)"
)
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


def find_visible_label(
    path: Path, *, recogniser: Recogniser | None = None, limits: Limits | None = None
) -> VisibleLabel:
    """Look at a few of the opening pictures.

    Args:
        path: Clip or still picture.
        recogniser: Reads the lines of a (h, w, 3) RGB picture; RapidOCR when None.
        limits: Caps on the decoding; the defaults when None.

    Returns:
        What was found. Never raises for a bad file or a missing recogniser: those are
        ``not_examined`` with the reason.
    """
    from forensics.media import Limits, SamplingPlan, open_clip, stream_frames

    caps = limits or Limits()
    try:
        read = recogniser or _rapidocr()
    except ImportError:
        return VisibleLabel(
            "not_examined", reason="needs pip install 'deepfake-forensics[ocr]'"
        )
    seen: list[tuple[float, list[Line]]] = []
    try:
        clip = open_clip(path, limits=caps)
        with stream_frames(clip, SamplingPlan(every=_STEP), limits=caps) as frames:
            for frame in frames:
                if frame.pts > _SECONDS:
                    break
                seen.append((frame.pts, read(_resized(frame.image))))
    except ForensicsError as error:
        return VisibleLabel("not_examined", reason=error.reason)
    if not seen:
        return VisibleLabel("not_examined", reason="no picture")
    return _judge(seen, still=clip.kind == "image", duration=clip.duration)


def _judge(
    seen: list[tuple[float, list[Line]]], *, still: bool, duration: float
) -> VisibleLabel:
    found = [(pts, hit) for pts, lines in seen for hit in [_label(lines)] if hit]
    if not found:
        return VisibleLabel("absent")
    _, (text, height, confidence) = found[0]
    last = found[-1][0]
    # It was still there at the last of these looks, and was gone by the next one.
    seconds = last + (_STEP / 2 if last < seen[-1][0] else 0.0)
    reason = ""
    if found[0][0] > seen[0][0]:
        reason = "not at the start"
    elif confidence < _SURE:
        reason = "read with little certainty"
    elif not still and seconds < _LEAST and last == seen[-1][0]:
        reason = f"the clip lasts {duration:.1f} s, the standard asks for {_LEAST:.0f} s"
    return VisibleLabel(
        "unsure" if reason else "found", text=text[:80], height=height / _SIDE,
        seconds=_LEAST if still else seconds, reason=reason,
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


def _resized(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring the shorter side to `_SIDE`; small pictures are read better when they are enlarged."""
    import cv2

    scale = _SIDE / min(image.shape[:2])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


@lru_cache(maxsize=1)
def _rapidocr() -> Recogniser:
    """Load the recogniser once; its models lie in its own package.

    Raises:
        ImportError: It is not installed.
    """
    import logging

    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    engine: Any = RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,  # a label stands upright
            "Det.limit_side_len": _SIDE,
            "Det.limit_type": "min",
        }
    )

    def read(image: NDArray[np.uint8]) -> list[Line]:
        result = engine(np.ascontiguousarray(image[..., ::-1]))
        if result.boxes is None:
            return []
        return [
            (str(text), ink_height(image, box), float(score))
            for box, text, score in zip(result.boxes, result.txts, result.scores, strict=True)
        ]

    return read


def ink_height(image: NDArray[np.uint8], box: Any) -> float:
    """Return the height of the letters in a text's box, pixels.

    A recogniser's box has a margin that may be as high as the letters. Rows that letters cross
    change from pixel to pixel; margins, and a field behind the letters, do not.

    Args:
        image: (h, w, 3) picture.
        box: Its four corners, (x, y) each.
    """
    corners = np.asarray(box, np.float64).reshape(4, 2)
    left, top = (max(0, int(v)) for v in np.floor(corners.min(axis=0)))
    right, bottom = (int(v) for v in np.ceil(corners.max(axis=0)))
    part = image[top:bottom, left:right].astype(np.float32).mean(axis=2)
    if part.shape[0] < 2 or part.shape[1] < 2:
        return 0.0
    change = np.abs(np.diff(part, axis=1)).mean(axis=1)
    rows = np.flatnonzero(change > _INK * np.percentile(change, 90))
    return float(rows[-1] - rows[0] + 1) if len(rows) else 0.0
