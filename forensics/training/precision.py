"""Train in bfloat16 where it is faster and does not blur what matters.

Processors with AMX multiply bfloat16 matrices several times faster than float32 ones. Depthwise
convolutions gain nothing from it, and their gradients are slower; and eight bits of mantissa would
hide grain of one grey level from the first layer. Both stay in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def keep_float32(net: nn.Module) -> None:
    """Make the depthwise and the first convolution of a network compute in float32 at all times."""
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    for layer in convolutions:
        if layer.groups > 1 or layer is convolutions[0]:
            # An attribute, so that no parameter changes its name in a checkpoint.
            layer.forward = _full(layer.forward)  # type: ignore[method-assign,assignment]


def _full(forward: Callable[..., Any]) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            y: Tensor = forward(x.float())
        return y.to(torch.get_autocast_dtype("cpu")) if torch.is_autocast_enabled("cpu") else y

    return run
