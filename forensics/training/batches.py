"""Batches of pairs: for training, as a pure function of seed and step, and of held-out people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from forensics.detectors._normalise import normalise
from forensics.evaluation.metrics import roc_auc
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.model import MAP, SIZE
from forensics.training.pairs import Pair, PairSource
from forensics.training.portraits import Portrait
from forensics.training.recipe import Recipe

Batch = tuple[Tensor, Tensor, Tensor]

_CHECKS: dict[str, dict[str, Any]] = {
    "auc": {},
    "auc_self_blends_lightly_coded": {"shares": {"self_blended": 1.0}, "mild": 1.0},
}
"""What validation pairs are made of; one AUC each."""


class PairDataset(Dataset[Batch]):
    """Step number in, a batch of pairs out."""

    def __init__(self, source: PairSource, recipe: Recipe, first: int, steps: int) -> None:
        self._source, self._recipe, self._first, self._steps = source, recipe, first, steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> Batch:
        cv2.setNumThreads(1)
        step = self._first + index
        n = self._recipe.pairs
        return collate([self._source.draw((self._recipe.seed, step * n + i)) for i in range(n)])


def _held_pairs(source: PairSource, seed: int) -> list[Batch]:
    dataset = PairDataset(source, Recipe(seed=seed + 7919), 0, 16)
    return [dataset[index] for index in range(len(dataset))]


def validation_pairs(
    held: Sequence[Portrait], coder: Eigenfaces, seed: int
) -> dict[str, list[Batch]]:
    """Return pairs of people that training never sees, by what they are made of."""
    material = Material(held, coder)
    return {
        name: _held_pairs(PairSource(held, material, size=SIZE, **how), seed)
        for name, how in _CHECKS.items()
    }


def collate(pairs: list[Pair]) -> Batch:
    """Stack pairs: pictures (2n, 3, s, s) reals first, labels (2n,), map targets (2n, 2, m, m).

    Pictures are brought to usual light and sharpness as the detector does it.
    """
    seen = [normalise(x) for x in [p.real for p in pairs] + [p.fake for p in pairs]]
    images = np.stack(seen).transpose(0, 3, 1, 2)
    maps = np.zeros((2 * len(pairs), 2, MAP, MAP), np.float32)
    for index, pair in enumerate(pairs, len(pairs)):
        small = cv2.resize(pair.mask, (MAP, MAP), interpolation=cv2.INTER_AREA)
        edge = cv2.resize(4 * pair.mask * (1 - pair.mask), (MAP, MAP), interpolation=cv2.INTER_AREA)
        maps[index] = edge, small
    labels = np.repeat(np.array([0, 1], np.float32), len(pairs))
    return (
        torch.from_numpy(np.ascontiguousarray(images)),
        torch.from_numpy(labels),
        torch.from_numpy(maps),
    )


@torch.no_grad()
def validate(net: nn.Module, batches: list[Batch]) -> float:
    """Return the AUC over held-out pairs."""
    net.eval()
    logits = [
        net(x.float().contiguous(memory_format=torch.channels_last))[0] for x, _, _ in batches
    ]
    labels = torch.cat([y for _, y, _ in batches]).numpy()
    return roc_auc(torch.cat(logits).numpy(), labels).value or 0.0
