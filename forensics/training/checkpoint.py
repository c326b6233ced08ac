"""Checkpoints of a training run: tensors in safetensors, the rest in JSON, replaced as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def save(
    path: Path,
    *,
    net: nn.Module,
    ema: nn.Module,
    optimizer: torch.optim.Optimizer,
    facts: dict[str, Any],
) -> None:
    """Write ``path`` (.safetensors); the facts go into its metadata, so both change at once."""
    tensors: dict[str, Tensor] = {}
    tensors |= {f"net.{k}": v for k, v in net.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"opt.{index}.{k}": v for k, v in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(
        {k: v.detach().contiguous().clone() for k, v in tensors.items()},
        partial,
        metadata={"facts": json.dumps(facts)},
    )
    partial.replace(path)


def load(
    path: Path, *, net: nn.Module, ema: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Restore a run and return its facts."""
    from safetensors import safe_open

    tensors = load_file(path)
    with safe_open(path, framework="pt") as handle:
        facts: dict[str, Any] = json.loads(handle.metadata()["facts"])
    net.load_state_dict(_part(tensors, "net."))
    ema.load_state_dict(_part(tensors, "ema."))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "opt.").items():
        index, name = key.split(".", 1)
        weight = parameters[int(index)]
        if value.shape == weight.shape:
            # The fused step walks weights and moments in memory order: both must lie alike.
            value = torch.empty_like(weight).copy_(value)
        state.setdefault(int(index), {})[name] = value
    whole = optimizer.state_dict()
    whole["state"] = state
    optimizer.load_state_dict(whole)
    return facts


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
