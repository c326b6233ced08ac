"""Portraits that training never saw, against fresh self-blends of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from forensics.errors import UnreadableInputError
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.pairs import PairSource
from forensics.training.portraits import load_cache

SPLIT = "test"
SIZE = 256
_SEED = 20_260


def write_pairs(cache: Path, out: Path, *, each: int, mild: bool) -> Path:
    """Write real and self-blended crops of every held-out portrait, and their manifest.

    Both crops of a pair went through one and the same coding chain. They are stored without
    further loss.

    Args:
        cache: Portrait cache of the training run.
        out: Folder to write into.
        each: Pairs a portrait.
        mild: Code and scale the crops lightly, instead of as hard as in training.

    Returns:
        The manifest's path; a person is a group.

    Raises:
        UnreadableInputError: The cache is missing, or holds no portrait of this split.
    """
    try:
        portraits = load_cache(cache, [SPLIT])
        coder = Eigenfaces(load_cache(cache, ["train"]))
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableInputError(cache, f"no portrait cache ({error})") from error
    if not portraits:
        raise UnreadableInputError(cache, f"no portrait of split {SPLIT!r}")
    material = Material(portraits, coder)
    manifest = out / "pairs.jsonl"
    with manifest.open("w", encoding="utf-8") as file:
        for number, portrait in enumerate(portraits):
            source = PairSource(
                [portrait], material, size=SIZE, shares={"self_blended": 1.0}, mild=float(mild)
            )
            for turn in range(each):
                pair = source.draw((_SEED + number, turn))
                for label, crop in (("real", pair.real), ("fake", pair.fake)):
                    name = f"{number:04}-{turn:02}-{label}.png"
                    Image.fromarray(np.ascontiguousarray(crop)).save(out / name, compress_level=1)
                    row = {
                        "path": name,
                        "label": label,
                        "group": portrait.identity,
                        "split": SPLIT,
                        "source": portrait.licence,
                    }
                    method = {"method": pair.family} if label == "fake" else {}
                    file.write(json.dumps(row | method) + "\n")
    return manifest
