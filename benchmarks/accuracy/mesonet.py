"""MesoNet (Afchar et al. 2018) from its published Keras weights: the peer rows of the benchmark.

Two networks over 256 px faces. In the files the last unit is 1 for a real face; the scores here
are turned round, so that higher means more likely manipulated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import h5py  # type: ignore[import-untyped]
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from forensics.errors import UnreadableInputError
from forensics.evaluation.scorer import ScoredInput

SIZE = 256
_KERAS_BN_EPSILON = 1e-3
_NUMBER = re.compile(r"_(\d+)$")


def _conv(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the picture's size, then ReLU."""
    room = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=room, dilation=dilation), nn.ReLU()
    )


def _rest(channels: int, pool: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels, eps=_KERAS_BN_EPSILON), nn.MaxPool2d(pool)


def _head() -> tuple[nn.Module, ...]:
    return _Flatten(), nn.Linear(1024, 16), nn.LeakyReLU(0.1), nn.Linear(16, 1)


class _Flatten(nn.Module):
    """Flatten with the channel last, as Keras does."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class _Inception(nn.Module):
    """Four branches side by side: 1x1, and 3x3 at dilation 1, 2 and 3."""

    def __init__(self, inputs: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        first, *others = widths
        self.branches = nn.ModuleList([_conv(inputs, first, 1)])
        for dilation, width in enumerate(others, 1):
            self.branches.append(
                nn.Sequential(_conv(inputs, width, 1), _conv(width, width, 3, dilation))
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def meso4() -> nn.Sequential:
    """Build Meso4; (n, 3, 256, 256) RGB 0..1 to (n, 1) logits, higher is more likely real."""
    return nn.Sequential(
        _conv(3, 8, 3), *_rest(8, 2),
        _conv(8, 8, 5), *_rest(8, 2),
        _conv(8, 16, 5), *_rest(16, 2),
        _conv(16, 16, 5), *_rest(16, 4),
        *_head(),
    )  # fmt: skip


def meso_inception4() -> nn.Sequential:
    """Build MesoInception4; shapes as `meso4`."""
    return nn.Sequential(
        _Inception(3, (1, 4, 4, 2)), *_rest(11, 2),
        _Inception(11, (2, 4, 4, 2)), *_rest(12, 2),
        _conv(12, 16, 5), *_rest(16, 2),
        _conv(16, 16, 5), *_rest(16, 4),
        *_head(),
    )  # fmt: skip


NETWORKS = {"Meso4": meso4, "MesoInception": meso_inception4}


def _layers(file: h5py.File, kind: str) -> list[dict[str, NDArray[np.float32]]]:
    """Return the arrays of every layer of one kind in order of creation, which Keras numbers."""
    numbers = {
        int(found.group(1)): name
        for name in file
        if name.startswith(kind) and (found := _NUMBER.search(name))
    }
    return [
        {key.split(":")[0]: np.asarray(value) for key, value in file[name][name].items()}
        for _, name in sorted(numbers.items())
    ]


def load_mesonet(path: Path) -> nn.Sequential:
    """Build the network that a file name such as ``Meso4_DF.h5`` names, and read its weights.

    Raises:
        UnreadableInputError: The file is missing, or is not one of the two networks.
    """
    build = NETWORKS.get(path.stem.split("_")[0])
    if build is None:
        raise UnreadableInputError(path, f"no MesoNet; known: {', '.join(NETWORKS)}")
    network = build()
    kinds: dict[type[nn.Module], str] = {
        nn.Conv2d: "conv2d",
        nn.BatchNorm2d: "batch_normalization",
        nn.Linear: "dense",
    }
    try:
        with h5py.File(path, "r") as file, torch.no_grad():
            for cls, kind in kinds.items():
                modules = [m for m in network.modules() if isinstance(m, cls)]
                for module, arrays in zip(modules, _layers(file, kind), strict=True):
                    _fill(module, arrays)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise UnreadableInputError(path, f"not these weights ({error})") from error
    return network.eval()


_NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "bias": "bias",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def _fill(module: nn.Module, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    for name, array in arrays.items():
        # Keras keeps the output dimension last, torch first.
        order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim, (0,))
        values = torch.from_numpy(np.ascontiguousarray(array.transpose(order)))
        target: Any = getattr(module, _NAMES[name])
        if target.shape != values.shape:
            raise ValueError(f"shape {tuple(values.shape)} for {tuple(target.shape)}")
        target.copy_(values)


class MesoNetScorer:
    """Scores crops for `forensics.evaluation.evaluate`.

    Args:
        path: Weights; the name before the underscore tells the network.
    """

    def __init__(self, path: Path) -> None:
        self._network = load_mesonet(path)
        self._name = path.stem

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores."""
        return {"network": self._name, "size": SIZE}

    @torch.inference_mode()
    def logit(self, crop: NDArray[np.uint8]) -> float:
        """Score one (h, w, 3) RGB face crop, higher for more likely manipulated."""
        if crop.shape[:2] != (SIZE, SIZE):
            resized = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
            crop = np.asarray(resized, np.uint8)
        x = torch.from_numpy(np.array(crop)).permute(2, 0, 1)[None].float() / 255.0
        return -float(self._network(x)[0, 0])

    def score_crop(self, image: NDArray[np.uint8]) -> ScoredInput:
        """Score one crop for `forensics.evaluation.evaluate`."""
        logit = self.logit(image)
        return ScoredInput(logit, probability=float(torch.sigmoid(torch.tensor(logit))))

    def score_clip(self, path: Path) -> ScoredInput:
        """Refuse: MesoNet has no face finder of its own."""
        raise UnreadableInputError(path, "MesoNet scores crops only")
