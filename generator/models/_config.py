"""One dataclass describes every network of the family; a model name is only a preset of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SwapperConfig:
    """The numbers that make a network. The defaults are the reference, `shared-dual`.

    Attributes:
        size: Side of the face that goes in and comes out, pixels.
        channels: Output channels of the encoder's strided convolutions; each halves the side.
        code: Length of the code, which is also the depth of the map that is rebuilt from it.
        decoder: Output channels of a decoder's upscaling steps; each doubles the side.
        identities: How many people the network is trained on.
        decoders: One for each person, or a single one for all (the control that cannot swap).
        mask: Whether every decoder has a second branch that predicts a mask.
        lr: Learning rate of Adam that suits this size.
    """

    size: int = 64
    channels: tuple[int, ...] = (128, 256, 512, 1024)
    code: int = 1024
    decoder: tuple[int, ...] = (256, 128, 64)
    identities: int = 2
    decoders: int = 2
    mask: bool = False
    lr: float = 5e-5

    def __post_init__(self) -> None:
        if self.decoders not in (1, self.identities):
            raise ValueError(
                f"decoders must be 1 or one for each of {self.identities}, got {self.decoders}"
            )
        if self.code % 2:
            raise ValueError(f"code must be even, got {self.code}")
        # The inner step of the encoder doubles the side once, hence the + 1.
        rebuilt = self.smallest * 2 ** (len(self.decoder) + 1)
        if rebuilt != self.size:
            raise ValueError(
                f"{len(self.channels)} steps down and {len(self.decoder)} + 1 up turn "
                f"{self.size} px into {rebuilt} px"
            )

    @property
    def smallest(self) -> int:
        """Side of the encoder's last map, pixels."""
        return self.size >> len(self.channels)
