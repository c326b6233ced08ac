"""The visible label: text burned into a corner of the first frames.

GB 45438-2025 asks for a text that names AI and synthesis, at least five per cent of the short side
high, for at least two seconds from the start. A font without a glyph draws an empty box, which is
no label, so every character is checked before anything is drawn.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError, UsageError

LATIN, CJK = "AI generated", "AI生成"
SECONDS = 3.0
"""How long the label stays; the standard asks for two seconds."""
SHARE = 0.06
"""Height of the text over the short side; the standard asks for five per cent."""

MAX_TEXT = 60

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
_SUPPORTED = 0.55
_PROBE = 32


class Pen(Protocol):
    """Something that can draw letters."""

    def mask(self, text: str, size: int) -> NDArray[np.uint8]:
        """Return (h, w) coverage 0..255 of ``text``, cut to its ink, at nominal ``size`` pixels."""


class FilePen:
    """A font file, or Pillow's own small Latin font for None."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def mask(self, text: str, size: int) -> NDArray[np.uint8]:
        """Return the coverage of ``text``; see `Pen`."""
        from PIL import Image, ImageDraw, ImageFont

        if self._path is None:
            font: Any = ImageFont.load_default(size)
        else:
            font = ImageFont.truetype(str(self._path), size)
        left, top, right, bottom = font.getbbox(text)
        canvas = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)), 0)
        ImageDraw.Draw(canvas).text((1 - left, 1 - top), text, fill=255, font=font)
        return _ink(np.asarray(canvas, np.uint8))


class OpenCvPen:
    """The font with Chinese glyphs inside OpenCV 5 and later.

    Raises:
        AttributeError: OpenCV is older.
    """

    def __init__(self) -> None:
        import cv2

        self._face: Any = cv2.FontFace("uni")

    def mask(self, text: str, size: int) -> NDArray[np.uint8]:
        """Return the coverage of ``text``; see `Pen`."""
        import cv2

        canvas = np.zeros((3 * size, (len(text) + 2) * 2 * size), np.uint8)
        draw: Any = cv2.putText
        draw(canvas, text, (size, 2 * size), (255,), self._face, size, 0)
        return _ink(canvas)


def label_text() -> str:
    """Return what can be drawn: with the Chinese half only where a font has its glyphs."""
    return f"{LATIN} / {CJK}" if find_pen(CJK) is not None else LATIN


def names_ai_synthesis(text: str) -> bool:
    """Tell whether a text has the two parts that the standard asks for: AI, and synthesis."""
    return bool(re.search("AI|人工智能", text) and re.search("生成|合成", text))


@lru_cache(maxsize=32)
def find_pen(text: str) -> Pen | None:
    """Return something that has a glyph for every character of ``text``, or None."""
    return next((pen for pen in _pens(text) if missing_glyphs(pen, text) == ""), None)


def _pens(text: str) -> Iterator[Pen]:
    if text.isascii():
        yield FilePen()
    with contextlib.suppress(ImportError, AttributeError):
        yield OpenCvPen()
    for path in _font_files():
        if any(hint in path.name.lower().replace("-", "") for hint in _CJK_HINTS):
            yield FilePen(path)


def _font_files() -> Iterator[Path]:
    for folder in _FOLDERS:
        place = Path(folder).expanduser()
        if place.is_dir():
            yield from sorted(p for p in place.rglob("*") if p.suffix in {".ttf", ".ttc", ".otf"})


def missing_glyphs(pen: Pen, text: str) -> str:
    """Return the characters of ``text`` that ``pen`` cannot draw.

    What is drawn is compared with the box of a code point that no font has; among the characters
    outside ASCII, two that look the same are taken for boxes too.
    """
    try:
        box = pen.mask(_MISSING, _PROBE).tobytes()
        drawn = {c: pen.mask(c, _PROBE).tobytes() for c in sorted(set(text)) if not c.isspace()}
    except OSError:
        return text
    foreign = [shape for c, shape in drawn.items() if not c.isascii()]
    return "".join(
        c
        for c in dict.fromkeys(text)
        if c in drawn
        and (not drawn[c] or drawn[c] == box or (not c.isascii() and foreign.count(drawn[c]) > 1))
    )


