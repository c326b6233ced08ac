"""Self-Blended Images (Shiohara and Yamasaki, CVPR 2022) as a method: a face against itself."""

from __future__ import annotations

import cv2
import numpy as np

from generator.methods import register_method
from generator.methods._base import AlignedFace, Method, SwappedFace


@register_method
class SelfBlend(Method):
    """Blend each face with a changed copy of itself, in one way for a whole clip."""

    name = "self-blend"
    summary = "a face against a changed copy of itself: the traces of blending alone"
    label = "self-blend"
    needs_source = False

    def swap_face(self, target: AlignedFace) -> SwappedFace:
        """Blend one face. Every frame draws the same numbers, so the change is steady."""
        from forensics.training import blend

        rng = np.random.default_rng(self.seed)
        size = len(target.crop)
        span = float(np.ptp(target.mesh[:, 1]))
        # The copy is changed, never the target: around the face the frame stays as it was.
        copy = blend.shift_detail(blend.shift_colour(target.crop, rng), rng)
        turn = np.asarray(
            cv2.getRotationMatrix2D(
                (size / 2, size / 2), rng.uniform(-2, 2), rng.uniform(0.95, 1.05)
            ),
            np.float64,
        )
        turn[:, 2] += rng.uniform(-0.03, 0.03, 2) * span
        moved = cv2.warpAffine(copy, turn, (size, size), borderMode=cv2.BORDER_REFLECT_101)
        mask = blend.soften(blend.face_hull(target.mesh, size, rng), rng, span)
        return SwappedFace(np.asarray(moved, np.uint8), mask=mask.astype(np.float32), finished=True)
