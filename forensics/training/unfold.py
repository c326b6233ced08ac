"""Take up shipped weights again: an exported network holds no batch norms, training needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from forensics.training.model import BlendNet


def load_exported(net: BlendNet, path: Path, sample: Tensor) -> None:
    """Load an exported network, and put back the batch norms that its convolutions swallowed.

    A norm gets the statistics of what its convolution gives for ``sample`` as its running ones,
    and the scale and shift that undo them: the function stays the same, and training may go on.

    Args:
        net: Network to fill; left in evaluation mode.
        path: File that `forensics.training.export` wrote.
        sample: (n, 3, 192, 192) RGB pictures, 0..255, to measure statistics on.

    Raises:
        ValueError: The file holds another network.
    """
    graph = onnx.load(path).graph
    stored = {item.name: _tensor(item) for item in graph.initializer}
    folded: dict[str, tuple[Tensor, Tensor]] = {}
    for node in graph.node:
        if node.op_type == "Conv" and node.input[1].startswith("onnx::"):
            scopes = node.name.split("/")  # "", net, blocks.5, blocks.5.3, conv_pw, Conv
            parent = f"{scopes[-3]}." if scopes[-3].startswith("blocks") else ""
            folded[f"backbone.{parent}{scopes[-2]}"] = (
                stored[node.input[1]], stored[node.input[2]]
            )
    state = net.state_dict()
    for name, value in stored.items():
        own = name.removeprefix("net.")
        if name.startswith("onnx::") or own not in state:
            continue
        if own == "score.weight":  # an earlier head read fewer numbers
            state[own].zero_()[:, : value.shape[1]] = value
        elif state[own].shape == value.shape:
            state[own].copy_(value)
        else:
            raise ValueError(f"{path.name}: {own} has shape {tuple(value.shape)}")
    hooks = []
    pending: tuple[str, Tensor] | None = None
    for name, module in net.named_modules():
        if name in folded:
            weight, bias = folded.pop(name)
            if not isinstance(module, nn.Conv2d) or module.weight.shape != weight.shape:
                raise ValueError(f"{path.name}: {name} does not match")
            module.weight.data.copy_(weight)
            pending = name, bias
        elif isinstance(module, nn.BatchNorm2d) and pending is not None:
            hooks.append(module.register_forward_pre_hook(_undo(pending[1])))
            pending = None
    if folded or pending is not None:
        raise ValueError(f"{path.name}: not every convolution has its place in this network")
    net.eval()
    with torch.no_grad():
        net(sample)
    for hook in hooks:
        hook.remove()


def _tensor(item: onnx.TensorProto) -> Tensor:
    return torch.from_numpy(numpy_helper.to_array(item).copy())


def _undo(shift: Tensor) -> Any:
    """Return a hook that makes a norm add ``shift`` and nothing else to what it is given."""

    def hook(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None and norm.running_var is not None
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_((variance + norm.eps).sqrt())
        norm.bias.data.copy_(shift + mean)

    return hook