def choose_pen(text: str, font: Path | None = None) -> Pen:
    """Return a pen that can draw ``text``.

    Args:
        text: The label.
        font: Font file to use; None looks for one.

    Raises:
        UsageError: A character has no glyph, or the text is empty, too long or of several lines.
        UnreadableInputError: The font file cannot be read.
    """
    if not text.strip() or len(text) > MAX_TEXT or not text.isprintable():
        raise UsageError(f"a visible label is one line of 1 to {MAX_TEXT} characters: {text!r}")
    if font is None:
        pen = find_pen(text)
        if pen is None:
            raise UsageError(f"no font here has glyphs for all of {text!r}; name one with --font")
        return pen
    chosen = FilePen(font)
    try:
        chosen.mask("A", _PROBE)
    except OSError as error:
        raise UnreadableInputError(font, "is no font that can be read") from error
    absent = missing_glyphs(chosen, text)
    if absent:
        raise UsageError(f"{font}: has no glyph for {absent}; an empty box is no label")
    return chosen


class VisibleLabel:
    """Draw the label on frames of one size.

    Args:
        size: (width, height) of the frames in pixels.
        text: What it says; `label_text` when None.
        font: Font file; None looks for one that has every glyph.

    Raises:
        UsageError: A character has no glyph.
        UnreadableInputError: The font file cannot be read.
    """

    def __init__(
        self, size: tuple[int, int], text: str | None = None, *, font: Path | None = None
    ) -> None:
        self.text = label_text() if text is None else text
        self._letters, self._at = _render(choose_pen(self.text, font), self.text, size)

    @property
    def letters(self) -> NDArray[np.float32]:
        """Coverage of the letters on their field, (h, w) in 0..1."""
        return self._letters.copy()

    @property
    def height(self) -> int:
        """Height of the letters in pixels."""
        return int(np.flatnonzero(self._letters.max(axis=1) > 0.5).size)

    def draw(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of (h, w, 3) ``frame`` with the label in its upper left corner."""
        out = frame.copy()
        part = self._part(out)
        letters = self._letters[: part.shape[0], : part.shape[1], None]
        cover = np.maximum(letters, _SUPPORTED)
        part[:] = (part * (1 - cover) + 255 * letters * cover + 0.5).astype(np.uint8)
        return out

    def likeness(self, frame: NDArray[np.uint8]) -> float:
        """Return how well (h, w, 3) ``frame`` shows the label: a correlation, 1 is perfect."""
        part = self._part(frame).astype(np.float64).mean(axis=2)
        letters = self._letters[: part.shape[0], : part.shape[1]]
        if part.std() < 1e-6 or letters.std() < 1e-6:
            return 0.0
        return float(np.corrcoef(part.ravel(), letters.ravel())[0, 1])

    def _part(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        (top, left), (height, width) = self._at, self._letters.shape
        return frame[top : top + height, left : left + width]


def _render(
    pen: Pen, text: str, size: tuple[int, int]
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Return the letters' coverage (h, w) in 0..1 on their field, and its upper left corner."""
    import cv2

    short = min(size)
    want = max(8, int(np.ceil(short * SHARE)))
    letters = pen.mask(text, _nominal(pen, want))
    pad = max(2, want // 3)
    margin = max(2, short // 40)
    room = max(8, size[0] - 2 * margin - 2 * pad)
    if letters.shape[1] > room:
        # A narrow frame: squeeze the width and keep the height that the standard asks for.
        letters = np.asarray(cv2.resize(letters, (room, letters.shape[0])), np.uint8)
    field = np.pad(letters, pad).astype(np.float32) / np.float32(255)
    return field, (margin, margin)


def _nominal(pen: Pen, want: int) -> int:
    """Return the nominal size at which capitals are ``want`` pixels high: they are smaller."""
    size = want
    for _ in range(4):
        height = max(1, pen.mask("A", size).shape[0])
        if height >= want:
            break
        size = max(size + 1, int(np.ceil(size * want / height)))
    return size


def _ink(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.flatnonzero(canvas.any(axis=1)), np.flatnonzero(canvas.any(axis=0))
    if not len(rows):
        return np.zeros((0, 0), np.uint8)
    return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()


def draw_caption(rgb: NDArray[np.uint8], caption: str) -> NDArray[np.uint8]:
    """Return (h, w, 3) ``rgb`` with a white strip below that says what it is."""
    width = rgb.shape[1]
    size = max(10, min(20, width // 32))
    text = f"{label_text()}: {caption}"
    pen = find_pen(text) or FilePen()
    letters = pen.mask(text, size)
    while size > 6 and letters.shape[1] > width - 8:
        size -= 1
        letters = pen.mask(text, size)
    letters = letters[: 2 * size, : width - 8]
    strip = np.full((2 * size, width, 3), 255, np.uint8)
    top = (2 * size - letters.shape[0]) // 2
    strip[top : top + letters.shape[0], 4 : 4 + letters.shape[1]] -= letters[..., None]
    return np.concatenate([rgb, strip])
