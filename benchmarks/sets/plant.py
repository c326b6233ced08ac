"""Plant known faults into a finished set, a manifest a kind, and count those that are found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from forensics.evaluation.lint import LintReport, lint_set
from forensics.evaluation.rates import wilson
from forensics.media import SamplingPlan, open_clip, stream_frames, write_video

Row = dict[str, Any]


class Plants:
    """Writes manifests beside that of a set; the set's own files stay as they are.

    Args:
        manifest: Of a finished, clean set with two splits.
        each: Rows a kind.
    """

    def __init__(self, manifest: Path, each: int) -> None:
        self.folder = manifest.parent
        self.rows: list[Row] = [
            json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()
        ]
        splits = sorted({row["split"] for row in self.rows})
        self.here = [row for row in self.rows if row["split"] == splits[0]]
        self.there = [row for row in self.rows if row["split"] == splits[1]]
        self.each = min(each, len(self.here), len(self.there))
        (self.folder / "planted").mkdir(exist_ok=True)

    def identity_shared(self) -> list[Row]:
        """People of one split in rows of the other."""
        return [
            dict(row, identity=[*row["identity"], other["identity"][0]])
            for row, other in zip(self.there, self.here, strict=False)
        ][: self.each]

    def group_shared(self) -> list[Row]:
        """Footage of one split in rows of the other, by its group."""
        return [
            dict(row, group=other["group"])
            for row, other in zip(self.there, self.here, strict=False)
        ][: self.each]

    def clip_shared(self) -> list[Row]:
        """Files of one split under a new name in the other."""
        rows = []
        for number, row in enumerate(self.here[: self.each]):
            path = self.folder / "planted" / f"copy-{number}.mp4"
            path.write_bytes((self.folder / row["path"]).read_bytes())
            rows.append(self._as_new(row, path, number))
        return rows

    def near_duplicate(self) -> list[Row]:
        """Clips of one split, smaller, coded again and every other one mirrored, in the other."""
        rows = []
        for number, row in enumerate(self.here[: self.each]):
            path = self.folder / "planted" / f"near-{number}.mp4"
            clip = open_clip(self.folder / row["path"])
            with stream_frames(clip, SamplingPlan(all=True)) as frames:
                pictures = [_small(np.asarray(f.image), mirror=number % 2 == 1) for f in frames]
            write_video(path, pictures, fps=clip.fps or 25.0, crf=30)
            rows.append(self._as_new(row, path, number))
        return rows

    def _as_new(self, row: Row, path: Path, number: int) -> Row:
        return {
            "path": str(path.relative_to(self.folder)),
            "label": row["label"],
            "group": f"planted-{number}",
            "identity": [f"nobody-{number}"],
            "split": self.there[0]["split"],
        }

    def label_missing(self) -> list[Row]:
        """Rows without a label."""
        return [
            {key: value for key, value in row.items() if key != "label"}
            for row in self.here[: self.each]
        ]

    def label_wrong(self) -> list[Row]:
        """Fakes labelled real, without method and mask, as one who errs would list them."""
        fakes = [row for row in self.rows if row["label"] == "fake"]
        drop = ("method", "mask", "model", "model_sha256")
        return [
            {k: v for k, v in row.items() if k not in drop} | {"label": "real"}
            for row in fakes[: self.each]
        ]

    def file_missing(self) -> list[Row]:
        """Rows of files that are not there."""
        return [
            dict(row, path=f"planted/gone-{n}.mp4") for n, row in enumerate(self.here[: self.each])
        ]

    def mask_missing(self) -> list[Row]:
        """Fakes whose mask is not there."""
        fakes = [row for row in self.rows if row["label"] == "fake"]
        return [dict(row, mask="planted/gone.mkv") for row in fakes[: self.each]]

    def codec_shortcut(self) -> list[Row]:
        """Every fake coded again, harder: the codec tells the label."""
        return self._recoded("hard", scale=1.0, crf=42)

    def size_shortcut(self) -> list[Row]:
        """Every fake a little smaller."""
        return self._recoded("small", scale=0.9, crf=23)

    def _recoded(self, name: str, *, scale: float, crf: int) -> list[Row]:
        rows = []
        for number, row in enumerate(self.rows):
            if row["label"] == "real":
                continue
            path = self.folder / "planted" / f"{name}-{number}.mp4"
            clip = open_clip(self.folder / row["path"])
            with stream_frames(clip, SamplingPlan(all=True)) as frames:
                pictures = [_small(np.asarray(f.image), factor=scale) for f in frames]
            write_video(path, pictures, fps=clip.fps or 25.0, crf=crf)
            rows.append(dict(row, path=str(path.relative_to(self.folder))))
        return rows


KINDS: tuple[Callable[[Plants], list[Row]], ...] = (
    Plants.identity_shared, Plants.group_shared, Plants.clip_shared, Plants.near_duplicate,
    Plants.label_missing, Plants.label_wrong, Plants.file_missing, Plants.mask_missing,
    Plants.codec_shortcut, Plants.size_shortcut,
)  # fmt: skip
_WHOLE_SET = ("codec_shortcut", "size_shortcut")
_ADDED = ("clip_shared", "near_duplicate")


def _small(
    image: np.ndarray[Any, Any], *, factor: float = 0.75, mirror: bool = False
) -> np.ndarray[Any, Any]:
    height, width = image.shape[:2]
    size = (2 * round(width * factor / 2), 2 * round(height * factor / 2))
    out = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(out[:, ::-1]) if mirror else out


def plant_and_lint(plants: Plants, kind: Callable[[Plants], list[Row]]) -> dict[str, Any]:
    """Plant one kind of fault and check the set.

    A planted row counts as caught when a finding of its own kind names it; a shortcut of the
    whole set, when the set is refused for it.
    """
    name = kind.__name__
    planted = kind(plants)
    by_path = {} if name in _ADDED else _replacing(plants.rows, planted, name)
    rows = [by_path.get(n, row) for n, row in enumerate(plants.rows)]
    marked = set(by_path)
    if name in _ADDED:
        marked = set(range(len(rows), len(rows) + len(planted)))
        rows += planted
    path = plants.folder / f"planted-{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = lint_set(path)
    path.unlink()
    n, caught = _caught(report, name, {number + 1 for number in marked})
    return {
        "kind": name, "planted": n, "caught": caught, "interval": list(wilson(caught, n)),
        "outcome": report.outcome,
    }  # fmt: skip


def _replacing(rows: list[Row], planted: list[Row], name: str) -> dict[int, Row]:
    """Return the planted rows by the place of the row that each stands for."""
    place = {(row["pair"], "mask" in row): n for n, row in enumerate(rows)}
    fake = name in ("label_wrong", "mask_missing", *_WHOLE_SET)
    return {place[row["pair"], fake or "mask" in row]: row for row in planted}


def _caught(report: LintReport, name: str, lines: set[int]) -> tuple[int, int]:
    found = [f for f in report.findings if f.code == name and f.severity == "refused"]
    if name in _WHOLE_SET:
        return 1, int(bool(found))
    return len(lines), len(lines & {line for finding in found for line in finding.lines})
