"""Marks x transformations: what survives, and what the auditor says of what is left.

    python -m benchmarks.provenance matrix [--clips FOLDER] [-n 8]

Clips and pictures are labelled with every mark, changed in one way each, and looked at twice: by
the auditor, and by readers that share no code with it (FFmpeg's tags, Pillow's XMP, the C2PA
library itself). A statement of the auditor that those readers contradict counts as wrong.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from benchmarks._results import Bar, show, show_bars, write_result
from benchmarks.provenance.auditor import NEEDS, Said, listen
from benchmarks.provenance.material import clips, photos
from benchmarks.provenance.transformations import IMAGE, VIDEO, Transformation
from forensics.evaluation.rates import wilson
from forensics.media import SamplingPlan, open_clip, stream_frames
from forensics.provenance.burn_in import VisibleLabel
from forensics.provenance.labelling import Labelled, label_file
from forensics.provenance.payload import Payload
from forensics.provenance.watermark import (
    COEFFICIENTS,
    PUBLIC_KEY,
    WatermarkReader,
    binomial_tail,
    soft_bits,
)

MARKS = ("aigc", "c2pa", "visible", "watermark", "number")
_SHOWN = 0.6
_CHANCE = 1e-6
# The source type stands in the same XMP packet as the AIGC label.
_RESTS_ON = {"aigc": "aigc", "c2pa": "c2pa", "xmp": "aigc", "iptc": "aigc"}


@dataclass(slots=True)
class Row:
    """One transformation.

    Attributes:
        name: Of the transformation.
        kind: ``video`` or ``image``.
        n: Files.
        left: Files in which each mark is left.
        said: How often the auditor said each thing of the declaration.
        outcomes: How many rules it gave each outcome, over all files.
        wrong: What it said wrongly.
    """

    name: str
    kind: str
    n: int = 0
    left: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MARKS, 0))
    said: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the row as JSON-ready data."""
        marks = {
            name: {"left": k, "share": k / self.n, "interval": list(wilson(k, self.n))}
            for name, k in self.left.items()
        }
        return {
            "transformation": self.name,
            "kind": self.kind,
            "n": self.n,
            "marks": marks,
            "said": self.said,
            "rules_per_file": {k: v / self.n for k, v in sorted(self.outcomes.items())},
            "wrong": self.wrong,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.provenance matrix")
    parser.add_argument("--clips", type=Path, help="folder of clips to cut from")
    parser.add_argument("-n", type=int, default=8, help="number of clips")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = clips(folder, options.n, options.clips)
        pictures = photos(folder, made)
        rows = [*measure(made, VIDEO, folder, "video"), *measure(pictures, IMAGE, folder, "image")]
    return report(rows, own=options.clips is not None)


def measure(
    sources: Sequence[Path], ways: Sequence[Transformation], folder: Path, kind: str
) -> list[Row]:
    """Label every source, change it in every way, and look."""
    rows = {way.name: Row(way.name, kind) for way in ways}
    for source in sources:
        marked = label_file(source, folder / f"marked-{source.name}")
        for way in ways:
            target = folder / f"changed-{marked.path.stem}{way.suffix or marked.path.suffix}"
            way.run(marked.path, target)
            add(rows[way.name], target, marked, source)
            target.unlink()
        marked.path.unlink()
    return list(rows.values())


def add(row: Row, path: Path, marked: Labelled, source: Path) -> None:
    """Look at one changed file and count."""
    left = truth(path, marked, source)
    said = listen(path)
    row.n += 1
    for mark, there in left.items():
        row.left[mark] += there
    row.said[said.line] = row.said.get(said.line, 0) + 1
    for outcome, count in said.outcomes.items():
        row.outcomes[outcome] = row.outcomes.get(outcome, 0) + count
    row.wrong += [f"{path.suffix}: {line}" for line in contradictions(said, left)]


def contradictions(said: Said, left: dict[str, bool]) -> list[str]:
    """Return what the auditor said against what is there."""
    found = []
    if said.intact and not left["c2pa"]:
        found.append("an intact signature, and there is none")
    for who, mark in _RESTS_ON.items():
        if who in said.by and not left[mark]:
            found.append(f"declared by {who}, and there is no such mark")
    if not said.declared and (left["aigc"] or left["c2pa"] or left["watermark"]):
        found.append("no declaration, and there is one")
    if said.declared and not said.by:
        found.append("a declaration by nobody")
    for rule in sorted(said.compliant):
        if rule in NEEDS and not NEEDS[rule](left):
            found.append(f"{rule} compliant, with {[m for m in left if left[m]] or 'no mark'}")
    return found


def truth(path: Path, marked: Labelled, source: Path) -> dict[str, bool]:
    """Return which marks are left, by readers other than the auditor's.

    The watermark counts as left when its bits, which are known here, are read better than chance
    could at one in a million; ``number`` is whether it also reads back whole, unaided.
    """
    pictures = [f.image for f in _frames(path)]
    size = open_clip(source).size
    reader = WatermarkReader()
    for picture in pictures:
        reader.add(picture)
    return {
        "aigc": marked.aigc.to_json() in _tags(path),
        "c2pa": _library_state(path) in ("Valid", "Trusted"),
        "visible": shows(pictures[0], VisibleLabel(size, marked.visible)),
        "watermark": _known_bits(reader, marked.watermark),
        "number": reader.result().payload == marked.watermark,
    }


def _known_bits(reader: WatermarkReader, payload: Payload | None) -> bool:
    assert payload is not None
    read = soft_bits(reader.phasors, PUBLIC_KEY) < 0
    errors = int(np.count_nonzero(read != payload.bits[:, None].astype(bool)))
    return binomial_tail(errors, COEFFICIENTS) < _CHANCE


def _frames(path: Path) -> Any:
    with stream_frames(open_clip(path), SamplingPlan(frames=48)) as frames:
        yield from frames


def _tags(path: Path) -> list[str]:
    if path.suffix in (".png", ".jpg"):
        with Image.open(path) as image:
            tree = json.dumps(image.getxmp(), ensure_ascii=False)
            texts = [v for k, v in image.info.items() if "AIGC" in str(k)]
        return [*_strings(json.loads(tree)), *map(str, texts)]
    with av.open(str(path)) as container:
        return list(container.metadata.values())


def _strings(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _strings(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in _strings(value)]
    return [str(tree)]


def _library_state(path: Path) -> str:
    """Ask the C2PA library alone."""
    import c2pa

    mime = {".mp4": "video/mp4", ".png": "image/png", ".jpg": "image/jpeg"}.get(path.suffix)
    if mime is None:
        return "unsupported"
    settings = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    try:
        with (
            path.open("rb") as file,
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(mime, file, context=context) as reader,
        ):
            return str(json.loads(reader.json()).get("validation_state"))
    except c2pa.C2paError as error:
        return type(error).__name__


def shows(picture: Any, label: VisibleLabel) -> bool:
    """Tell whether the label's middle, most of its text, stands in the picture at a known scale."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = (np.flatnonzero(label.letters.max(axis=axis) > 0.5) for axis in (1, 0))
    high, wide = rows[-1] - rows[0], columns[-1] - columns[0]
    middle = label.letters[
        rows[0] + high // 10 : rows[-1] - high // 10,
        columns[0] + wide // 5 : columns[-1] - wide // 10,
    ]
    best = 0.0
    for scale in (1.0, 0.75, 0.5):
        letters = cv2.resize(middle, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if letters.shape[0] <= grey.shape[0] and letters.shape[1] <= grey.shape[1]:
            found = cv2.matchTemplate(grey, letters, cv2.TM_CCOEFF_NORMED)
            best = max(best, float(found.max()))
    return best >= _SHOWN


def report(rows: Sequence[Row], *, own: bool) -> int:
    """Print the table, write the result, and return 1 when a bar is missed."""
    cells = [
        [
            f"{row.kind}: {row.name}",
            *(f"{row.left[mark]}/{row.n}" for mark in MARKS),
            "; ".join(f"{k} ({v})" for k, v in sorted(row.said.items())),
            ", ".join(f"{v / row.n:.1f} {k}" for k, v in sorted(row.outcomes.items())),
            str(len(row.wrong)),
        ]
        for row in rows
    ]
    show("Marks left, and what the auditor says", ["", *MARKS, "auditor", "rules", "wrong"], cells)
    wrong = [line for row in rows for line in row.wrong]
    for line in wrong:
        print("wrong:", line)
    told = sum(row.n for row in rows)
    bars = [Bar("wrong statements of the auditor", value=len(wrong), limit=0)]
    files = {kind: max(row.n for row in rows if row.kind == kind) for kind in ("video", "image")}
    data = {
        "material": ("footage given by --clips, then " if own else "")
        + "the package's sample and drawn scenes",
        "files": files,
        "wrong_interval": list(wilson(min(len(wrong), told), told)),
        "rows": [row.record() for row in rows],
        "bars": [bar.record() for bar in bars],
    }
    print(write_result("provenance-matrix", data))
    return 0 if show_bars(bars) else 1
