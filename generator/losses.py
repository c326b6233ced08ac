"""Losses between a rebuilt and a true face, each a function of (prediction, target, weight)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]

_WINDOW, _STRIDE = 8, 2
_C1, _C2 = 0.01**2, 0.03**2  # constants of Wang et al. 2004 for values in 0..1


def ssim_map(prediction: Tensor, target: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004) at every second pixel, (n, 3, h / 2, w / 2).

    A uniform 8 x 8 window takes the place of the Gaussian, and every second place that of every
    place: on a CPU the loss would otherwise cost a third of a step of the small network.
    """
    p, t = prediction, target
    moments = torch.cat([p, t, p * p, t * t, p * t], dim=1)
    # Padding is left out of the mean, so that the border is not pulled to black.
    mean = functional.avg_pool2d(
        moments, _WINDOW, _STRIDE, (_WINDOW - _STRIDE) // 2, count_include_pad=False
    )
    mp, mt, pp, tt, pt = mean.chunk(5, dim=1)
    structure = (2 * (pt - mp * mt) + _C2) / (pp - mp * mp + tt - mt * mt + _C2)
    return structure * (2 * mp * mt + _C1) / (mp * mp + mt * mt + _C1)


def _weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / (weight.sum() * values.shape[1])


def ssim_mse(prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Half of 1 - SSIM plus the squared error: structure, and the colours that SSIM ignores."""
    dissimilar = (1.0 - ssim_map(prediction, target)) / 2.0
    coarse = functional.avg_pool2d(weight, _STRIDE)
    squared = (prediction - target) ** 2
    return _weighted_mean(dissimilar, coarse) + _weighted_mean(squared, weight)


def mae(prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error over the whole picture, as in the historic recipe."""
    del weight
    return (prediction - target).abs().mean()


LOSSES: dict[str, Loss] = {"ssim-mse": ssim_mse, "mae": mae}
"""Losses by the name used on the command line."""
