"""A linear autoencoder over aligned faces (eigenfaces, Turk and Pentland 1991).

It stands in for a small swapping autoencoder while making training fakes: one matrix product
gives the same soft, low-resolution skin, lost glasses and smeared hair that its decoders paint.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity
from forensics.faces.mesh import five_points
from forensics.training.portraits import Portrait
from forensics.training.warp import move_pixels

SIDE = 80
_FACE = 1.08  # side of the coded square over the tight face square


def _places() -> NDArray[np.float64]:
    from forensics.faces.align import template

    return template(SIDE, (_FACE - 1) / 2)


class Eigenfaces:
    """Code and repaint faces at 80 px with a limited number of components.

    Args:
        portraits: Faces to learn from (of the training split only).
        components: Size of the code.
        seed: Of the widening (flips, shifts, colour).
    """

    def __init__(
        self, portraits: Sequence[Portrait], *, components: int = 300, seed: int = 0
    ) -> None:
        rng = np.random.default_rng(seed)
        rows = []
        for portrait in portraits:
            for flip in (False, True):
                face, _ = self._cut(portrait.image, portrait.mesh)
                face = face[:, ::-1] if flip else face
                gain = rng.uniform(0.5, 1.15)
                rows.append(np.clip(face * gain, 0, 255).astype(np.float32).ravel())
        data = np.stack(rows)
        self._mean = data.mean(0)
        # The small side's Gram matrix gives the leading directions without a huge covariance.
        centred = data - self._mean
        values, vectors = np.linalg.eigh(centred @ centred.T)
        keep = np.argsort(-values)[: min(components, len(rows) - 1)]
        basis = (centred.T @ vectors[:, keep]) / np.sqrt(np.maximum(values[keep], 1e-6))
        self._basis = basis.astype(np.float32)

    @staticmethod
    def _cut(
        image: NDArray[np.uint8], mesh: NDArray[np.floating]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        forward = similarity(five_points(np.asarray(mesh, np.float32)), _places())
        crop = cv2.warpAffine(
            image, forward, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(crop, np.uint8), forward

    def repaint(
        self, image: NDArray[np.uint8], mesh: NDArray[np.floating], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Repaint a face from its code and put it back into the picture, unblended.

        Args:
            image: (n, n, 3) RGB ``uint8``.
            mesh: (468, 2+) points in pixels.
            rng: Chooses the size of the code and how well details survive.

        Returns:
            A picture of the same size in which the face square is repainted.
        """
        face, forward = self._cut(image, mesh)
        most = self._basis.shape[1]
        used = int(rng.integers(min(40, most), most + 1))
        code = (face.astype(np.float32).ravel() - self._mean) @ self._basis[:, :used]
        code *= rng.uniform(0.8, 1.05)
        painted = (self._mean + self._basis[:, :used] @ code).reshape(SIDE, SIDE, 3)
        # Real decoders keep some of what a linear code loses.
        keep = np.float32(rng.uniform(0.0, 0.5))
        painted = painted * (1 - keep) + cv2.GaussianBlur(face, (0, 0), 0.8) * keep
        if rng.random() < 0.5:
            wobble = rng.standard_normal((4, 4, 2)).astype(np.float32) * 1.2
            field = cv2.resize(wobble, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            painted = move_pixels(
                np.clip(painted, 0, 255).astype(np.uint8), np.asarray(field, np.float32)
            )
        n = image.shape[0]
        repainted = cv2.warpAffine(
            np.clip(painted, 0, 255).astype(np.uint8),
            cv2.invertAffineTransform(forward),
            (n, n),
            dst=image.copy(),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        return np.asarray(repainted, np.uint8)
