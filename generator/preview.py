"""Pictures of a running training: what the network paints now, and how the loss fell.

Pictures with made faces go through `generator.mark_image`: caption, watermark and metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.files import write_file
from generator.mark_image import write_marked_preview

_BAR = 22
_TEXT = cv2.FONT_HERSHEY_SIMPLEX


def write_preview(
    path: Path,
    columns: Sequence[tuple[str, NDArray[np.float32]]],
    *,
    note: str = "",
    side: int = 96,
) -> None:
    """Write a grid of faces, one column a kind.

    Args:
        path: PNG to write.
        columns: Heading (for example ``A->B``) and (n, h, w, 3) faces in 0..1.
        note: A few words for the caption, for example the step.
        side: Side of one face in the picture, pixels.

    Raises:
        OutputError: The file cannot be written.
    """
    rows = min(len(faces) for _, faces in columns)
    width = max(side * len(columns), 480)  # the caption needs room
    grid = np.full((_BAR + rows * side, width, 3), 24, np.uint8)
    for x, (heading, faces) in enumerate(columns):
        _write(grid, heading, (x * side + 6, 15))
        for y in range(rows):
            face = (np.clip(faces[y], 0, 1) * 255).astype(np.uint8)
            top = _BAR + y * side
            grid[top : top + side, x * side : (x + 1) * side] = cv2.resize(
                face, (side, side), interpolation=cv2.INTER_LINEAR
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_marked_preview(path, grid, caption=f"training preview, not photographs  {note}")


def write_loss_plot(
    path: Path, curves: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]]
) -> None:
    """Draw loss over steps, the loss on a logarithmic axis.

    Args:
        path: PNG to write.
        curves: Name, steps and losses of each curve.

    Raises:
        OutputError: The file cannot be written.
    """
    height, width, left, bottom = 360, 640, 62, 30
    plot = np.full((height, width, 3), 255, np.uint8)
    logs = [np.log10(np.maximum(y, 1e-9)) for _, _, y in curves]
    low = min((float(y.min()) for y in logs if len(y)), default=-3.0)
    high = max((float(y.max()) for y in logs if len(y)), default=0.0)
    high = max(high, low + 0.1)
    last = max((float(x[-1]) for _, x, _ in curves if len(x)), default=1.0) or 1.0
    for share in np.linspace(0, 1, 5):
        y = int(12 + share * (height - bottom - 12))
        cv2.line(plot, (left, y), (width - 8, y), (225, 225, 225), 1)
        _write(plot, f"{10 ** (high - share * (high - low)):.4f}", (4, y + 4), (60, 60, 60))
        x = int(left + share * (width - 60 - left))
        _write(plot, f"{share * last:.0f}", (x, height - 10), (60, 60, 60))
    colours = ((200, 60, 30), (30, 90, 200), (40, 140, 60), (120, 60, 160))
    for i, ((name, steps, _), logs_y) in enumerate(zip(curves, logs, strict=True)):
        colour = colours[i % len(colours)]
        _write(plot, name, (width - 150, 26 + 18 * i), colour)
        if len(steps) == 0:
            continue
        across = left + steps / last * (width - 60 - left)
        down = 12 + (high - logs_y) / (high - low) * (height - bottom - 12)
        points = np.stack([across, down], axis=1).round().astype(np.int32)
        cv2.polylines(plot, [points], False, colour, 1, cv2.LINE_AA)
    _write_png(path, plot)


def _write(
    image: NDArray[np.uint8],
    text: str,
    place: tuple[int, int],
    colour: tuple[int, int, int] = (235, 235, 235),
) -> None:
    cv2.putText(image, text, place, _TEXT, 0.42, colour, 1, cv2.LINE_AA)


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    from PIL import Image

    write_file(path, lambda part: Image.fromarray(image).save(part, "PNG"))
