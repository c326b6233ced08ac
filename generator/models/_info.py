"""What a model consists of and what it costs, measured on the network itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn

from generator.models._config import SwapperConfig
from generator.models._network import Swapper


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """One layer with weights.

    Attributes:
        name: Dotted path within the network.
        kind: For example ``Conv(5,2,128)``: kernel, stride, output channels.
        output: Shape of its output for one face, (channels, height, width) or (length,).
        parameters: Number of weights and biases.
        multiply_adds: Multiplications with addition for one face.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A whole network.

    Attributes:
        config: Its numbers.
        layers: In the order in which a face passes them, decoders one after the other.
        parameters: Sum over all layers.
        encoder_parameters: Of the shared encoder.
        decoder_parameters: Of one decoder.
        multiply_adds: For one face, encoder and one decoder.
    """

    config: SwapperConfig
    layers: tuple[LayerInfo, ...]
    parameters: int
    encoder_parameters: int
    decoder_parameters: int
    multiply_adds: int


def _kind(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d):
        return f"Conv({layer.kernel_size[0]},{layer.stride[0]},{layer.out_channels})"
    return f"Linear({layer.out_features})"


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def describe_model(config: SwapperConfig) -> ModelInfo:
    """Pass one face through the network; the weights are never filled in."""
    with torch.device("meta"):
        model = Swapper(config)
    # A pass on the meta device itself would load PyTorch's whole compiler first: seconds.
    model = model.to_empty(device="cpu")
    faces = torch.zeros(1, 3, config.size, config.size)
    layers: list[LayerInfo] = []

    def watch(name: str, layer: nn.Module) -> None:
        def hook(module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            weight = module.weight
            assert isinstance(weight, torch.Tensor)
            shape = tuple(output.shape[1:])
            positions = prod(shape[1:])  # 1 for a linear layer
            layers.append(
                LayerInfo(name, _kind(module), shape, _count(module), weight.numel() * positions)
            )

        layer.register_forward_hook(hook)

    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            watch(name, layer)
    with torch.inference_mode():
        maps = model.encoder(faces)
        for person in range(config.decoders):
            model.decode(maps, person)
    one_pass = [x for x in layers if x.name.startswith(("encoder.", "decoders.0."))]
    return ModelInfo(
        config=config,
        layers=tuple(layers),
        parameters=_count(model),
        encoder_parameters=_count(model.encoder),
        decoder_parameters=_count(model.decoders[0]),
        multiply_adds=sum(x.multiply_adds for x in one_pass),
    )
