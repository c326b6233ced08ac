"""The networks: `create_model("tiny")`, `list_models()`, `model_info("shared-dual")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.models import family as family  # registers the presets
from generator.models._config import SwapperConfig
from generator.models._registry import (
    list_models,
    model_config,
    model_summary,
    register_model,
)

if TYPE_CHECKING:
    from generator.models._info import ModelInfo
    from generator.models._network import Swapper

__all__ = [
    "SwapperConfig",
    "create_model",
    "list_models",
    "model_config",
    "model_info",
    "model_summary",
    "register_model",
]


def create_model(
    name: str, *, seed: int = 0, like: str | None = None, **overrides: Any
) -> Swapper:
    """Build the network called ``name`` with weights drawn from ``seed``.

    Raises:
        UsageError: Unknown name, or numbers that do not fit together.
    """
    import torch

    from generator.models._network import Swapper

    config = model_config(name, like=like, **overrides)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Swapper(config)


def model_info(name: str, *, like: str | None = None) -> ModelInfo:
    """Return layers, parameters and multiply-adds of the network called ``name``.

    Raises:
        UsageError: Unknown name.
    """
    from generator.models._info import describe_model

    return describe_model(model_config(name, like=like))
