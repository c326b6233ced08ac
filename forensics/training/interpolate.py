"""Draw a line between the weights before and after a fine-tuning, and stop part of the way.

``python -m forensics.training.interpolate before.onnx runs/blend/checkpoint.safetensors \\
--cache runs/blend/cache --share 0.6 --out between.safetensors``

Weights that were trained on from others lie in one valley with them; a point between both often
holds what the later ones learnt and keeps the earlier ones' calm on unlike material (Wortsman et
al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import torch
import typer
from safetensors.torch import save_file
from torch import nn

from forensics.training.allocator import keep_memory
from forensics.training.batches import validate, validation_pairs
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.model import BlendNet, load_averaged
from forensics.training.portraits import load_cache
from forensics.training.unfold import load_exported


@torch.no_grad()
def interpolate(before: nn.Module, after: nn.Module, share: float) -> None:
    """Move ``after`` back towards ``before``, in place.

    Args:
        before: Network that the training started from.
        after: Network of the same layout that it ended with.
        share: How far along the way from ``before`` to ``after``, 0..1.

    Raises:
        ValueError: The share lies outside 0..1, or the layouts differ.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share {share} is not within 0..1")
    old, new = before.state_dict(), after.state_dict()
    if old.keys() != new.keys():
        raise ValueError("the two networks have different layers")
    for name, value in new.items():
        if value.dtype.is_floating_point:
            value.lerp_(old[name], 1 - share)


def main(
    before: Annotated[Path, typer.Argument(help="Checkpoint the training started from, or .onnx.")],
    after: Annotated[Path, typer.Argument(help="Checkpoint of that training.")],
    cache: Annotated[Path, typer.Option(help="The training's cache of portraits.")],
    out: Annotated[Path, typer.Option(help="Checkpoint to write; export it as any other.")],
    share: Annotated[float, typer.Option(help="How far from before to after, 0..1.")] = 0.5,
) -> None:
    """Write the weights between two networks as a checkpoint that can be exported or trained on."""
    keep_memory()
    net, facts = load_averaged(after)
    seed = int(facts["recipe"]["seed"])
    coder = Eigenfaces(load_cache(cache, ["train"]), seed=seed)
    checks = validation_pairs(load_cache(cache, ["validate"]), coder, seed)
    if before.suffix == ".onnx":
        first = BlendNet()
        # The norms must be measured on the very pictures that they were measured on for training.
        load_exported(first, before, next(iter(checks.values()))[0][0].float())
    else:  # the norms as they were: what an exported network folds away is guessed otherwise
        first, _ = load_averaged(before)
    interpolate(first, net, share)
    found = {name: validate(net, batches) for name, batches in checks.items()}
    earlier = facts.get("interpolated")
    facts["interpolated"] = {
        "before_sha256": hashlib.sha256(before.read_bytes()).hexdigest(), "share": share,
    } | ({} if earlier is None else {"after": earlier})
    facts["log"].append({"step": facts["step"], "interpolated": share, **found})
    tensors = {f"ema.{name}": value.contiguous() for name, value in net.state_dict().items()}
    save_file(tensors, out, metadata={"facts": json.dumps(facts)})
    print(f"wrote {out}: " + ", ".join(f"{name} {auc:.4f}" for name, auc in found.items()))


if __name__ == "__main__":
    typer.run(main)
