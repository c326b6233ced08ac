"""A cheap answer to "whose face is this?" while a training runs.

A linear discriminant between the two people's own faces, on light-normalised grey values and
gradients at 24 px. It is only used to see when a training has stopped moving; it is no measure of
success, because it is fitted to the very faces that the network is trained on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 24


def _features(faces: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = []
    for face in faces:
        gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
        gray = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        gray = (gray - gray.mean()) / (gray.std() + 1e-3)
        edges = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
        rows.append(np.concatenate([gray.ravel(), edges.ravel() / 4.0]))
    return np.array(rows, np.float64)


class IdentityAxis:
    """Ridge regression from a face to 0 (person A) or 1 (person B).

    Args:
        a: (n, h, w, 3) ``float32`` faces of A in 0..1.
        b: Faces of B.
    """

    def __init__(self, a: NDArray[np.float32], b: NDArray[np.float32]) -> None:
        x = np.concatenate([_features(a), _features(b)])
        y = np.concatenate([-np.ones(len(a)) / len(a), np.ones(len(b)) / len(b)])
        self._mean = x.mean(0)
        x = x - self._mean
        gram = x @ x.T
        ridge = 0.1 * np.trace(gram) / len(x)
        self._axis = x.T @ np.linalg.solve(gram + ridge * np.eye(len(x)), y)
        self._zero = self._project(a)
        self._one = self._project(b)

    def _project(self, faces: NDArray[np.float32]) -> float:
        return float(((_features(faces) - self._mean) @ self._axis).mean())

    def place(self, faces: NDArray[np.float32]) -> float:
        """Return where faces lie on average: 0 at A's own, 1 at B's own."""
        return (self._project(faces) - self._zero) / (self._one - self._zero or 1e-9)
