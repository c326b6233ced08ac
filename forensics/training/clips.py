"""Make short labelled clips from held-out portraits, for calibration and for the own test.

``python -m forensics.training.clips --cache runs/blend/cache --out runs/calibrate``

Each person gives a real clip (the animated portrait) and fake ones (the same frames with a
manipulated face), filmed and encoded alike. The fakes are labelled in the manifest and in each
file's metadata; they are for measuring, not for publishing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.progress import track

from forensics.media import write_video
from forensics.training.allocator import keep_memory
from forensics.training.animate import Image, Mesh, animate_face
from forensics.training.degrade import Chain, draw_chain
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import MAKERS, Material
from forensics.training.portraits import Portrait, load_cache

_FPS = 6.0
_SECONDS = 2.0


def _film(frames: Iterator[Image], chain: Chain) -> Iterator[Image]:
    for index, frame in enumerate(frames):
        yield replace(chain, seed=chain.seed + index, codecs=()).apply(frame)


def _manipulated(
    frames: list[tuple[Image, Mesh]], family: str, material: Material, seed: int
) -> Iterator[Image]:
    for image, mesh in frames:
        # The same chance in every frame: one swapper treats a whole clip in one way.
        yield MAKERS[family](image, mesh, material, np.random.default_rng(seed))[0]


def _rows(
    portrait: Portrait, out: Path, material: Material, seed: int
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng((seed, int.from_bytes(portrait.name.encode()[-6:], "big")))
    frames = list(
        animate_face(
            np.asarray(portrait.image), portrait.mesh, seconds=_SECONDS, fps=_FPS,
            seed=int(rng.integers(2**31)),
        )
    )
    size = 2 * int(rng.integers(110, 260))
    chain = draw_chain(portrait.mesh, rng, size=size, margin=(0.32, 0.4))
    chain = replace(chain, width=min(max(chain.width, size // 2), size), mirror=False)
    crf = int(rng.integers(18, 38))
    stem = portrait.name.replace("/", "_")
    fakes = rng.choice(list(MAKERS), size=2, replace=False)
    versions = [("real", iter([image for image, _ in frames]))]
    versions += [
        (str(name), _manipulated(frames, str(name), material, int(rng.integers(2**31))))
        for name in fakes
    ]
    for method, pictures in versions:
        path = out / f"{stem}_{method}.mp4"
        label = "real" if method == "real" else "fake"
        comment = f"made for measuring; {'animated portrait' if label == 'real' else method}"
        write_video(path, _film(pictures, chain), fps=_FPS, crf=crf, metadata={"comment": comment})
        yield {
            "path": path.name, "label": label, "group": portrait.identity,
            "identity": portrait.identity, "split": portrait.split, "source": portrait.licence,
            "method": method, "width": chain.width, "crf": crf,
        }


def make_clips(cache: Path, out: Path, *, splits: tuple[str, ...], seed: int) -> Path:
    """Make the clips of some splits and return the manifest's path.

    Clips that exist already are made again: the result depends on the seed alone.

    Raises:
        FileNotFoundError: No portrait cache.
    """
    out.mkdir(parents=True, exist_ok=True)
    train = load_cache(cache, ["train"])
    coder = Eigenfaces(train)
    portraits = load_cache(cache, splits)
    material = Material(portraits, coder)
    manifest = out / "manifest.jsonl"
    with manifest.open("w", encoding="utf-8") as file:
        for portrait in track(portraits, description="clips"):
            for row in _rows(portrait, out, material, seed):
                file.write(json.dumps(row) + "\n")
    return manifest


def main(
    cache: Annotated[Path, typer.Option(help="Portrait cache of the training run.")],
    out: Annotated[Path, typer.Option(help="Folder for the clips.")],
    split: Annotated[str, typer.Option(help="Splits, comma-separated.")] = "calibrate",
    seed: Annotated[int, typer.Option(help="Seed of every choice.")] = 0,
) -> None:
    """Make labelled clips from held-out portraits."""
    keep_memory()
    print(make_clips(cache, out, splits=tuple(split.split(",")), seed=seed))


if __name__ == "__main__":
    typer.run(main)
