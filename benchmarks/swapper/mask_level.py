"""Choose from which level on a mask branch's pixel counts as face (``_SEEN`` of the swap).

    python benchmarks/swapper/mask_level.py --model CHECKPOINT --faces A B [--occluders FOLDER]

Only what training saw is put before the faces: drawings with training's numbers and the families
of `generator.occluder_split.for_training`; the faces are of frames that `occlusion.py` does not
measure. For each level: the share of covered pixels kept, and of free ones still replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import show
from generator.faceset import FaceEntry, read_faceset
from generator.methods import AlignedFace, Method, create_method
from generator.occlude import Occluder, OccluderCompositor, draw_occluder, load_occluders
from generator.occluded_pairs import SHAPES
from generator.occluder_split import for_training

FRAMES = slice(1, None, 15)
"""Faces looked at; `occlusion.py` measures frames 0, 5, 10 and so on."""
DRAWINGS = (8, 9)
LEVELS = (0.5, 0.6, 0.7, 0.8)
Masks = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]


def masks(method: Method, faces: list[FaceEntry], thing: Occluder) -> Iterator[Masks]:
    """Yield what the network sees of each face behind a thing, what is covered and what is free."""
    put = [OccluderCompositor(thing).apply(e.face.crop, e.face.mesh) for e in faces]
    targets = [
        AlignedFace(crop, mesh=e.face.mesh, pts=e.face.pts)
        for (crop, _), e in zip(put, faces, strict=True)
    ]
    for made, (_, opacity) in zip(method.swap_faces(targets), put, strict=True):
        assert made.visible is not None, "a network with a mask branch is needed"
        inside = made.mask > 0.5
        yield made.visible, inside & (opacity > 0.5), inside & (opacity < 0.01)


def main() -> int:
    """Look at every level and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--faces", type=Path, nargs=2, required=True, help="sets of A and of B")
    parser.add_argument("--occluders", type=Path)
    arguments = parser.parse_args()
    things = [draw_occluder(name, seed=number) for name in SHAPES for number in DRAWINGS]
    if arguments.occluders is not None:
        things += for_training(load_occluders(arguments.occluders))
    counts = np.zeros((len(LEVELS), 4))
    for folder, other in zip(arguments.faces, "ba", strict=True):
        method = create_method("autoencoder", model=arguments.model, options={"person": other})
        faces = list(read_faceset(folder).faces)[FRAMES]
        for thing in things:
            for visible, covered, free in masks(method, faces, thing):
                for row, level in zip(counts, LEVELS, strict=True):
                    replaced = visible > (1 + level) / 2  # the new face weighs more than a half
                    pairs = (covered & ~replaced, covered, free & replaced, free)
                    row += [np.count_nonzero(pixels) for pixels in pairs]
    show(
        f"{len(things)} things that training sees",
        ["level", "covered pixels kept", "free face still replaced"],
        [
            [f"{level:.1f}", f"{row[0] / row[1]:.1%}", f"{row[2] / row[3]:.1%}"]
            for level, row in zip(LEVELS, counts, strict=True)
        ],
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
