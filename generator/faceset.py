"""A face set: a folder of aligned faces of one person, easy to look at and to correct by hand.

    faces/000000.png   256 px, upright, five-point alignment
    masks/000000.png   the face without hair and background; paint on it to change it
    mesh.npy           (n, 468, 3) float32, crop pixels
    index.json         where every face comes from, its quality, what was rejected and why
    contact.png        all faces at a glance
    consent.toml       the permission to use this person's face, where one was given
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import UnreadableInputError
from forensics.faces.quality import face_mask
from generator.files import read_json, write_file, write_json
from generator.methods import FACE_SIZE, AlignedFace

SCHEMA = "faceset/1"
MAX_FACES = 5000
CONSENT = "consent.toml"
_NO_MASK: NDArray[np.uint8] = np.zeros((FACE_SIZE, FACE_SIZE), np.uint8)


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """One face of a set.

    Attributes:
        face: The aligned face with its mesh.
        source: File name of the clip or photo it comes from.
        source_sha256: Digest of that file.
        track: Number of the face's track within its source.
        to_frame: (2, 3) affine matrix from crop to frame pixels.
        quality: JSON-ready quality values.
        mask: (256, 256) ``uint8``, 255 on the face.
    """

    face: AlignedFace
    source: str = field(kw_only=True)
    source_sha256: str = field(kw_only=True, default="")
    track: int = field(kw_only=True, default=0)
    to_frame: NDArray[np.float64] = field(
        kw_only=True, repr=False, default_factory=lambda: np.eye(2, 3)
    )
    quality: dict[str, float] = field(kw_only=True, default_factory=dict)
    mask: NDArray[np.uint8] = field(kw_only=True, repr=False, default_factory=lambda: _NO_MASK)

    def __post_init__(self) -> None:
        if self.mask is _NO_MASK:
            object.__setattr__(self, "mask", face_mask(self.face.mesh, FACE_SIZE))



@dataclass(frozen=True, slots=True)
class FaceSet:
    """The faces of one person.

    Attributes:
        path: Its folder.
        faces: In the order of sources and time.
        report: What `write_faceset` was given beside the faces (rejections, identity check).
    """

    path: Path
    faces: tuple[FaceEntry, ...] = field(kw_only=True, repr=False)
    report: dict[str, Any] = field(kw_only=True, default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def consent(self) -> Path | None:
        """The consent record that lies in the folder, if any."""
        record = self.path / CONSENT
        return record if record.is_file() else None


def write_faceset(
    folder: Path, faces: Sequence[FaceEntry], report: dict[str, Any] | None = None
) -> FaceSet:
    """Write a face set; ``index.json`` comes last, so a folder with one is complete.

    Raises:
        OutputError: A file cannot be written.
    """
    rows = []
    for i, entry in enumerate(faces):
        name = f"{i:06d}.png"
        _write_png(folder / "faces" / name, entry.face.crop[:, :, ::-1])
        _write_png(folder / "masks" / name, entry.mask)
        rows.append(
            {
                "file": f"faces/{name}",
                "mask": f"masks/{name}",
                "source": entry.source,
                "source_sha256": entry.source_sha256,
                "pts": round(entry.face.pts, 6),
                "track": entry.track,
                "to_frame": np.asarray(entry.to_frame).round(6).tolist(),
                "quality": {k: round(float(v), 4) for k, v in entry.quality.items()},
            }
        )
    meshes = np.stack([e.face.mesh for e in faces]).astype(np.float32)
    write_file(folder / "mesh.npy", lambda part: _save_npy(part, meshes))
    _write_png(folder / "contact.png", contact_sheet([e.face.crop for e in faces])[:, :, ::-1])
    index = {"schema": SCHEMA, "size": FACE_SIZE, "faces": rows, "report": report or {}}
    write_json(folder / "index.json", index)
    return FaceSet(folder, faces=tuple(faces), report=report or {})


def read_faceset(folder: Path) -> FaceSet:
    """Read a face set. Faces whose picture was deleted by hand are left out.

    Raises:
        UnreadableInputError: No face set, or one that does not hold together.
    """
    index = read_json(folder / "index.json", "a face set (make one with: generator extract)")
    try:
        if index["schema"] != SCHEMA:
            raise UnreadableInputError(folder, f"face set of unknown form {index['schema']!r}")
        rows = list(index["faces"])[:MAX_FACES]
        meshes = np.load(folder / "mesh.npy", allow_pickle=False)
        entries = [
            entry
            for row, mesh in zip(rows, meshes[: len(rows)], strict=True)
            if (entry := _read_entry(folder, row, mesh)) is not None
        ]
        report = dict(index.get("report", {}))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise UnreadableInputError(folder, f"damaged face set ({error})") from error
    return FaceSet(folder, faces=tuple(entries), report=report)


def _read_entry(folder: Path, row: dict[str, Any], mesh: NDArray[np.float32]) -> FaceEntry | None:
    # Only names inside the folder: an index from elsewhere must not read other files.
    picture = cv2.imread(str(folder / "faces" / Path(row["file"]).name), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    mask = cv2.imread(str(folder / "masks" / Path(row["mask"]).name), cv2.IMREAD_GRAYSCALE)
    crop = np.ascontiguousarray(picture[:, :, ::-1], np.uint8)
    return FaceEntry(
        AlignedFace(crop, mesh=mesh.astype(np.float32), pts=float(row["pts"])),
        source=str(row["source"]),
        source_sha256=str(row["source_sha256"]),
        track=int(row["track"]),
        to_frame=np.array(row["to_frame"], np.float64),
        quality=dict(row["quality"]),
        mask=face_mask(mesh, FACE_SIZE) if mask is None else np.asarray(mask, np.uint8),
    )


def contact_sheet(crops: Sequence[NDArray[np.uint8]], *, side: int = 64) -> NDArray[np.uint8]:
    """Lay up to 400 crops out in rows of 20, evenly chosen: (h, w, 3) ``uint8``."""
    chosen = np.unique(np.linspace(0, len(crops) - 1, min(len(crops), 400)).astype(int))
    columns = min(20, len(chosen))
    sheet = np.zeros((-(-len(chosen) // columns) * side, columns * side, 3), np.uint8)
    for place, i in enumerate(chosen):
        y, x = divmod(place, columns)
        small = cv2.resize(crops[i], (side, side), interpolation=cv2.INTER_AREA)
        sheet[y * side : (y + 1) * side, x * side : (x + 1) * side] = small
    return sheet


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    def write(part: Path) -> None:
        part.write_bytes(cv2.imencode(".png", image)[1].tobytes())  # imwrite keeps the cause back

    write_file(path, write)


def _save_npy(part: Path, array: NDArray[np.float32]) -> None:
    with part.open("wb") as file:
        np.save(file, array, allow_pickle=False)
