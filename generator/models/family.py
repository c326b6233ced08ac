"""The family. Every function is a model; its docstring's first line is what ``list`` prints."""

from __future__ import annotations

from dataclasses import replace

from generator.models._config import SwapperConfig
from generator.models._registry import register_model


@register_model
def shared_dual() -> SwapperConfig:
    """One encoder, two decoders, 82.06 M parameters: the reference, as described in 2017."""
    return SwapperConfig()


@register_model
def plain() -> SwapperConfig:
    """The same encoder with one decoder and one person: an autoencoder that reconstructs."""
    return SwapperConfig(identities=1, decoders=1)


@register_model
def naive_shared() -> SwapperConfig:
    """One encoder, one decoder, two people: the control that reconstructs and cannot swap."""
    return SwapperConfig(decoders=1)


@register_model
def light() -> SwapperConfig:
    """Two fifths of the reference's channels: between `tiny` and the reference."""
    return SwapperConfig(
        channels=(48, 96, 192, 384), code=384, decoder=(192, 96, 48), lr=1e-4
    )


@register_model
def tiny() -> SwapperConfig:
    """5.1 M parameters, about ten times faster than the reference: the default on a laptop."""
    return SwapperConfig(channels=(24, 48, 96, 192), code=256, decoder=(96, 64, 32), lr=3e-4)


@register_model
def masked() -> SwapperConfig:
    """The reference plus a mask branch for each decoder, which keeps what covers the face."""
    return SwapperConfig(mask=True)


@register_model(name="128")
def side_128() -> SwapperConfig:
    """One more step down and up: faces of 128 px."""
    return SwapperConfig(
        size=128, channels=(64, 128, 256, 512, 1024), decoder=(256, 128, 64, 32)
    )


@register_model
def toy() -> SwapperConfig:
    """A few thousand parameters at 16 px: for tests and for stepping through the code."""
    return replace(
        SwapperConfig(), size=16, channels=(8, 8, 8, 8), code=8, decoder=(8, 8, 8), lr=1e-3
    )
