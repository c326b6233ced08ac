"""Draw faces as a scan would see them: filmed, coded, found again, and cut out by their mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forensics.faces import FaceMesh
from forensics.faces.align import CROP, align_face, cut_out
from forensics.faces.detect import DetectedFace
from forensics.faces.mesh import five_points, mesh_in_crop
from forensics.training.animate import animate_face
from forensics.training.blend import paste
from forensics.training.codec import h264_round_trip
from forensics.training.degrade import Chain, draw_chain
from forensics.training.fakes import MAKERS, Material
from forensics.training.hard import TREATMENTS
from forensics.training.motion import manipulate
from forensics.training.occluders import Thing, draw_thing
from forensics.training.pairs import widen
from forensics.training.portraits import Portrait

Image = NDArray[np.uint8]
Mesh = NDArray[np.float32]

_FPS = 25.0
_LENGTH = 6  # frames of a moving take: two bursts of three


@dataclass(frozen=True, slots=True)
class Take:
    """One version of one face.

    Attributes:
        data: (n, 256, 256, 3) aligned crops.
        mesh: (n, 468, 3) points in crop pixels, as the mesh model finds them.
        fake: The truth.
        method: ``real``, the family, or how a thing was treated.
        group: The person.
        failure: (256, 256) where a covering thing was painted over, 0..1, of the first crop; None
            where that was not drawn.
    """

    data: NDArray[np.uint8]
    mesh: NDArray[np.float32]
    fake: bool
    method: str
    group: str
    failure: NDArray[np.float32] | None = None


class Camera:
    """Films pictures by a drawn chain and cuts the face out of them as a scan does.

    Args:
        mesher: The mesh model.
    """

    def __init__(self, mesher: FaceMesh) -> None:
        self._mesher = mesher

    def look(
        self, pictures: Sequence[Image], mesh: Mesh, chain: Chain, *, fixed: bool = False
    ) -> tuple[list[Image], list[Mesh], NDArray[np.float64]] | None:
        """Return crops, meshes, and the matrix from the first crop to the chain's output.

        Args:
            pictures: Filmed and coded pictures.
            mesh: Where the face is in the first one before filming.
            chain: What filmed them.
            fixed: Cut every picture out by the first one's matrix.
        """
        placed = mesh[:, :2] @ chain.crop[:, :2].T + chain.crop[:, 2]
        low, high = placed.min(0), placed.max(0)
        face = DetectedFace(
            np.concatenate([low, high]).astype(np.float32),
            five_points(placed.astype(np.float32)), 1.0,
        )
        crops: list[Image] = []
        meshes: list[Mesh] = []
        to_frame = np.eye(2, 3)
        for picture in pictures:
            found, presence = self._mesher.points(picture, face)
            if presence < 0.5 or not np.isfinite(found).all():
                return None
            if fixed and crops:
                forward = np.linalg.inv(np.vstack([to_frame, [0, 0, 1]]))[:2]
                crop = cut_out(picture, forward)
            else:
                crop, to_frame = align_face(picture, five_points(found))
            crops.append(crop)
            meshes.append(mesh_in_crop(found, to_frame))
        return crops, meshes, to_frame


class TakeSource:
    """Draw takes of lawful portraits.

    Args:
        portraits: Faces to use.
        material: Donors and face coder.
        things: Templates of things to put before faces.
        part: ``train`` or ``test``: which drawn things to use.
    """

    def __init__(
        self, portraits: Sequence[Portrait], material: Material, things: Sequence[Thing], part: str
    ) -> None:
        self._portraits, self._material = portraits, material
        self._things, self._part = things, part
        self._camera = Camera(FaceMesh())

    def stills(self, seed: int, *, covered: float = 0.2) -> list[Take]:
        """Draw one person's single pictures, alike but for the manipulation.

        Args:
            seed: Of every choice.
            covered: Share of the draws with a thing before the face; those give four takes
                (unswapped, swapped around the thing, painted over, melted), others two.
        """
        rng = np.random.default_rng((seed, 0))
        portrait = self._portraits[int(rng.integers(len(self._portraits)))]
        image, mesh = widen(portrait, rng)
        family = str(rng.choice(list(MAKERS)))
        versions: list[tuple[str, Image, NDArray[np.float32] | None]]
        if rng.random() < covered:
            versions = self._covered(image, mesh, rng)
        else:
            fake, _ = MAKERS[family](image, mesh, self._material, rng)
            versions = [("real", image, None), (family, fake, None)]
        chain = _chain(mesh, rng)
        treatment = str(rng.choice(list(TREATMENTS))) if rng.random() < 0.3 else None
        state = rng.bit_generator.state
        takes = []
        for method, picture, failure in versions:
            rng.bit_generator.state = state
            if treatment is not None:
                picture = TREATMENTS[treatment](rng)(picture, mesh)
            seen = self._camera.look([chain.apply(picture)], mesh, chain)
            if seen is None:
                continue
            crops, meshes, to_frame = seen
            placed: NDArray[np.float32] | None = None
            if failure is not None:
                forward = np.linalg.inv(np.vstack([to_frame, [0, 0, 1]]))[:2]
                flat = (chain.place(failure) * 255).astype(np.uint8)
                cut = cut_out(np.repeat(flat[..., None], 3, 2), forward, CROP)
                placed = np.asarray(cut[..., 0], np.float32) / np.float32(255)
            takes.append(
                Take(
                    np.stack(crops), np.stack(meshes), method != "real" and method != "covered",
                    method, portrait.identity, placed,
                )
            )
        return takes

    def _covered(
        self, image: Image, mesh: Mesh, rng: np.random.Generator
    ) -> list[tuple[str, Image, NDArray[np.float32] | None]]:
        thing = draw_thing(rng, self._things, self._part)
        seen, alpha = thing.put(image, mesh)
        family = str(rng.choice([name for name in MAKERS if name != "self_blended"]))
        fake, mask = MAKERS[family](image, mesh, self._material, rng)
        melted, melt = MAKERS["repainted"](seen, mesh, self._material, rng)
        nothing = np.zeros_like(mask)
        return [
            ("covered", seen, nothing),
            ("around", thing.put(fake, mesh)[0], nothing),
            ("painted_over", paste(seen, fake, mask), np.asarray(mask * alpha, np.float32)),
            ("melted", melted, np.asarray(melt * alpha, np.float32)),
        ]

    def moving(
        self, seed: int, frames: list[tuple[Image, Mesh]] | None = None, group: str = ""
    ) -> list[Take]:
        """Draw one person's two bursts of three pictures: steady and unsteady fakes, and real.

        Args:
            seed: Of every choice.
            frames: Real footage to use in place of an animated portrait.
            group: The person of ``frames``.
        """
        rng = np.random.default_rng((seed, 1))
        if frames is None:
            portrait = self._portraits[int(rng.integers(len(self._portraits)))]
            group = portrait.identity
            long = list(
                animate_face(
                    np.asarray(portrait.image), portrait.mesh, seconds=20 / _FPS, fps=_FPS,
                    seed=int(rng.integers(2**31)),
                )
            )
            frames = long
        # A scan leaves out pictures that no other depends on, so its bursts may skip every other.
        step = int(rng.integers(1, 3)) if len(frames) >= 4 * _LENGTH // 2 else 1
        frames = [*frames[: 3 * step : step], *frames[-3 * step :: step]]
        mesh = frames[0][1]
        family = str(rng.choice(list(MAKERS)))
        unsteady = float(rng.random() < 0.75) * float(rng.uniform(0.3, 1.0))
        fake = [
            image
            for image, _ in manipulate(
                frames, family, self._material, seed=int(rng.integers(2**31)), unsteady=unsteady
            )
        ]
        chain = replace(_chain(mesh, rng), codecs=())
        crf = int(rng.integers(18, 42))
        takes = []
        for method, pictures in (("real", [image for image, _ in frames]), (family, fake)):
            filmed = [
                replace(chain, seed=chain.seed + i).apply(p) for i, p in enumerate(pictures)
            ]
            coded = h264_round_trip(filmed, crf=crf)
            data: list[Image] = []
            meshes: list[Mesh] = []
            for start in (0, 3):
                part = coded[start : start + 3]
                seen = self._camera.look(part, frames[start][1], chain, fixed=True)
                if seen is not None:
                    data += seen[0]
                    meshes += seen[1]
            if data:
                takes.append(
                    Take(np.stack(data), np.stack(meshes), method != "real", method, group)
                )
        return takes


def _chain(mesh: Mesh, rng: np.random.Generator) -> Chain:
    """A chain that keeps room around the face, so that it can be found again."""
    size = 2 * int(rng.integers(110, 200))
    mild = bool(rng.random() < 0.5)
    chain = draw_chain(mesh, rng, size=size, margin=(0.3, 0.4), mild=mild)
    width = max(chain.width, int(0.5 * size) // 2 * 2)
    return replace(chain, width=min(width, size), mirror=False)
