"""The data card of a set: what is in it, on what licences, and what it looks like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.media import SamplingPlan, open_clip, stream_frames
from generator.files import write_text
from generator.mark_image import write_marked_preview
from generator.sets.spec import SetSpec

CARD = "CARD.md"
CONTACT = "contact.png"

_SHOWN = 12
_SIDE = 144
_COLUMNS = 4

Row = Mapping[str, Any]


def write_card(
    spec: SetSpec, rows: Sequence[Row], left_out: Mapping[int, str], digest: str, out: Path
) -> None:
    """Write the card and the contact sheet.

    Raises:
        OutputError: A file cannot be written.
    """
    lines = [
        f"# {spec.name}",
        "",
        f"{len(rows)} clips of {spec.seconds:g} seconds, made from seed {spec.seed}. Every clip "
        "carries an invisible watermark (kind `synthetic` in fakes, `control` in real clips), so "
        "the mark says nothing about the label to a detector; every file is signed, and every "
        "fake declares itself AI-generated. Clips carry no sound.",
        "",
        f"Specification sha256 (contents of clips and models included): `{digest}`",
        "",
        "![pairs: real above, fake below](contact.png)",
        "",
        *_table("split and label", rows, lambda row: f"{row['split']}, {row['label']}"),
        *_table("method", rows, lambda row: row.get("method", "(real)")),
        *_table("codec", rows, lambda row: f"{row['codec']} CRF {row['crf']}"),
        *_table("occluder", rows, lambda row: row.get("occluder", "(none)")),
        *_table("swapped", rows, lambda row: _extent(row, spec.seconds)),
        *_table("licence", rows, lambda row: row["licence"]),
    ]
    used = {row["model_sha256"]: row.get("model", "") for row in rows if "model_sha256" in row}
    if used:
        lines += ["## Models", "", *(f"- {name}: `{sha}`" for sha, name in sorted(used.items())),
                  ""]
    if left_out:
        lines += ["## Left out", "", *(f"- pair {n}: {why}" for n, why in left_out.items()), ""]
    write_text(out / CARD, "\n".join(lines))
    sheet = _sheet(rows, out)
    if sheet is not None:
        write_marked_preview(out / CONTACT, sheet, caption=f"{spec.name}: real above, fake below")


def _extent(row: Row, seconds: float) -> str:
    if row["label"] == "real":
        return "(real)"
    return "whole clip" if row["segments"] == [[0.0, seconds]] else "part of the clip"


def _table(title: str, rows: Sequence[Row], key: Callable[[Row], str]) -> list[str]:
    counts = Counter(key(row) for row in rows)
    body = [f"| {name} | {count} |" for name, count in sorted(counts.items())]
    return [f"| {title} | clips |", "|---|---|", *body, ""]


def _sheet(rows: Sequence[Row], out: Path) -> NDArray[np.uint8] | None:
    """Return the middle pictures of the first pairs, real over fake, or None for an empty set."""
    pairs = [rows[i : i + 2] for i in range(0, min(len(rows), 2 * _SHOWN), 2)]
    if not pairs:
        return None
    columns = [np.concatenate([_thumbnail(out / row["path"]) for row in pair]) for pair in pairs]
    blank = np.full_like(columns[0], 24)
    columns += [blank] * (-len(columns) % _COLUMNS)
    bands = [
        np.concatenate(columns[i : i + _COLUMNS], axis=1)
        for i in range(0, len(columns), _COLUMNS)
    ]
    return np.concatenate(bands)


def _thumbnail(path: Path) -> NDArray[np.uint8]:
    with stream_frames(open_clip(path), SamplingPlan(frames=1)) as frames:
        image = np.asarray(next(iter(frames)).image)
    scale = _SIDE / image.shape[0]
    width = max(round(image.shape[1] * scale), 1)
    small = cv2.resize(image, (width, _SIDE), interpolation=cv2.INTER_AREA)
    canvas = np.full((_SIDE, 4 * _SIDE // 3, 3), 24, np.uint8)
    part = small[:, : canvas.shape[1]]
    left = (canvas.shape[1] - part.shape[1]) // 2
    canvas[:, left : left + part.shape[1]] = part
    return canvas
