"""Self-blended video: a manipulated face that is not quite steady from frame to frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.training.blend import paste
from forensics.training.fakes import MAKERS, Material

Image = NDArray[np.uint8]
Mesh = NDArray[np.float32]


def manipulate(
    frames: Sequence[tuple[Image, Mesh]],
    family: str,
    material: Material,
    *,
    seed: int,
    unsteady: float = 0.0,
) -> Iterator[tuple[Image, NDArray[np.float32]]]:
    """Manipulate a clip's face in one way, as one swapper would treat it.

    Args:
        frames: Pictures and meshes in time order.
        family: Name of the maker.
        material: Donors and face coder.
        seed: Of the one way that serves the whole clip.
        unsteady: 0 treats every frame alike; 1 is a careless swapper: the mask shakes by about a
            hundredth of the face, colours vary by some grey levels from frame to frame, and the
            face lags behind by a frame now and then.

    Yields:
        The manipulated picture and its mask, 0..1.
    """
    chance = np.random.default_rng((seed, 1))
    before: Image | None = None
    for image, mesh in frames:
        # The same chance in every frame: one swapper treats a whole clip in one way.
        fake, mask = MAKERS[family](image, mesh, material, np.random.default_rng(seed))
        if unsteady:
            source = fake
            if before is not None and chance.random() < 0.3 * unsteady:
                source = before
            tint = chance.normal(0, 3.0 * unsteady, 3).astype(np.float32)
            source = np.clip(source + tint, 0, 255).astype(np.uint8)
            span = float(np.ptp(mesh[:, 1]))
            shift = np.eye(2, 3)
            shift[:, 2] = chance.normal(0, 0.008 * unsteady * span, 2)
            size = image.shape[1::-1]
            mask = np.asarray(cv2.warpAffine(mask, shift, size), np.float32)
            source = np.asarray(
                cv2.warpAffine(source, shift, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
            )
            before, fake = fake, paste(image, source, mask)
        yield fake, mask
