"""The visible label: text burned into a corner of the first frames."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LATIN, CJK = "AI generated", "AI生成"
SECONDS = 3.0
"""How long the label stays; the standard asks for two seconds."""
SHARE = 0.06
"""Height of the text over the short side; the standard asks for five per cent."""

_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
_CJK_HINTS = ("cjk", "notosanssc", "sourcehan", "wqy", "msyh", "pingfang", "simhei", "droidsansf",
              "arialunicode", "unifont")  # fmt: skip
_MISSING = "\U000fffff"


def label_text() -> str:
    """Return what can be drawn: with the Chinese half only where a font has its glyphs."""
    return f"{LATIN} / {CJK}" if cjk_font() is not None else LATIN


@lru_cache(maxsize=1)
def cjk_font() -> Path | None:
    """Return a font file that has the Chinese glyphs, or None.

    A font without a glyph draws an empty box, which would be no label: the glyphs are compared
    with the box of a code point that no font has.
    """
    for path in _font_files():
        if any(hint in path.name.lower().replace("-", "") for hint in _CJK_HINTS) and _has_glyphs(
            path
        ):
            return path
    return None


def _font_files() -> Iterator[Path]:
    for folder in _FOLDERS:
        place = Path(folder).expanduser()
        if place.is_dir():
            yield from sorted(p for p in place.rglob("*") if p.suffix in {".ttf", ".ttc", ".otf"})


def _has_glyphs(path: Path) -> bool:
    from PIL import ImageFont

    try:
        font = ImageFont.truetype(str(path), 32)
    except OSError:
        return False
    missing = bytes(font.getmask(_MISSING))
    drawn = [bytes(font.getmask(c)) for c in CJK if not c.isascii()]
    return all(any(d) and d != missing for d in drawn) and len(set(drawn)) == len(drawn)


class VisibleLabel:
    """Draw the label on frames of one size.

    Args:
        size: (width, height) of the frames in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.text = label_text()
        self._ink, self._cover, self._at = _render(self.text, size)

    def draw(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of (h, w, 3) ``frame`` with the label in its upper left corner."""
        out = frame.copy()
        top, left = self._at
        height, width = self._cover.shape[:2]
        part = out[top : top + height, left : left + width]
        cover = self._cover[: part.shape[0], : part.shape[1]]
        ink = self._ink[: part.shape[0], : part.shape[1]]
        part[:] = (part * (1 - cover) + ink * cover + 0.5).astype(np.uint8)
        return out


def _render(
    text: str, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[int, int]]:
    """Return ink (h, w, 3), opacity (h, w, 1) in 0..1, and the upper left corner."""
    from PIL import Image, ImageDraw

    short = min(size)
    want = max(8, int(np.ceil(short * SHARE)))
    font = _font(want)
    # Capital letters have to reach the height, and a font's nominal size is larger than they are.
    _, top, _, bottom = font.getbbox("A")
    font = _font(int(np.ceil(want * want / max(bottom - top, 1))))
    left, top, right, bottom = font.getbbox(text)
    pad = max(2, want // 3)
    canvas = Image.new("L", (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad), 0)
    ImageDraw.Draw(canvas).text((pad - left, pad - top), text, fill=255, font=font)
    margin = max(2, short // 40)
    room = max(8, size[0] - 2 * margin)
    if canvas.width > room:
        # A narrow frame: squeeze the width and keep the height that the standard asks for.
        canvas = canvas.resize((room, canvas.height))
    letters = np.asarray(canvas, np.float32)[..., None] / np.float32(255)
    ink = np.repeat(letters * np.float32(255), 3, axis=2)
    return ink, np.maximum(letters, 0.55).astype(np.float32), (margin, margin)


def _font(size: int) -> Any:
    from PIL import ImageFont

    path = cjk_font()
    if path is not None:
        return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)


def draw_caption(rgb: NDArray[np.uint8], caption: str) -> NDArray[np.uint8]:
    """Return (h, w, 3) ``rgb`` with a white strip below that says what it is."""
    from PIL import Image, ImageDraw

    height, width = rgb.shape[:2]
    size = max(10, min(20, width // 32))
    text = f"{label_text()}: {caption}"
    font = _font(size)
    while size > 6 and font.getlength(text) > width - 8:
        size -= 1
        font = _font(size)
    strip = Image.new("RGB", (width, 2 * size), (255, 255, 255))
    ImageDraw.Draw(strip).text((4, size // 3), text, fill=(0, 0, 0), font=font)
    return np.concatenate([rgb, np.asarray(strip, np.uint8)])
