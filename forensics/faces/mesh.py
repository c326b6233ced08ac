"""The 468-point face mesh (Kartynnik et al. 2019, MediaPipe model)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces._net import TfliteNet
from forensics.faces.detect import DetectedFace
from forensics.models import model_path

POINTS = 468
_SIZE = 192
_ROOM = 1.5  # side of the looked-at square over the longer side of the detector's box

# Mesh vertices, as the picture shows them: outer and inner corner of each eye, nose tip, mouth
# corners. The subject's right side is the picture's left.
_EYE_LEFT, _EYE_RIGHT = (33, 133), (362, 263)
_NOSE, _MOUTH_LEFT, _MOUTH_RIGHT = 1, 61, 291

# The face oval in order around the face.
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


def five_points(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reduce a (468, 2+) mesh to the (5, 2) points used for alignment."""
    xy = mesh[:, :2]
    points = [
        xy[list(_EYE_LEFT)].mean(0),
        xy[list(_EYE_RIGHT)].mean(0),
        xy[_NOSE],
        xy[_MOUTH_LEFT],
        xy[_MOUTH_RIGHT],
    ]
    return np.stack(points).astype(np.float32)


class FaceMesh:
    """Place the mesh on a detected face.

    Raises:
        ModelMissingError: The model was not pulled.
    """

    def __init__(self) -> None:
        self._net = TfliteNet(model_path("face_mesh"), _SIZE, (POINTS * 3, 1))

    def points(
        self, image: NDArray[np.uint8], face: DetectedFace
    ) -> tuple[NDArray[np.float32], float]:
        """Fit the mesh.

        Args:
            image: (h, w, 3) RGB ``uint8``.
            face: A face found in it.

        Returns:
            (468, 3) points, x and y in frame pixels and depth in the same unit (nearer is
            smaller), and the face-presence confidence in 0..1.
        """
        eyes = face.landmarks[1] - face.landmarks[0]
        angle = float(np.arctan2(eyes[1], eyes[0]))
        centre = (face.box[:2] + face.box[2:]) / 2
        scale = _SIZE / max(face.side * _ROOM, 1e-3)
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        turn = np.array([[cos, sin], [-sin, cos]])
        forward = np.column_stack([turn, _SIZE / 2 - turn @ centre])
        crop = cv2.warpAffine(image, forward, (_SIZE, _SIZE), flags=cv2.INTER_LINEAR)
        raw, presence = self._net(crop.astype(np.float32) / 255.0)
        local = raw.reshape(POINTS, 3).astype(np.float64)
        points = np.empty((POINTS, 3), np.float32)
        points[:, :2] = (local[:, :2] - forward[:, 2]) @ np.linalg.inv(turn).T
        points[:, 2] = local[:, 2] / scale
        return points, float(1.0 / (1.0 + np.exp(-np.clip(presence[0], -80.0, 80.0))))


def mesh_in_crop(
    mesh: NDArray[np.float32], to_frame: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Take (468, 3) frame points to the pixels of a crop with the (2, 3) matrix ``to_frame``."""
    linear = to_frame[:, :2]
    local = np.empty_like(mesh)
    local[:, :2] = (mesh[:, :2] - to_frame[:, 2]) @ np.linalg.inv(linear).T
    local[:, 2] = mesh[:, 2] / np.sqrt(abs(np.linalg.det(linear)))
    return local
