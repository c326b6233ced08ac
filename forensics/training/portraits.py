"""A cache of lawful portraits: faces found once, cut out with room around them, with their mesh.

Each source folder is named with its licence, which goes into the weights' card. The split is a
pure function of the identity's name, so that it never changes when files are added.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 384
ROOM = 0.4  # margin around the tight face square, see `forensics.faces.align`

# Shares of the identities; the rest trains.
_TEST, _CALIBRATE, _VALIDATE = 0.10, 0.12, 0.08

_SETS: dict[str, tuple[str, Callable[[str], str]]] = {
    "us_officials": ("public domain (US government works)", lambda stem: stem.split("-", 1)[-1]),
    "london": ("CC BY 4.0, Face Research Lab London Set", lambda stem: stem.split("_")[0]),
    "canada": ("CC BY 4.0, Young Adult Canada Set", lambda stem: stem),
}


@dataclass(frozen=True, slots=True)
class Portrait:
    """One cached face.

    Attributes:
        name: Set and file stem.
        identity: Set and person.
        licence: Licence of the picture.
        split: ``train``, ``validate``, ``calibrate`` or ``test``.
        image: (384, 384, 3) RGB ``uint8``.
        mesh: (468, 3) points in crop pixels.
    """

    name: str
    identity: str
    licence: str
    split: str
    image: NDArray[np.uint8]
    mesh: NDArray[np.float32]


def split_of(identity: str) -> str:
    """Assign an identity to a split by its hash."""
    share = int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) / 2**32
    for name, size in (("test", _TEST), ("calibrate", _CALIBRATE), ("validate", _VALIDATE)):
        if share < size:
            return name
        share -= size
    return "train"


def _sources(faces: Path) -> Iterator[tuple[Path, str, str, str]]:
    for folder, (licence, person) in _SETS.items():
        for path in sorted((faces / folder).glob("*.jpg")):
            yield path, f"{folder}/{path.stem}", f"{folder}/{person(path.stem)}", licence


def build_cache(faces: Path, cache: Path, *, progress: Callable[[int], None] | None = None) -> int:
    """Find, align and store every portrait below ``faces``.

    Args:
        faces: Folder with one sub-folder a set.
        cache: Folder to write ``portraits.npz`` and ``portraits.json`` into.
        progress: Called with the number of portraits done.

    Returns:
        Number of faces stored. Portraits without exactly one usable face are left out and
        listed in ``portraits.json``.

    Raises:
        FileNotFoundError: No portrait was found.
    """
    from forensics.faces import FaceFinder, FaceMesh, align_face
    from forensics.faces.mesh import five_points, mesh_in_crop

    finder, mesher = FaceFinder(), FaceMesh()
    images, meshes, rows, left_out = [], [], [], []
    for count, (path, name, identity, licence) in enumerate(_sources(faces), 1):
        image = cv2.imread(str(path))
        if image is None:
            left_out.append(name)
            continue
        rgb = np.ascontiguousarray(image[..., ::-1], np.uint8)
        found = finder.detect(rgb, thorough=False)
        if not found:
            left_out.append(name)
            continue
        mesh, presence = mesher.points(rgb, found[0])
        if presence < 0.8:
            left_out.append(name)
            continue
        crop, to_frame = align_face(rgb, five_points(mesh), size=SIDE, margin=ROOM)
        images.append(crop)
        meshes.append(mesh_in_crop(mesh, to_frame))
        rows.append({"name": name, "identity": identity, "licence": licence})
        if progress:
            progress(count)
    if not images:
        raise FileNotFoundError(f"{faces}: no portrait found")
    cache.mkdir(parents=True, exist_ok=True)
    np.save(cache / "images.npy", np.stack(images))
    np.save(cache / "meshes.npy", np.stack(meshes))
    text = json.dumps({"portraits": rows, "left_out": left_out}, indent=1)
    (cache / "portraits.json").write_text(text, encoding="utf-8")
    return len(images)


def load_cache(cache: Path, splits: Sequence[str]) -> list[Portrait]:
    """Read the portraits of the given splits.

    Raises:
        FileNotFoundError: The cache was not built.
    """
    rows = json.loads((cache / "portraits.json").read_text(encoding="utf-8"))["portraits"]
    images = np.load(cache / "images.npy", mmap_mode="r")
    meshes = np.load(cache / "meshes.npy")
    found = []
    for row, image, mesh in zip(rows, images, meshes, strict=True):
        split = split_of(row["identity"])
        if split in splits:
            found.append(
                Portrait(row["name"], row["identity"], row["licence"], split, image, mesh)
            )
    return found
