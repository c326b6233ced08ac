"""The network: one encoder for everybody, one decoder for each person.

The encoder sees faces of both people and must describe them in one code, so the code comes to
hold what they share: pose, expression, light. What only one of them has (the identity) ends up
in that person's decoder. A's code through B's decoder is B with A's expression: the swap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from generator.models._config import SwapperConfig

SLOPE = 0.1
"""Slope of every LeakyReLU for negative inputs."""


class Up(nn.Sequential):
    """Double the side: Conv(3, 1, 4c) -> LeakyReLU -> PixelShuffle(2) (Shi et al. 2016)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.LeakyReLU(SLOPE), nn.PixelShuffle(2)
        )


    def initialise(self) -> None:
        """Start with four equal neighbours (ICNR, Aitken et al. 2017): no chequerboard."""
        convolution = self[0]
        assert isinstance(convolution, nn.Conv2d)
        weight = convolution.weight
        one = torch.empty(len(weight) // 4, *weight.shape[1:])
        nn.init.kaiming_normal_(one, a=SLOPE)
        # PixelShuffle takes its four neighbours from four consecutive channels.
        weight.data.copy_(one.repeat_interleave(4, dim=0))
        _zero_bias(convolution)


def initialise(layer: nn.Module) -> None:
    """Draw the weights of one layer so that signals keep their size on the way (He et al. 2015).

    PyTorch's own start shrinks them in every layer; eleven layers deep the faces would all look
    alike to the decoders, and the first hundreds of steps would be lost.
    """
    if isinstance(layer, Up):
        layer.initialise()
    elif isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        _zero_bias(layer)
    elif isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, a=SLOPE)
        _zero_bias(layer)


def _zero_bias(layer: nn.Conv2d | nn.Linear) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class Encoder(nn.Module):
    """Strided convolutions, then two fully connected layers, then one step up."""

    def __init__(self, config: SwapperConfig) -> None:
        super().__init__()
        widths = (3, *config.channels)
        downs: list[nn.Module] = []
        for inputs, outputs in zip(widths[:-1], widths[1:], strict=True):
            downs += [nn.Conv2d(inputs, outputs, 5, stride=2, padding=2), nn.LeakyReLU(SLOPE)]
        area = config.smallest**2
        self.down = nn.Sequential(*downs)
        self.squeeze = nn.Linear(area * config.channels[-1], config.code)
        self.expand = nn.Linear(config.code, area * config.code)
        self.shape = (config.code, config.smallest, config.smallest)
        self.up = Up(config.code, config.code // 2)

    def forward(self, faces: Tensor) -> Tensor:
        """Turn (n, 3, size, size) faces in 0..1 into (n, code / 2, 2 s, 2 s) maps."""
        # No activation between the two linear layers: the code is a plain bottleneck.
        code = self.squeeze(self.down(faces).flatten(1))
        return cast(Tensor, self.up(self.expand(code).unflatten(1, self.shape)))


class Painter(nn.Sequential):
    """Upscaling steps and a last Conv(5, 1) with a sigmoid: maps in, pictures out."""

    def __init__(self, config: SwapperConfig, outputs: int) -> None:
        widths = (config.code // 2, *config.decoder)
        ups = [Up(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)]
        super().__init__(
            *ups, nn.Conv2d(widths[-1], outputs, 5, padding=2), nn.Sigmoid()
        )


class Decoder(nn.Module):
    """Paint one person's face, and its mask where the configuration asks for one."""

    def __init__(self, config: SwapperConfig) -> None:
        super().__init__()
        self.face = Painter(config, 3)
        self.mask = Painter(config, 1) if config.mask else None

    def forward(self, maps: Tensor) -> Tensor:
        """Return (n, 3, size, size) in 0..1, or (n, 4, ...) with the mask as fourth channel."""
        face = self.face(maps)
        return face if self.mask is None else torch.cat([face, self.mask(maps)], dim=1)


class Swapper(nn.Module):
    """One encoder and its decoders."""

    def __init__(self, config: SwapperConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoders = nn.ModuleList(Decoder(config) for _ in range(config.decoders))
        # Children come before parents, so a whole `Up` has the last word on its convolution.
        if not next(self.parameters()).is_meta:  # where weights have no values, there is no need
            self.apply(initialise)

    def decode(self, maps: Tensor, person: int) -> Tensor:
        """Paint ``person`` (0 is A, 1 is B); a single decoder paints everybody."""
        return cast(Tensor, self.decoders[person % len(self.decoders)](maps))

    def forward(self, faces: Tensor, person: int) -> Tensor:
        """Encode (n, 3, size, size) faces in 0..1 and paint them as ``person``."""
        return self.decode(self.encoder(faces), person)

    def step(self, batches: Sequence[Tensor], people: Sequence[int]) -> list[Tensor]:
        """Rebuild one batch of each of ``people``; the encoder runs once over all of them.

        With a mask branch the masks of all ``people`` follow the three colours, a person's own
        first: what covers a face has nothing to do with whose it is, and a swap asks the other
        person's branch.
        """
        parts = self.encoder(torch.cat(list(batches))).split([len(batch) for batch in batches])
        rebuilt = [self.decode(maps, person) for person, maps in zip(people, parts, strict=True)]
        if not self.config.mask:
            return rebuilt
        return [
            torch.cat([own, *(self.mask_of(maps, p) for p in people if p != person)], dim=1)
            for person, maps, own in zip(people, parts, rebuilt, strict=True)
        ]

    def mask_of(self, maps: Tensor, person: int) -> Tensor:
        """Return what of a face ``person``'s decoder takes for seen, (n, 1, size, size)."""
        decoder = self.decoders[person % len(self.decoders)]
        assert isinstance(decoder, Decoder) and decoder.mask is not None
        return cast(Tensor, decoder.mask(maps))
