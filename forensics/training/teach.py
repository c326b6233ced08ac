"""Train one network towards the mean of several: what they see together, at the cost of one.

The mean of networks that came out of different trainings is often better than each of them, but
costs the time of all. A single network that imitates that mean keeps part of the gain (Hinton et
al. 2015, "Distilling the knowledge in a neural network").
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from forensics.training.model import BlendNet, load_averaged
from forensics.training.unfold import load_exported


class Teachers:
    """Networks that are not trained themselves.

    Args:
        paths: Checkpoints or exported networks (.onnx). One named twice counts twice.
        example: (n, 3, 192, 192) pictures, on which the norms of an exported network are measured.
        bfloat16: Multiply in bfloat16 throughout: without gradients that is the fastest.

    Attributes:
        digests: SHA-256 of each file, in order.
    """

    def __init__(self, paths: Sequence[Path], example: Tensor, *, bfloat16: bool = False) -> None:
        self.digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
        self._bfloat16 = bfloat16
        self._nets = [(_load(path, example), paths.count(path)) for path in dict.fromkeys(paths)]
        for net, _ in self._nets:
            net.eval().to(memory_format=torch.channels_last)

    def __bool__(self) -> bool:
        return bool(self._nets)

    @torch.no_grad()
    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean logits (n,) and mean map logits (n, 2, 24, 24) of all teachers."""
        total = sum(times for _, times in self._nets)
        logits, maps = torch.zeros(()), torch.zeros(())
        for net, times in self._nets:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bfloat16):
                score, drawn = net(x)
            logits = logits + score.float() * (times / total)
            maps = maps + drawn.float() * (times / total)
        return logits, maps


def _load(path: Path, example: Tensor) -> BlendNet:
    if path.suffix != ".onnx":
        return load_averaged(path)[0]
    net = BlendNet()
    load_exported(net, path, example)
    return net


def imitation(
    logits: Tensor, maps: Tensor, taught: tuple[Tensor, Tensor], map_weight: float
) -> Tensor:
    """Return how far score and maps lie from the teachers'.

    Logits are compared as they are, not as probabilities: where all teachers are sure, the order
    among sure scores still has to be kept, since low false-alarm rates are read off there.
    """
    score = nn.functional.smooth_l1_loss(logits, taught[0])
    drawn = nn.functional.binary_cross_entropy_with_logits(maps, torch.sigmoid(taught[1]))
    return score + map_weight * drawn
