"""Change one byte of a signed file, again and again: is every change reported?

    python -m benchmarks.provenance tamper [-n 1000] [--seed 1]

The specification lets some ranges of a file out of its hash: in MP4 the boxes that the manifest's
own hash assertion lists, in JPEG and PNG the place of the manifest itself. Whether a byte lies in
such a range is computed here from the file and its hash assertion, not from what the reader said.
The manifest is sealed by its own signature, all but the signature's padding and the names of boxes:
each of its bytes is changed once in a small file, to count these.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks._results import Bar, show, show_bars, write_result
from benchmarks.provenance.material import clips, photos
from forensics.evaluation.rates import wilson
from forensics.media import write_video
from forensics.provenance.c2pa import read_c2pa
from forensics.provenance.labelling import label_file
from forensics.testing import draw_frames

Range = tuple[int, int, str]
_MANIFEST = "the manifest itself"
_MIME = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.provenance tamper")
    parser.add_argument("-n", type=int, default=1000, help="changes of each file")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = clips(folder, 2, None)[1:]
        rows = []
        for source in [*made, *photos(folder, made)]:
            signed = label_file(source, folder / f"signed-{source.name}").path
            rows.append(measure(signed, options.n, np.random.default_rng(options.seed)))
        inside = [every_manifest_byte(path) for path in small_files(folder)]
    return report(rows, inside)


def measure(path: Path, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Change ``count`` bytes of one file, one at a time."""
    raw = path.read_bytes()
    assert read_c2pa(path).integrity == "intact"
    spared = list(excluded(path))
    changed = path.with_name(f"changed{path.suffix}")
    answers: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    inside = 0
    for at in rng.choice(len(raw), size=count, replace=count > len(raw)).tolist():
        body = bytearray(raw)
        body[at] ^= int(rng.integers(1, 256))
        changed.write_bytes(body)
        answer = read_c2pa(changed).integrity
        answers[answer] += 1
        place = next((what for low, high, what in spared if low <= at < high), "")
        inside += bool(place)
        if answer == "intact":
            missed[place or "a signed range"] += 1
    changed.unlink()
    signed = count - inside
    found = signed - missed["a signed range"]
    sizes: Counter[str] = Counter()
    for low, high, what in spared:
        sizes[what] += high - low
    return {
        "format": path.suffix[1:],
        "bytes": len(raw),
        "changes": count,
        "in_signed_ranges": signed,
        "reported": found,
        "interval": list(wilson(found, signed)),
        "in_excluded_ranges": inside,
        "excluded_bytes": dict(sizes),
        "not_reported": {what: n for what, n in missed.items() if n},
        "answers": dict(answers),
    }


def small_files(folder: Path) -> Iterator[Path]:
    """Write one small signed file of each format."""
    pictures = list(draw_frames(count=8, size=(160, 160), seed=3))
    write_video(folder / "small.mp4", pictures, fps=8)
    for suffix in (".jpg", ".png"):
        Image.fromarray(pictures[0]).save(folder / f"small{suffix}")
    for suffix in _MIME:
        yield label_file(folder / f"small{suffix}", folder / f"sealed{suffix}").path


def every_manifest_byte(path: Path) -> dict[str, Any]:
    """Change each byte of the manifest of one file once."""
    raw = path.read_bytes()
    changed = path.with_name(f"changed{path.suffix}")
    missed: Counter[str] = Counter()
    count = 0
    for low, high, what in excluded(path):
        if what != _MANIFEST:
            continue
        for at in range(low, high):
            body = bytearray(raw)
            body[at] ^= 0x55
            changed.write_bytes(body)
            count += 1
            if read_c2pa(changed).integrity == "intact":
                padding = not any(raw[max(0, at - 16) : at + 1]) or not any(raw[at : at + 16])
                missed["padding of the signature" if padding else "box headers and names"] += 1
    changed.unlink()
    return {"format": path.suffix[1:], "bytes": count, "not_reported": dict(missed)}


def excluded(path: Path) -> Iterator[Range]:
    """Yield (start, end, name) of the ranges that the file's own hash assertion leaves out."""
    import c2pa

    with path.open("rb") as file, c2pa.Reader(_MIME[path.suffix], file) as reader:
        store = json.loads(reader.detailed_json())
    assertions = store["manifests"][store["active_manifest"]]["assertion_store"]
    for name, assertion in assertions.items():
        if name.startswith("c2pa.hash.bmff"):
            yield from _boxes(path.read_bytes(), assertion["exclusions"])
        elif name.startswith("c2pa.hash.data"):
            for part in assertion["exclusions"]:
                yield part["start"], part["start"] + part["length"], _MANIFEST


def _boxes(raw: bytes, rules: Sequence[dict[str, Any]]) -> Iterator[Range]:
    at = 0
    while at + 8 <= len(raw):
        size, kind = struct.unpack(">I4s", raw[at : at + 8])
        if size == 1:
            size = struct.unpack(">Q", raw[at + 8 : at + 16])[0]
        end = at + size if size else len(raw)
        if any(_matches(raw[at:end], kind.decode("latin-1"), rule) for rule in rules):
            name = _MANIFEST if kind == b"uuid" else f"box {kind.decode()}"
            yield at, end, name
        at = end


def _matches(box: bytes, kind: str, rule: dict[str, Any]) -> bool:
    return rule["xpath"] == f"/{kind}" and all(
        box[part["offset"] :].startswith(base64.b64decode(part["value"]))
        for part in rule.get("data") or ()
    )


def report(rows: Sequence[dict[str, Any]], inside: Sequence[dict[str, Any]]) -> int:
    """Print the table, write the result, and return 1 when a bar is missed."""
    show(
        "One changed byte",
        ["file", "changes", "in signed ranges", "reported", "in excluded ranges", "not reported"],
        [
            [
                f"{row['format']}, {row['bytes']} bytes",
                str(row["changes"]),
                str(row["in_signed_ranges"]),
                f"{row['reported']}",
                str(row["in_excluded_ranges"]),
                ", ".join(f"{n} in {what}" for what, n in row["not_reported"].items()) or "0",
            ]
            for row in rows
        ],
    )
    for row in inside:
        print(f"each of the {row['bytes']} manifest bytes, {row['format']}: {row['not_reported']}")
    bars = [
        Bar(
            f"changes of signed bytes reported, {row['format']}",
            value=100 * row["reported"] / row["in_signed_ranges"],
            limit=100,
            unit="%",
            at_most=False,
        )
        for row in rows
    ]
    data = {"rows": list(rows), "manifest": list(inside), "bars": [bar.record() for bar in bars]}
    print(write_result("provenance-tamper", data))
    return 0 if show_bars(bars) else 1
