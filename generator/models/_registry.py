"""Names of networks: a plain function that returns a configuration is a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, overload

from forensics.errors import UsageError
from generator.models._config import SwapperConfig

Preset = Callable[[], SwapperConfig]
_PRESETS: dict[str, Preset] = {}


@overload
def register_model(function: Preset) -> Preset: ...
@overload
def register_model(*, name: str) -> Callable[[Preset], Preset]: ...
def register_model(
    function: Preset | None = None, *, name: str | None = None
) -> Preset | Callable[[Preset], Preset]:
    """Make a function known as a model, under its own name with dashes or under ``name``.

    Raises:
        ValueError: The name is taken.
    """

    def register(preset: Preset) -> Preset:
        key = name or preset.__name__.replace("_", "-")
        if key in _PRESETS:
            raise ValueError(f"model {key!r} is registered twice")
        _PRESETS[key] = preset
        return preset

    return register if function is None else register(function)


def list_models() -> list[str]:
    """Return the names of all models in the order in which they were registered."""
    return list(_PRESETS)


def model_summary(name: str) -> str:
    """Return the first line of a model's docstring."""
    return (_preset(name).__doc__ or "").strip().splitlines()[0]


def _preset(name: str) -> Preset:
    try:
        return _PRESETS[name]
    except KeyError:
        raise UsageError(f"no model {name!r}; there are: {', '.join(_PRESETS)}") from None


def model_config(name: str, *, like: str | None = None, **overrides: Any) -> SwapperConfig:
    """Return the configuration called ``name``.

    Args:
        name: For example ``naive-shared``.
        like: Take the size of the network (channels, code, decoder, learning rate) from this
            other model, so that a control can be trained at the size of ``tiny``.
        overrides: Single fields to replace.

    Raises:
        UsageError: Unknown name, or numbers that do not fit together.
    """
    config = _preset(name)()
    if like is not None:
        size = _preset(like)()
        config = replace(
            config, size=size.size, channels=size.channels, code=size.code, decoder=size.decoder,
            lr=size.lr,
        )
    try:
        return replace(config, **overrides)
    except (TypeError, ValueError) as error:
        raise UsageError(f"model {name!r}: {error}") from None
