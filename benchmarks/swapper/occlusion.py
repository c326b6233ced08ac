"""What a swap does to things in front of a face: ignored, and kept by the network's mask branch.

    python benchmarks/swapper/occlusion.py --model CHECKPOINT --clips A.mpg B.mpg \\
        [--occluders FOLDER] [--pictures FOLDER]

Known things are put before the face of every frame: shapes drawn with numbers that training did
not use, and, where a folder is given, photographed masks and glasses of the families that training
may not see (`generator.occluder_split`).
The same network swaps each clip twice, through the thing and around it. Contested are the pixels
that the thing covers and that the swap through it replaced. Kept of them are those in which the
new face weighs less than a half; untouched those in which it weighs less than a tenth. The free
face must not be lost instead: the share of its uncovered pixels that are still replaced is given
too. Neighbouring frames are alike, so the interval draws whole clips (occluder x person) anew.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from forensics.media import open_clip
from generator.checkpoint import read_card
from generator.methods import Method, create_method
from generator.occlude import Occluder, draw_occluder, load_occluders
from generator.occluded_pairs import SHAPES
from generator.occluder_split import for_measuring
from generator.preview import write_preview
from generator.replace import Replaced, Replacement, replace_faces
from generator.scene import Scene, look
from generator.train_setup import spread

UNSEEN = 1000
"""Number of the drawings; training draws with 0 to 31."""
STEP = 5
"""Of so many frames one is measured; neighbours are alike."""


@dataclass
class Count:
    """Pixels of one clip with one thing."""

    occluder: str
    group: str
    target: str
    pixels: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("covered", "contested", "kept", "untouched", "free", "free_replaced"), 0
        )
    )

    def add(self, ignored: Replaced, kept: Replaced) -> None:
        """Take one frame of both variants."""
        assert ignored.occluder is not None
        assert np.array_equal(ignored.occluder, kept.occluder)
        covered, replaced = ignored.occluder > 127, ignored.swapped > 127
        contested, free = covered & replaced, replaced & (ignored.occluder < 3)
        p = self.pixels
        p["covered"] += int(covered.sum())
        p["contested"] += int(contested.sum())
        p["kept"] += int((kept.swapped[contested] < 128).sum())
        p["untouched"] += int((kept.swapped[contested] < 26).sum())
        p["free"] += int(free.sum())
        p["free_replaced"] += int((kept.swapped[free] > 127).sum())


def variants(
    path: Path, scene: Scene, method: Method, thing: Occluder
) -> tuple[list[Replaced], list[Replaced]]:
    """Swap every frame through the thing, and around it."""
    clip, chosen = open_clip(path), scene.of(0)
    through, around = (
        list(replace_faces(clip, chosen, method, Replacement(occluder=thing, keep=keep)))[::STEP]
        for keep in (False, True)
    )
    return through, around


def share(counts: list[Count], above: str, below: str) -> float:
    """Return a share of pixels over several clips."""
    return sum(c.pixels[above] for c in counts) / max(1, sum(c.pixels[below] for c in counts))


def interval(counts: list[Count], above: str, below: str) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a share, drawing clips."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(counts), (2000, len(counts)))
    shares = [share([counts[i] for i in row], above, below) for row in drawn]
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(low), float(high)


def crop_of(picture: NDArray[np.uint8], scene: Scene) -> NDArray[np.float32]:
    """Cut the head out of a frame, for the picture in the docs."""
    import cv2

    box = scene.of(0)[0].raw[0]
    eyes = float(np.linalg.norm(box[1] - box[0]))
    x, y = box.mean(axis=0)
    left, top = int(max(0, x - 2.2 * eyes)), int(max(0, y - 2.4 * eyes))
    part = picture[top : top + int(4.4 * eyes), left : left + int(4.4 * eyes)]
    small = cv2.resize(part, (128, 128), interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / 255.0)


def main() -> int:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="with a mask branch")
    parser.add_argument("--clips", type=Path, nargs=2, required=True, help="of A and of B")
    parser.add_argument("--occluders", type=Path, help="folder with masks/, glasses/, textures/")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    things = [("drawn", draw_occluder(name, seed=UNSEEN)) for name in SHAPES]
    if arguments.occluders is not None:
        things += [("photographed", o) for o in for_measuring(load_occluders(arguments.occluders))]
    counts: list[Count] = []
    columns: list[tuple[str, NDArray[np.float32]]] = []
    for own, (path, letter) in enumerate(zip(arguments.clips, "ba", strict=True)):
        method = create_method(
            "autoencoder", model=arguments.model, options={"person": letter}
        )
        scene = look(open_clip(path))
        for group, thing in things:
            through, around = variants(path, scene, method, thing)
            count = Count(thing.name, group, "AB"[own])
            for a, b in zip(through, around, strict=True):
                count.add(a, b)
            counts.append(count)
            kept = share([count], "kept", "contested")
            print(f"{'AB'[own]} {group} {thing.name}: {kept:.1%}", flush=True)
            if own == 0:
                middle = len(through) // 2
                pair = [crop_of(v[middle].picture, scene) for v in (through, around)]
                columns.append((thing.name[:12], np.stack(pair)))
    groups = {"all": counts} | {
        g: [c for c in counts if c.group == g] for g in dict.fromkeys(c.group for c in counts)
    }
    rows = {
        name: {
            "clips": len(some),
            "pixels": {k: sum(c.pixels[k] for c in some) for k in some[0].pixels},
            "kept": share(some, "kept", "contested"),
            "kept_interval_95": interval(some, "kept", "contested"),
            "untouched": share(some, "untouched", "contested"),
            "free_face_still_replaced": share(some, "free_replaced", "free"),
            "kept_of_all_covered": 1
            - (share(some, "contested", "covered") - share(some, "kept", "covered")),
            "kept_when_ignored": 1 - share(some, "contested", "covered"),
        }
        for name, some in groups.items()
    }
    show(
        "Occluder pixels over the face",
        ["things", "kept", "95 %", "untouched", "free face still replaced", "clips"],
        [
            [
                name,
                f"{r['kept']:.1%}",
                "{:.1%} to {:.1%}".format(*r["kept_interval_95"]),
                f"{r['untouched']:.1%}",
                f"{r['free_face_still_replaced']:.1%}",
                str(r["clips"]),
            ]
            for name, r in rows.items()
        ],
    )
    bars = [
        Bar(f"occluder pixels kept, {name}", value=r["kept"], limit=0.95, at_most=False)
        for name, r in rows.items()
    ]
    # A network that takes everything for an occluder keeps them all and swaps nothing.
    free = rows["all"]["free_face_still_replaced"]
    bars.append(Bar("free face still replaced", value=free, limit=0.9, at_most=False))
    met = show_bars(bars)
    card = read_card(arguments.model)[0]
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        note = f"{card.name}, step {card.training['step']}; above ignored, below kept"
        shown = [columns[i] for i in spread(len(columns), 8)]
        write_preview(arguments.pictures / "generator-occlusion.png", shown, note=note, side=128)
    data = {
        "model": card.name,
        "like": card.training.get("like"),
        "steps": card.training["step"],
        "templates_in_training": card.training.get("templates", []),
        "batch": card.training["batch"],
        "training_seconds": card.training["seconds"],
        "shares": rows,
        "per_clip": [
            {"occluder": c.occluder, "group": c.group, "target": c.target, **c.pixels}
            for c in counts
        ],
        "bars": [b.record() for b in bars],
    }
    print(write_result("swapper-occlusion", data, arguments.out))
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
