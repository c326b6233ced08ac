"""Run a MediaPipe TFLite network with OpenCV's DNN module."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import ModelMissingError


class TfliteNet:
    """One network with named outputs.

    Args:
        path: A TFLite file.
        size: Side of the square input in pixels.
        outputs: Last dimension of each wanted output: the importer names outputs differently
            between OpenCV versions, their shapes stay.

    Raises:
        ModelMissingError: The file cannot be read as a network.
    """

    def __init__(self, path: Path, size: int, outputs: tuple[int, ...]) -> None:
        self.size = size
        self._elements = outputs
        try:
            # Only the classic engine returns every output of a TFLite graph.
            engine = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
            self._net = (
                cv2.dnn.readNetFromTFLite(str(path))
                if engine is None
                else cv2.dnn.readNetFromTFLite(str(path), engine=engine)
            )
        except cv2.error as error:
            raise ModelMissingError(
                f"{path.name}: not a usable network ({error.func}); "
                "run `forensics models verify`, then `forensics models pull`"
            ) from error
        self._names = self._net.getUnconnectedOutLayersNames()

    def __call__(self, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Run the network on one (size, size, 3) picture, already normalised.

        Returns:
            Flat arrays in the order of ``outputs``.
        """
        self._net.setInput(np.ascontiguousarray(image.transpose(2, 0, 1)[None]))
        found = self._net.forward(self._names)
        flat = {out.size: np.asarray(out, np.float32).reshape(-1) for out in found}
        return tuple(flat[elements] for elements in self._elements)
